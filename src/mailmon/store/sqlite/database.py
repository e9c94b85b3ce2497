"""Databases as their owners use them: open, guarded against damage on the way, pruned, and closed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from mailmon.errors import StateError
from mailmon.store.sqlite.connect import DamagedError, our_errors
from mailmon.store.sqlite.files import DatabaseFile, set_aside
from mailmon.store.sqlite.opening import WAIT_S, open_to_read, open_to_write
from mailmon.store.sqlite.schema import Schema, to_text

# So many rows are deleted, and so many pages given back to the file system, per run at most.
MAX_DELETED = 5000
MAX_PAGES = 2000


class Database:
    """A database open for writing; a context manager, for one thread. Each thread opens its own.

    Raises StateError; LockHeldError when another process keeps it longer than `wait_s` seconds. `warnings` are about
    how it was found. What was committed is on the disk, whatever happens then.
    """

    def __init__(self, place: DatabaseFile, schema: Schema, now: datetime, wait_s: float = WAIT_S) -> None:
        self._path, self._schema, self._now = place.path, schema, now
        self.connection, self._lock, self.warnings = open_to_write(place, schema, now, wait_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; all that was committed is in it."""
        try:
            with our_errors(self._path):
                self.connection.close()
        finally:
            self._lock.release()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn errors into ours; a file that turns out damaged is set aside, so that the next run starts a new one."""
        try:
            with our_errors(self._path):
                yield
        except DamagedError as exc:
            self.connection.close()
            if not self._lock.take(alone=True):
                raise StateError(exc.message, "Another process uses it; the next run sets it aside.") from exc
            name = set_aside(self._path, self._now)
            raise StateError(f"{exc.message}; set aside as {name}", "The next run starts a new one.") from exc

    def prune(self, keep_days: int, limit: int = MAX_DELETED) -> int:
        """Delete at most `limit` rows that are older than so many days and may be deleted; return how many.

        A bounded part of the space is given back to the file system.
        """
        if self._schema.expiry is None:
            return 0
        try:
            before = to_text(self._now - timedelta(days=keep_days))
        except OverflowError:
            return 0
        table, column = self._schema.expiry
        oldest = f"SELECT rowid FROM {table} WHERE {column} < ? ORDER BY {column} LIMIT ?"  # noqa: S608 -- ours
        with self.guard():
            query = f"DELETE FROM {table} WHERE rowid IN ({oldest})"  # noqa: S608 -- ours
            removed = self.connection.execute(query, (before, limit)).rowcount
            if self.connection.execute("PRAGMA freelist_count").fetchone()[0]:
                # A step frees a page: `execute` would make one, and fetching from it does not make another.
                self.connection.executescript(f"PRAGMA incremental_vacuum({MAX_PAGES})")
        return removed


class ReadOnlyDatabase:
    """A database open for reading, which changes nothing in it; a context manager.

    `connection` is None where there is no database yet. Raises StateError.
    """

    def __init__(self, place: DatabaseFile, schema: Schema, now: datetime) -> None:
        self._path = place.path
        with self.guard():
            self.connection: sqlite3.Connection | None
            self.connection, self._path, self.warnings = open_to_read(place, schema, now)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.connection is not None:
            self.connection.close()

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turn errors into ours, those of contents that cannot be read included."""
        try:
            with our_errors(self._path):
                yield
        except DamagedError as exc:
            raise StateError(exc.message, "The next run that writes to it sets it aside and starts a new one.") from exc
        except (ValueError, TypeError, AttributeError) as exc:
            raise StateError(f"{self._path}: invalid contents ({type(exc).__name__})") from exc

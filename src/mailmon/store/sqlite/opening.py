"""Opening of SQLite files: checked, migrated to this version, and set aside where they are damaged."""

from __future__ import annotations

import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from mailmon.errors import LockHeldError, MailmonError, StateError
from mailmon.store.files import make_directory
from mailmon.store.sqlite import connect
from mailmon.store.sqlite.connect import DamagedError, our_errors
from mailmon.store.sqlite.files import DatabaseFile, UseLock, rename_earlier, replaced, set_aside, take_over
from mailmon.store.sqlite.schema import Schema, from_text, migrate, missing_tables, to_text, usable_version

WAIT_S = 10.0
PAUSE_S = 0.05
CHECK_EVERY = timedelta(days=1)


class Opened(NamedTuple):
    """A connection for one thread, its lock, and warnings to print."""

    connection: sqlite3.Connection
    lock: UseLock
    warnings: tuple[str, ...]


class OpenedToRead(NamedTuple):
    """A connection, None where there is no database yet, to the file at `path`, and warnings to print."""

    connection: sqlite3.Connection | None
    path: Path
    warnings: tuple[str, ...] = ()


def open_to_write(place: DatabaseFile, schema: Schema, now: datetime, wait_s: float = WAIT_S) -> Opened:
    """Open a database, a new one where there is none or a damaged one.

    A file of the earlier name is renamed first, or named in a warning where there is one of the new name too. Raises
    StateError; LockHeldError when another process keeps it longer than `wait_s` seconds.
    """
    make_directory(place.path.parent)
    connect.must_be_roots(place.path)
    lock = UseLock(place.path)
    try:
        return _opened(place, schema, now, lock, wait_s)
    except BaseException:
        lock.release()
        raise


def open_to_read(place: DatabaseFile, schema: Schema, now: datetime) -> OpenedToRead:
    """Open a database without changing what is in it. Raises StateError, DamagedError.

    A file of an earlier version is migrated first, which needs the right to write it. One of the earlier name is
    renamed first; where that is not possible it is read under that name.
    """
    for _ in range(3):
        path, warnings = _place_to_read(place, schema)
        with our_errors(path):
            if connect.is_missing(path):
                return OpenedToRead(None, path, warnings)
            try:
                connection, more = _connection_to_read(path, place, schema, now)
                return OpenedToRead(connection, path, (*warnings, *more))
            except (StateError, sqlite3.Error):
                if not connect.is_missing(path):
                    raise  # else it was renamed meanwhile
    raise LockHeldError(f"another process is renaming {place.path}", "Try again.")


def _opened(place: DatabaseFile, schema: Schema, now: datetime, lock: UseLock, wait_s: float) -> Opened:
    path = place.path
    end_s = time.monotonic() + wait_s
    warnings: tuple[str, ...] = ()
    while True:
        connection, busy = None, path
        with our_errors(path):
            if lock.take(alone=True):
                said = take_over(place, schema, now)
                if said is None:
                    assert place.earlier is not None
                    busy = place.earlier
                else:
                    connection, more = _prepared(path, schema, now)
                    warnings += (*said, *more)
            elif lock.take(alone=False):
                connection = _if_ready(path, schema)
        if connection is not None:
            # Changing the lock lets another process in for a moment, which may have set aside what we are connected to.
            before = _identity(path)
            if lock.take(alone=False) and _identity(path) == before:
                return Opened(connection, lock, (*warnings, *_unused(place)))
            connection.close()
        if time.monotonic() > end_s:
            raise LockHeldError(f"another process holds {busy}", "Wait for it, then try again.")
        time.sleep(PAUSE_S)


def _prepared(path: Path, schema: Schema, now: datetime) -> tuple[sqlite3.Connection, tuple[str, ...]]:
    """Return a connection to a file that is whole and of this version; the caller holds the lock alone."""
    was_left_open = connect.wal_bytes(path) > 0
    is_new = connect.create_where_missing(path)
    try:
        with our_errors(path):
            connection, is_empty = _checked(path, schema, now, was_left_open=was_left_open)
        warning = f"{path}: the file was empty; started a new one: {schema.lost}"
        return connection, (warning,) if is_empty and not is_new else ()
    except DamagedError as exc:
        warning = replaced(exc, set_aside(path, now), schema)
        connect.create_where_missing(path)
        return _checked(path, schema, now, was_left_open=False)[0], (warning,)


def _checked(path: Path, schema: Schema, now: datetime, *, was_left_open: bool) -> tuple[sqlite3.Connection, bool]:
    """Return a connection, and whether the file was empty."""
    connection = connect.connect_to_write(path)
    try:
        version = usable_version(connection, path, schema)
        if version > 0:
            of_any_version = schema._replace(tables=frozenset())
            _must_have_tables(connection, path, schema if version == schema.version else of_any_version)
        is_due = version > 0 and (was_left_open or _is_due(connection, now))
        if is_due:
            connect.must_be_whole(connection, path)
        migrate(connection, schema)
        if is_due or version == 0:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('checked_at', ?)", (to_text(now),))
    except BaseException:
        connection.close()
        raise
    return connection, version == 0


def _if_ready(path: Path, schema: Schema) -> sqlite3.Connection | None:
    """Return a connection if the file needs no preparation, else None."""
    if connect.is_missing(path):
        return None
    connection = connect.connect_to_write(path)
    try:
        if usable_version(connection, path, schema) == schema.version:
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _connection_to_read(
    path: Path, place: DatabaseFile, schema: Schema, now: datetime
) -> tuple[sqlite3.Connection | None, tuple[str, ...]]:
    connection = connect.connect_to_read(path)
    try:
        version = usable_version(connection, path, schema)
        if version == schema.version:
            _must_have_tables(connection, path, schema)
            return connection, ()
    except BaseException:
        connection.close()
        raise
    connection.close()
    if version == 0:
        return None, ()
    opened = open_to_write(place, schema, now)
    opened.connection.close()
    opened.lock.release()
    return connect.connect_to_read(place.path), opened.warnings


def _must_have_tables(connection: sqlite3.Connection, path: Path, schema: Schema) -> None:
    if missing := missing_tables(connection, schema):
        raise DamagedError(f"{path}: the database is damaged: no table {missing[0]}")


def _is_due(connection: sqlite3.Connection, now: datetime) -> bool:
    row = connection.execute("SELECT value FROM meta WHERE name = 'checked_at'").fetchone()
    try:
        return row is None or not timedelta(0) <= now - from_text(row[0]) < CHECK_EVERY
    except ValueError:
        return True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _place_to_read(place: DatabaseFile, schema: Schema) -> tuple[Path, tuple[str, ...]]:
    """Return the file to read, that of the earlier name where it could not be renamed, and warnings."""
    path, earlier = place
    if earlier is None or connect.is_missing(earlier) or not connect.is_missing(path):
        return path, _unused(place)
    if _is_renamed(place, schema) or not connect.is_missing(path):
        return path, ()
    return earlier, (f"{earlier}: read under its old name: it could not be renamed to {path.name}",)


def _is_renamed(place: DatabaseFile, schema: Schema) -> bool:
    """Rename the file of the earlier name for a reader: without waiting, and only if it is whole."""
    try:
        connect.must_be_roots(place.path)
        lock = UseLock(place.path)
    except StateError:
        return False
    try:
        return lock.take(alone=True) and rename_earlier(place, schema)
    except MailmonError:  # reading the file brings up what is wrong with it
        return False
    finally:
        lock.release()


def _unused(place: DatabaseFile) -> tuple[str, ...]:
    if place.earlier is None or connect.is_missing(place.earlier):
        return ()
    return (f"{place.earlier}: ignored because {place.path.name} exists; delete it if it is not needed",)

"""Is the history fit for use? It is begun, checked, set aside where it is damaged, and brought to this version.

Who writes holds a shared lock as long as it is open; who sets a file aside holds it alone. So nobody goes on writing
into a file that was moved away, and a log that is left behind while one is alone is that of a run that was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.errors import LockHeldError, StateError
from mailmon.store.bouncelog.schema import VERSION, is_foreign, migrate, version_of
from mailmon.store.files import make_directory
from mailmon.store.sqlite import connect
from mailmon.store.sqlite.connect import DamagedError, told
from mailmon.store.sqlite.times import from_text, to_text

WAIT_S = 10.0
PAUSE_S = 0.05
CHECK_EVERY = timedelta(days=1)


class Opened(NamedTuple):
    """A connection for one thread, the lock that goes with it, and what has to be said."""

    connection: sqlite3.Connection
    lock: UseLock
    warnings: tuple[str, ...]


class UseLock:
    """Who uses the history for writing: several together, or one alone. The kernel frees the lock of a dead process."""

    def __init__(self, path: Path) -> None:
        # A file of its own: what closes the database's file drops the locks that SQLite holds on it.
        self._path = path.with_name(f"{path.name}.lock")
        try:
            self._descriptor = safe.open_regular(self._path, os.O_RDWR, 0o600)
        except OSError as exc:
            raise StateError(
                f"{self._path}: cannot be opened: {exc.strerror}",
                "Run as the user that owns the state directory, or set state_file.",
            ) from exc

    def take(self, *, alone: bool) -> bool:
        """Take the lock, or change it, if that is possible at once. A failed change may have lost it."""
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def open_to_write(path: Path, now: datetime) -> Opened:
    """Open the history, a new one where there is none or a damaged one. Raises StateError, LockHeldError."""
    make_directory(path.parent)
    connect.must_be_roots(path)
    lock = UseLock(path)
    try:
        return _opened(path, now, lock)
    except BaseException:
        lock.release()
        raise


def open_to_read(path: Path, now: datetime) -> sqlite3.Connection | None:
    """Open the history without changing it, None where there is none yet. Raises StateError, DamagedError.

    A file of an earlier version is brought to this one first, which needs the right to write it.
    """
    with told(path):
        if connect.is_missing(path):
            return None
        connection = connect.connect_to_read(path)
        try:
            version = _usable_version(connection, path)
            if version == VERSION:
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        if version == 0:
            return None
        opened = open_to_write(path, now)
        opened.connection.close()
        opened.lock.release()
        return connect.connect_to_read(path)


def set_aside(path: Path, now: datetime) -> str:
    """Rename a database with its log, and return the new name. Raises StateError. The caller is alone with it."""
    stem = f"{path.name}.set-aside-{now:%Y%m%dT%H%M%SZ}"
    names = (stem, *(f"{stem}.{number}" for number in range(1, 1000)))
    name = next(name for name in names if not os.path.lexists(path.with_name(name)))
    try:
        # The log first: were it left behind, it could be taken for that of the new file.
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(path.with_name(name + suffix))
    except OSError as exc:
        raise StateError(f"{path}: the history is damaged, and cannot be set aside: {exc.strerror}") from exc
    return name


def _opened(path: Path, now: datetime, lock: UseLock) -> Opened:
    end_s = time.monotonic() + WAIT_S
    warnings: tuple[str, ...] = ()
    while True:
        connection = None
        with told(path):
            if lock.take(alone=True):
                connection, said = _prepared(path, now)
                warnings += said
            elif lock.take(alone=False):
                connection = _if_ready(path)
        if connection is not None:
            # Changing the lock lets another one in for a moment: what it set aside is not what we are connected to.
            before = _identity(path)
            if lock.take(alone=False) and _identity(path) == before:
                return Opened(connection, lock, warnings)
            connection.close()
        if time.monotonic() > end_s:
            raise LockHeldError(f"another process holds {path}", "Wait for it, and try again.")
        time.sleep(PAUSE_S)


def _prepared(path: Path, now: datetime) -> tuple[sqlite3.Connection, tuple[str, ...]]:
    """Return a connection to a file that is whole and of this version; the caller is alone with it."""
    was_left_open = connect.wal_bytes(path) > 0
    is_new = connect.create_where_missing(path)
    try:
        with told(path):
            connection, is_empty = _checked(path, now, was_left_open=was_left_open)
        warning = f"{path}: the file was empty, and a new history is begun: all folders are read again"
        return connection, (warning,) if is_empty and not is_new else ()
    except DamagedError as exc:
        name = set_aside(path, now)
        connect.create_where_missing(path)
        warning = f"{exc.message}; set aside as {name}, and a new one is begun: all folders are read again"
        return _checked(path, now, was_left_open=False)[0], (warning,)


def _checked(path: Path, now: datetime, *, was_left_open: bool) -> tuple[sqlite3.Connection, bool]:
    """Return a connection, and whether there was nothing in the file."""
    connection = connect.connect_to_write(path)
    try:
        version = _usable_version(connection, path)
        is_due = version > 0 and (was_left_open or _is_due(connection, now))
        if is_due:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise DamagedError(f"{path}: the history is damaged: {said.splitlines()[-1][:200]}")
        migrate(connection)
        if is_due or version == 0:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('checked_at', ?)", (to_text(now),))
    except BaseException:
        connection.close()
        raise
    return connection, version == 0


def _if_ready(path: Path) -> sqlite3.Connection | None:
    """Return a connection where whoever else uses the file has left nothing to do."""
    if connect.is_missing(path):
        return None
    connection = connect.connect_to_write(path)
    try:
        if _usable_version(connection, path) == VERSION:
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def _usable_version(connection: sqlite3.Connection, path: Path) -> int:
    version = version_of(connection)
    if is_foreign(connection):
        raise StateError(f"{path}: this is a database of something else", "Move it away.")
    if version > VERSION:
        raise StateError(
            f"{path}: written by a newer mailmon: layout {version}, and this one knows {VERSION}",
            "Update mailmon, or move the file away to begin a new one.",
        )
    if version < 0:
        raise DamagedError(f"{path}: the history is damaged: layout {version}")
    return version


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

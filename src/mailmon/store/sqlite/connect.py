"""Connections to SQLite files, for writing durably or for reading only, and their errors."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailmon import safe
from mailmon.errors import LockHeldError, MailmonError, StateError

BUSY_S = 10.0
WAL_LIMIT_BYTES = 8 * 1024 * 1024
CACHE_KIB = 8 * 1024
_SETTINGS = (
    # A message may be moved once it is recorded: FULL syncs the log with every commit, NORMAL does not.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    # Overwrite what retention removes: it is personal data.
    "PRAGMA secure_delete = ON",
    f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_MEANINGS = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Free some space; the next run continues where this one stopped."),
    sqlite3.SQLITE_READONLY: (
        "not writable",
        "Run as the user that owns it, on a writable file system.",
    ),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "Run as the user that owns the state directory."),
    sqlite3.SQLITE_PERM: ("permission denied", "Run as the user that owns the state directory."),
    sqlite3.SQLITE_IOERR: ("disk I/O error", "Check the disk and the kernel's log."),
}


class DamagedError(StateError):
    """The file is not a database, or its structure is broken."""


@contextmanager
def our_errors(path: Path) -> Iterator[None]:
    """Turn exceptions of SQLite into DamagedError, LockHeldError or StateError; let ours pass."""
    try:
        yield
    except sqlite3.Error as exc:
        raise error_of(path, exc) from exc


def error_of(path: Path, exc: sqlite3.Error) -> MailmonError:
    """Return what an exception of SQLite means."""
    # The low byte is the kind; text that is not UTF-8 has no code, and is damage too.
    code = getattr(exc, "sqlite_errorcode", -1)
    kind = code & 0xFF if code >= 0 else -1
    if kind in _DAMAGED or (code < 0 and "UTF-8" in str(exc)):
        return DamagedError(f"{path}: the database is damaged: {exc}")
    if kind in _BUSY:
        return LockHeldError(f"another process holds {path}", "Wait for it, then try again.")
    what, advice = _MEANINGS.get(kind, ("SQLite error", "Please report this line."))
    return StateError(f"{path}: {what}: {exc}", advice)


def create_where_missing(path: Path) -> bool:
    """Create an empty file of mode 0600 with the directory's owner; return whether it was missing. Raises StateError.

    What exists is never opened here: closing it would take the locks away that SQLite holds in this process.
    """
    try:
        directory = safe.open_directory(path.parent, os.O_RDONLY)
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path.name, flags, 0o600, dir_fd=directory)
            try:
                safe.give_to_owner(directory, descriptor)
            finally:
                os.close(descriptor)
            os.fsync(directory)
        finally:
            os.close(directory)
    except FileExistsError:
        return False
    except OSError as exc:
        raise StateError(
            f"{path}: cannot be created: {exc.strerror}",
            "Run as the user that owns the state directory, or set state_file.",
        ) from exc
    return True


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Connect to a file that exists. Raises sqlite3.Error, StateError where it is no regular file."""
    _must_be_a_file(path)
    connection = _connect(path, "rw")
    try:
        if not path.stat().st_size:  # later it would have no effect, but would be written each time
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        for setting in _SETTINGS:
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect to a file that exists and change nothing. Raises sqlite3.Error, StateError where it may not be read."""
    _must_be_a_file(path)
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise StateError(f"{path}: cannot be read: Permission denied", "Run as the user that owns it.")
    connection = _connect(path, "ro")
    try:
        connection.execute("PRAGMA user_version")
    except sqlite3.OperationalError as exc:
        connection.close()
        # In a directory that cannot be written the log cannot be shared; without one there is nothing to miss.
        if exc.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY) or wal_bytes(path):
            raise
        connection = _connect(path, "ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_merge(path: Path) -> sqlite3.Connection:
    """Connect to a file that exists to write its log back into it, without waiting for others. Raises as above."""
    _must_be_a_file(path)
    return _connect(path, "rw", busy_s=0.0)


def must_be_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Check the structure of a database. Raises DamagedError, sqlite3.Error."""
    result = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if result != "ok":
        raise DamagedError(f"{path}: the database is damaged: {result.splitlines()[-1][:200]}")


def is_missing(path: Path) -> bool:
    """Return whether no file has that name. Raises StateError where that cannot be known."""
    try:
        path.lstat()
    except FileNotFoundError:
        return True
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    return False


def wal_bytes(path: Path) -> int:
    """Return the size of the log of a database, 0 where there is none: what a clean end leaves."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except OSError:
        return 0


def _connect(path: Path, mode: str, busy_s: float = BUSY_S) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=busy_s, isolation_level=None)


def _must_be_a_file(path: Path) -> None:
    """Check that the database and its side files are regular and have one name, and as root that they are root's.

    SQLite opens them by path, and a rollback journal makes it write pages, and delete the file that it names. This one
    has a log instead, so that a journal is only left by a run that was killed while the file was created.
    """
    try:
        must_be_roots(path)
        for suffix in ("", "-wal", "-shm", "-journal"):
            try:
                status = path.with_name(path.name + suffix).lstat()
            except FileNotFoundError:
                if not suffix:
                    raise
                continue
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                what = "not a regular file" if not stat.S_ISREG(status.st_mode) else "it has a second hard link"
                raise StateError(f"{path}{suffix}: {what}", "Move it away.")
            if os.geteuid() == 0 and status.st_uid != 0:
                raise StateError(f"{path}{suffix}: it does not belong to root", "Move it away, or chown it.")
    except OSError as exc:
        raise _unreadable(path, exc) from exc


def must_be_roots(path: Path) -> None:
    """As root, check that no other user can write to the directory. Raises StateError."""
    if os.geteuid() != 0:
        return
    try:
        way = safe.follow(path.parent / "any", safe.ROOT, to_others=True)
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    os.close(way.directory)
    if way.others not in (None, safe.ANYBODY):
        raise StateError(
            f"{path}: not opened as root, because another user can change what lies in {way.place}",
            "Run as the user that owns it.",
        )


def _unreadable(path: Path, exc: OSError) -> StateError:
    return StateError(f"{path}: cannot be read: {exc.strerror}", "Run as the user that owns it.")

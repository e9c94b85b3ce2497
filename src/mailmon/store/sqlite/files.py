"""The files of a database as a whole: locked, renamed from an earlier name, and set aside where they are damaged.

Who writes holds a shared lock while the file is open; who sets it aside or renames it holds the lock alone. So nobody
goes on writing to a file that was moved away, and a log that lies there while one is alone was left by a killed run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.errors import LockHeldError, StateError
from mailmon.store.sqlite import connect
from mailmon.store.sqlite.connect import DamagedError, our_errors
from mailmon.store.sqlite.schema import Schema, is_foreign, usable_version


class DatabaseFile(NamedTuple):
    """Where a database lies, and the name that it had in earlier versions of mailmon, None where it had no other."""

    path: Path
    earlier: Path | None = None


class UseLock:
    """The lock of those who write to a database: shared, or held alone. The kernel frees the lock of a dead process."""

    def __init__(self, path: Path) -> None:
        # A separate file: closing the database's own file would drop the locks that SQLite holds on it.
        self._path = lock_of(path)
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


def lock_of(path: Path) -> Path:
    """Return the lock file of a database."""
    return path.with_name(f"{path.name}.lock")


def set_aside(path: Path, now: datetime) -> str:
    """Rename a database with its log, and return the new name. Raises StateError. The caller holds its lock alone."""
    stem = f"{path.name}.set-aside-{now:%Y%m%dT%H%M%SZ}"
    names = (stem, *(f"{stem}.{number}" for number in range(1, 1000)))
    name = next(name for name in names if not os.path.lexists(path.with_name(name)))
    try:
        # The log first: were it left behind, it could be taken for that of the new file.
        for suffix in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + suffix).rename(path.with_name(name + suffix))
    except OSError as exc:
        raise StateError(f"{path}: the database is damaged and cannot be set aside: {exc.strerror}") from exc
    return name


def replaced(exc: DamagedError, name: str, schema: Schema) -> str:
    """Return the warning that a damaged database was set aside under a name, and what that means."""
    return f"{exc.message}; set aside as {name}, started a new one: {schema.lost}"


def take_over(place: DatabaseFile, schema: Schema, now: datetime) -> tuple[str, ...] | None:
    """Rename the file of the earlier name, or set it aside where it is damaged; return warnings.

    Returns None while another process uses that file. The caller holds the lock of the new file alone.
    Raises StateError.
    """
    try:
        return () if rename_earlier(place, schema) else None
    except DamagedError as exc:
        assert place.earlier is not None
        lock = UseLock(place.earlier)
        try:
            if not lock.take(alone=True):
                return None
            warning = replaced(exc, set_aside(place.earlier, now), schema)
        finally:
            lock.release()
        _remove_locks(place.earlier)
        return (warning,)


def rename_earlier(place: DatabaseFile, schema: Schema) -> bool:
    """Rename the file of the earlier name; return False while another process uses it.

    Nothing is done where there is none, where the new name is taken, or with a database of another program. The caller
    holds the lock of the new file alone. Raises StateError, DamagedError; then all data is where it was.
    """
    path, earlier = place
    if earlier is None:
        return True
    if connect.is_missing(earlier):
        _remove_locks(earlier)  # where a run was killed before it did that
        return True
    if not connect.is_missing(path):
        return True
    lock = UseLock(earlier)
    try:
        if not lock.take(alone=True):
            return False
        try:
            is_ours = _merge_log(earlier, schema)
        except LockHeldError:
            return False
        if is_ours:
            _rename(earlier, path)
    finally:
        lock.release()
    _remove_locks(earlier)
    return True


def _merge_log(path: Path, schema: Schema) -> bool:
    """Write the log of a database back into it, so that it is one file; return False for one of another program.

    Raises LockHeldError where a process has it open, and what is wrong with it.
    """
    with our_errors(path):
        connection = connect.connect_to_merge(path)
        try:
            if is_foreign(connection, schema):
                return False
            usable_version(connection, path, schema)
            connect.must_be_whole(connection, path)
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        finally:
            connection.close()
    if mode != "delete" or connect.wal_bytes(path):
        raise LockHeldError(f"another process holds {path}", "Wait for it, then try again.")
    return True


def _rename(earlier: Path, path: Path) -> None:
    try:
        directory = safe.open_directory(path.parent, os.O_RDONLY)
        try:
            os.rename(earlier.name, path.name, src_dir_fd=directory, dst_dir_fd=directory)
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as exc:
        raise StateError(
            f"{earlier}: cannot be renamed to {path.name}: {exc.strerror}", "Run as the user that owns the directory."
        ) from exc


def _remove_locks(path: Path) -> None:
    """Remove the lock files of a name that is no longer used, the database's own last: a kill before leaves it."""
    own = lock_of(path)
    if not own.exists():
        return
    with contextlib.suppress(OSError):
        for lock in (*path.parent.glob(f"{path.name}.*.lock"), own):
            lock.unlink(missing_ok=True)

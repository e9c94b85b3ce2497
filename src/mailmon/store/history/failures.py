"""What does it mean when SQLite refuses? One clear error each, never its own exception."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailmon.errors import LockHeldError, MailmonError, StateError

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_SAID = {
    sqlite3.SQLITE_FULL: ("the disk is full", "Make room; the next run goes on where this one stopped."),
    sqlite3.SQLITE_READONLY: (
        "it cannot be written",
        "Run as the user that owns it, on a file system that is writable.",
    ),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", "Run as the user that owns the state directory."),
    sqlite3.SQLITE_PERM: ("permission denied", "Run as the user that owns the state directory."),
    sqlite3.SQLITE_IOERR: ("the disk could not read or write it", "Look at the disk and at the kernel's log."),
}


class DamagedError(StateError):
    """The file is no database, or one that makes no sense."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite raises into DamagedError, LockHeldError or StateError; ours pass."""
    try:
        yield
    except sqlite3.Error as exc:
        raise error_of(path, exc) from exc


def error_of(path: Path, exc: sqlite3.Error) -> MailmonError:
    """Return what an exception of SQLite means."""
    # The low byte is the kind; text that is no UTF-8 has no code at all, and is damage too.
    code = getattr(exc, "sqlite_errorcode", -1)
    kind = code & 0xFF if code >= 0 else -1
    if kind in _DAMAGED or (code < 0 and "UTF-8" in str(exc)):
        return DamagedError(f"{path}: the history is damaged: {exc}")
    if kind in _BUSY:
        return LockHeldError(f"another process holds {path}", "Wait for it, and try again.")
    said, advice = _SAID.get(kind, ("SQLite refused", "Please report it with this line."))
    return StateError(f"{path}: {said}: {exc}", advice)

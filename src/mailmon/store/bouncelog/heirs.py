"""The record of bounces of a state that several configurations had in common: a copy for one, of its own accounts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from mailmon.errors import StateError
from mailmon.store.bouncelog.log import file_of, is_there
from mailmon.store.bouncelog.schema import SCHEMA
from mailmon.store.sqlite.connect import our_errors
from mailmon.store.sqlite.opening import open_to_write

TAKEN = "taken over by another configuration"


def hand_down(shared: Path, state_file: Path, accounts: Collection[str], now: datetime) -> None:
    """Copy what is recorded of some accounts; notices that wait are the copy's from then on. Raises StateError.

    May be done again when it was interrupted.
    """
    source, target = file_of(shared), file_of(state_file).path
    if not is_there(shared) or not accounts:
        return
    opened = open_to_write(source, SCHEMA, now)
    try:
        with our_errors(source.path):
            if not is_there(state_file):
                _copy(opened.connection, target, accounts)
            where = "status = 'waiting' AND message_id IN (SELECT id FROM messages WHERE folder_id IN (%s))"
            opened.connection.execute(
                f"UPDATE notices SET status = 'dead', error = ? WHERE {where % _folders(accounts)}",  # noqa: S608
                (TAKEN, *accounts),
            )
    except OSError as exc:
        raise StateError(f"{target}: cannot be written: {exc.strerror}") from exc
    finally:
        opened.connection.close()
        opened.lock.release()


def _copy(connection: sqlite3.Connection, target: Path, accounts: Collection[str]) -> None:
    half = target.with_name(f"{target.name}.tmp")
    with contextlib.suppress(FileNotFoundError):
        half.unlink()
    os.close(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
    copy = sqlite3.connect(half, isolation_level=None)
    try:
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        messages = f"SELECT id FROM messages WHERE folder_id NOT IN ({_folders(accounts)})"  # noqa: S608 -- ours
        for statement in (
            f"DELETE FROM notices WHERE message_id IN ({messages})",  # noqa: S608
            f"DELETE FROM recipients WHERE message_id IN ({messages})",  # noqa: S608
            f"DELETE FROM messages WHERE folder_id NOT IN ({_folders(accounts)})",  # noqa: S608
            f"DELETE FROM folders WHERE id NOT IN ({_folders(accounts)})",  # noqa: S608
        ):
            copy.execute(statement, tuple(accounts))
    finally:
        copy.close()
    descriptor = os.open(half, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    half.rename(target)


def _folders(accounts: Collection[str]) -> str:
    return f"SELECT id FROM folders WHERE account IN ({', '.join('?' * len(accounts))})"  # noqa: S608 -- question marks

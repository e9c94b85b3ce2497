"""The queue of notices about bounces: waiting, sent, or given up.

A notice is begun before it is sent and ended afterwards: one that was killed in between is sent again, with the same
Message-ID.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from mailmon.model.bounces import Notice
from mailmon.store.sqlite.schema import from_text, to_text

MAX_ERROR = 500
_COLUMNS = "id, message_id, recipient, status, attempts, created_at, next_at, done_at, error"
FIRST_S, LONGEST_S = 300.0, 21600.0
# About two days in all.
MAX_ATTEMPTS = 13


def add(connection: sqlite3.Connection, message: int, recipients: Iterable[str], now: datetime) -> None:
    """Queue a notice about a message to some addresses, unless it is queued already. In a transaction."""
    at = to_text(now)
    connection.executemany(
        "INSERT OR IGNORE INTO notices (message_id, recipient, status, attempts, created_at, next_at, error)"
        " VALUES (?, ?, 'waiting', 0, ?, ?, '')",
        [(message, recipient, at, at) for recipient in recipients],
    )


def due(connection: sqlite3.Connection, now: datetime, limit: int) -> list[Notice]:
    """Return the notices that are due, oldest first."""
    where = "status = 'waiting' AND next_at <= ? ORDER BY next_at, id LIMIT ?"
    return _read(connection, where, (to_text(now), limit))


def sent_since(connection: sqlite3.Connection, since: datetime) -> int:
    """Return how many were sent since then."""
    query = "SELECT count(*) FROM notices WHERE status = 'sent' AND done_at >= ?"
    return int(connection.execute(query, (to_text(since),)).fetchone()[0])


def begin(connection: sqlite3.Connection, notice: Notice, now: datetime) -> None:
    """Note an attempt before it is made; the next one is set as if it failed."""
    pause = pause_s(notice.attempts + 1)
    next_at = now + timedelta(seconds=pause if pause is not None else 0.0)
    query = "UPDATE notices SET attempts = attempts + 1, next_at = ? WHERE id = ?"
    connection.execute(query, (to_text(next_at), notice.id))


def end(
    connection: sqlite3.Connection, notice: Notice, now: datetime, error: str = "", *, is_final: bool = False
) -> None:
    """Record the result of an attempt: sent without an `error`, dead after a final or the last one, else waiting."""
    is_dead = bool(error) and (is_final or pause_s(notice.attempts + 1) is None)
    status = "dead" if is_dead else "waiting" if error else "sent"
    done_at = None if status == "waiting" else to_text(now)
    query = "UPDATE notices SET status = ?, done_at = ?, error = ? WHERE id = ?"
    connection.execute(query, (status, done_at, error[:MAX_ERROR], notice.id))


def listed(connection: sqlite3.Connection, limit: int) -> list[Notice]:
    """Return the latest notices, waiting and dead ones first."""
    return _read(connection, "1 ORDER BY status = 'sent', id DESC LIMIT ?", (limit,))


def retry(connection: sqlite3.Connection, ids: Sequence[int], now: datetime) -> int:
    """Retry notices at once: those named, or all waiting and dead ones; return how many."""
    where = f"AND id IN ({', '.join('?' * len(ids))})" if ids else ""
    query = f"""
        UPDATE notices SET status = 'waiting', attempts = 0, next_at = ?, done_at = NULL WHERE status <> 'sent' {where}
    """  # noqa: S608 -- only question marks are put in
    return connection.execute(query, (to_text(now), *ids)).rowcount


def pause_s(attempts: int) -> float | None:
    """Return the seconds until the next attempt, None after the last one.

    >>> [pause_s(number) for number in (1, 2, 3, 8, 12, 13)]
    [300.0, 600.0, 1200.0, 21600.0, 21600.0, None]
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return float(min(FIRST_S * 2 ** min(max(attempts, 1) - 1, 20), LONGEST_S))


def _read(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Notice]:
    found = connection.execute(f"SELECT {_COLUMNS} FROM notices WHERE {where}", values)  # noqa: S608 -- ours
    return [_notice(row) for row in found]


def _notice(row: tuple[Any, ...]) -> Notice:
    *head, created_at, next_at, done_at, error = row
    times = (from_text(created_at), from_text(next_at), from_text(done_at) if done_at else None)
    return Notice._make((*head, *times, error))

"""What is forgotten? Messages that were recorded long ago; a bounded number a run."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from mailmon.store.sqlite.times import to_text

KEEP_DAYS = 400
MAX_A_RUN = 5000
MAX_PAGES = 2000


def prune(connection: sqlite3.Connection, now: datetime, keep_days: int = KEEP_DAYS, limit: int = MAX_A_RUN) -> int:
    """Remove at most `limit` messages recorded more than so many days ago, with their recipients; return how many.

    The space is given back to the file system, a bounded part of it. Raises sqlite3.Error.
    """
    try:
        before = to_text(now - timedelta(days=keep_days))
    except OverflowError:
        return 0
    query = "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE seen_at < ? ORDER BY seen_at LIMIT ?)"
    removed = connection.execute(query, (before, limit)).rowcount
    if connection.execute("PRAGMA freelist_count").fetchone()[0]:
        # A step frees a page: `execute` would make one, and fetching from it does not make another.
        connection.executescript(f"PRAGMA incremental_vacuum({MAX_PAGES})")
    return removed

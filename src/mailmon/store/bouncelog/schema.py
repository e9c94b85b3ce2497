"""How is the history laid out, and how does a file of an earlier version become one of this version?

Times are ISO 8601 in UTC with milliseconds and Z, so that text compares as time does. SQLite 3.34 is enough.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

# Tells a history from any other database: "mmhi".
APPLICATION_ID = 0x6D6D6869

_FIRST = (
    f"PRAGMA application_id = {APPLICATION_ID}",
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    # How far a folder was read; the UIDs up to last_uid are in messages.
    """
    CREATE TABLE folders (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        folder TEXT NOT NULL,
        uidvalidity INTEGER NOT NULL,
        last_uid INTEGER NOT NULL,
        scanned_at TEXT NOT NULL,
        UNIQUE (account, folder)
    )
    """,
    # AUTOINCREMENT: an id that somebody wrote down never comes to mean another message.
    """
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        folder_id INTEGER NOT NULL REFERENCES folders (id),
        uidvalidity INTEGER NOT NULL,
        uid INTEGER,
        message_id TEXT NOT NULL,
        digest BLOB NOT NULL,
        received_at TEXT NOT NULL,
        seen_at TEXT NOT NULL,
        run_id TEXT NOT NULL,
        kind TEXT NOT NULL,
        form TEXT NOT NULL,
        feedback_type TEXT NOT NULL,
        original_message_id TEXT NOT NULL,
        original_subject TEXT NOT NULL,
        original_from TEXT NOT NULL,
        original_to TEXT NOT NULL,
        original_cc TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('processed', 'skipped', 'problem')),
        problem TEXT NOT NULL,
        UNIQUE (folder_id, uidvalidity, uid)
    )
    """,
    "CREATE INDEX messages_by_digest ON messages (folder_id, digest)",
    "CREATE INDEX messages_by_received_at ON messages (received_at)",
    "CREATE INDEX messages_by_seen_at ON messages (seen_at)",
    """
    CREATE TABLE recipients (
        id INTEGER PRIMARY KEY,
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        address TEXT NOT NULL,
        domain TEXT NOT NULL,
        status TEXT NOT NULL,
        action TEXT NOT NULL,
        reason TEXT NOT NULL,
        is_hard INTEGER NOT NULL CHECK (is_hard IN (0, 1)),
        diagnostic TEXT NOT NULL,
        reporting_mta TEXT NOT NULL,
        remote_mta TEXT NOT NULL
    )
    """,
    "CREATE INDEX recipients_by_message ON recipients (message_id)",
)
_NOTICES = (
    """
    CREATE TABLE notices (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        recipient TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('waiting', 'sent', 'dead')),
        attempts INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        next_at TEXT NOT NULL,
        done_at TEXT,
        error TEXT NOT NULL,
        UNIQUE (message_id, recipient)
    )
    """,
    "CREATE INDEX notices_by_next_at ON notices (status, next_at)",
    "CREATE INDEX notices_by_done_at ON notices (done_at)",
)
# What shows that a notification is genuine (mail/bounce/provenance.py); nothing is known of those of earlier versions.
_EVIDENCE = ("ALTER TABLE messages ADD COLUMN evidence TEXT NOT NULL DEFAULT ''",)
# The address that was written to before the mail was forwarded.
_FORWARDED = ("ALTER TABLE recipients ADD COLUMN original_recipient TEXT NOT NULL DEFAULT ''",)
# A row a version: what is published is never changed, only added to.
MIGRATIONS: tuple[tuple[str, ...], ...] = (_FIRST, _NOTICES, _EVIDENCE, _FORWARDED)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring a database to the last version, a transaction for each; what is of that version is left alone.

    Raises sqlite3.Error; the database then has the version that was reached.
    """
    while (version := version_of(connection)) < len(migrations):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[version]:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the layout, 0 where there is none yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_foreign(connection: sqlite3.Connection) -> bool:
    """Say whether this is somebody else's database."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return False
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])

"""The schema of the bounce log."""

from __future__ import annotations

from mailmon.store.sqlite.schema import Expiry, Schema

_FIRST = (
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
SCHEMA = Schema(
    application_id=0x6D6D6869,  # "mmhi"
    migrations=(_FIRST, _NOTICES, _EVIDENCE, _FORWARDED),
    tables=frozenset({"folders", "messages", "recipients", "notices"}),
    lost="all folders will be read again",
    expiry=Expiry("messages", "seen_at"),
)

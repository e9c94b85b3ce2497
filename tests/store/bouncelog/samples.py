"""Messages as a scan would hand them to the bounce log."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailmon.mail.bounce.values import Classification, Form, Kind, Original, Recipient
from mailmon.store.bouncelog.log import file_of
from mailmon.store.bouncelog.writing import Folder, Outcome, Run, SeenMessage

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
INBOX = Folder("main", "INBOX", 7)
RUN = Run("run-1", NOON)
BOB = Recipient(
    "bob@example.org", "5.1.1", "failed", "userunknown", True,
    "smtp; 550 5.1.1 <bob@example.org>: no such user bob", "mail.example.net", "mx.example.org",
)  # fmt: skip
FULL = Recipient("carol@example.com", "4.2.2", "failed", "mailboxfull", False, "452 4.2.2 full", "", "mx.example.com")
ORIGINAL = Original("<1@example.net>", "Your order", "shop@example.net", ("bob@example.org",), ("boss@example.net",))
LATE = Recipient("dave@example.org", "4.4.1", "delayed", "networkerror", False)


def log_file(state_file: Path) -> Path:
    """Return the database of the bounce log that lies beside a state file."""
    return file_of(state_file).path


def seen(
    uid: int,
    *recipients: Recipient,
    kind: Kind = Kind.BOUNCE,
    raw: str | None = None,
    age: timedelta = HOUR,
    outcome: Outcome = Outcome.PROCESSED,
    original: Original = ORIGINAL,
) -> SeenMessage:
    """Return a message; its bytes are those of its UID unless `raw` says otherwise."""
    content = raw if raw is not None else f"message {uid}"
    form = Form.DSN if kind in (Kind.BOUNCE, Kind.DELAYED) else Form.NONE
    return SeenMessage(
        uid,
        f"<{content.replace(' ', '-')}@example.net>",
        hashlib.sha256(content.encode()).digest(),
        NOON - age,
        Classification(kind, form, recipients, original),
        outcome,
    )

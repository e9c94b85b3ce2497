"""An alert as a mail message (RFC 5322, RFC 3834)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mailmon import __version__
from mailmon.mail.message.write import alternative, encoded_words, harmless, html_page
from mailmon.mail.probe.probe import format_date
from mailmon.model import Alert, AlertKind

MAX_SUBJECT = 300

_MARKS = {
    AlertKind.PROBLEM: ("🚨", "#b02a37"),
    AlertKind.WARNING: ("⚠️", "#8a5a00"),
    AlertKind.RECOVERY: ("✅", "#146c43"),
    AlertKind.TEST: ("👋", "#0a58ca"),
    AlertKind.REPORT: ("📊", "#495057"),
}


class Envelope(NamedTuple):
    """Whose message it is: `scope` and `domain` make the message ids, the same ones whichever account sends."""

    sender: str
    recipients: Sequence[str]
    scope: str
    domain: str


def compose(alert: Alert, envelope: Envelope) -> bytes:
    """Return an alert as a message with CRLF line endings, in plain text and in HTML."""
    title, body = harmless(alert.title, one_line=True), harmless(alert.body)
    alert_id = re.sub(r"[^!-~]", "?", alert.id)[:200]
    mark, colour = _MARKS[alert.kind]
    boundary = f"=_mailmon_{_digest(envelope.scope, alert.id)}"
    headers = [
        f"From: mailmon <{envelope.sender}>",
        "To: " + ",\r\n ".join(envelope.recipients),
        f"Subject: {encoded_words(f'{mark} {title}'[:MAX_SUBJECT])}",
        f"Date: {format_date(alert.at)}",
        f"Message-ID: {message_id(alert.id, envelope)}",
        *_thread(alert, envelope),
        "Auto-Submitted: auto-generated",
        f"X-Mailmon-Alert-Id: {alert_id}",
        f"X-Mailer: mailmon {__version__}",
    ]
    footer = f"mailmon {__version__} · alert {alert_id}"
    paragraphs = [paragraph.split("\n") for paragraph in body.split("\n\n") if paragraph.strip()]
    page = html_page(title, paragraphs, footer, mark=mark, colour=colour)
    return alternative(headers, f"{body}\n\n-- \n{footer}\n", page, boundary)


def message_id(alert_id: str, envelope: Envelope) -> str:
    """Return the Message-ID of an alert on a channel, the same one at every repetition (RFC 5322 section 3.6.4)."""
    readable = re.sub(r"[^A-Za-z0-9-]", "-", alert_id)[:64]
    return f"<{readable}.{_digest(envelope.scope, alert_id)}@{envelope.domain}>"


def _thread(alert: Alert, envelope: Envelope) -> list[str]:
    """Put a recovery below its alert in the reader's mail program."""
    if not alert.thread or alert.thread == alert.id:
        return []
    answered = message_id(alert.thread, envelope)
    return [f"In-Reply-To: {answered}", f"References: {answered}"]


def _digest(scope: str, alert_id: str) -> str:
    from hashlib import sha256

    return sha256(f"{scope}\n{alert_id}".encode()).hexdigest()[:16]

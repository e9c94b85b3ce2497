"""How does an alert read as a mail message? (RFC 5322, MIME: RFC 2045 to 2047, RFC 3834)"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mailmon import __version__
from mailmon.mail.message.write import encoded_words, harmless, text_part
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

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:12px;font:16px/1.45 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<div style="max-width:640px;margin:0 auto;overflow-wrap:anywhere;word-break:break-word">
<h1 style="margin:0 0 16px;padding:12px 14px;border-radius:6px;background:{colour};color:#ffffff;\
font-size:19px;line-height:1.3">{mark} {title}</h1>
{paragraphs}
<p style="margin:20px 0 0;font-size:13px;opacity:.7">mailmon {version} · alert {alert_id}</p>
</div>
</body>
</html>
"""


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
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    text = f"{body}\n\n-- \nmailmon {__version__} · alert {alert_id}\n"
    page = _page(title, body, mark, colour, alert_id)
    parts = [text_part("plain", text), text_part("html", page)]
    marked = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return ("\r\n".join(headers) + f"\r\n\r\n{marked}--{boundary}--\r\n").encode("ascii")


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


def _page(title: str, body: str, mark: str, colour: str, alert_id: str) -> str:
    """Return the HTML: everything that came from elsewhere is escaped, nothing is fetched from anywhere."""
    from html import escape

    paragraphs = [
        '<p style="margin:0 0 14px">' + "<br>\n".join(map(escape, paragraph.split("\n"))) + "</p>"
        for paragraph in body.split("\n\n")
        if paragraph.strip()
    ]
    return _PAGE.format(
        title=escape(title),
        mark=mark,
        colour=colour,
        paragraphs="\n".join(paragraphs),
        version=__version__,
        alert_id=escape(alert_id),
    )

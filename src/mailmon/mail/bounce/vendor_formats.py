"""Notifications that are neither a DSN nor prose: JSON of Amazon SES, session reports of Postfix.

Each reader returns the content as DSN fields, or None.
"""

from __future__ import annotations

import json
import re
from typing import Any

from mailmon.mail.bounce.addresses import ADDRESS, first_address
from mailmon.mail.bounce.dsn import MAX_RECIPIENTS, Report, Reported

MAX_JSON_CHARS = 1 << 18

_ENVELOPE = re.compile(rf"(?:mail\s{{1,20}}from|rcpt\s{{1,20}}to):\s{{0,20}}<({ADDRESS})>", re.IGNORECASE)
_SESSION = "Transcript of session follows."
_UNFOLD = re.compile(r"\n[ \t]{4,}")


def read_json(text: str) -> tuple[str, Report] | None:
    """Return the kind ("bounce", "complaint", "delivery", ...) and the recipients of an Amazon SES notification."""
    begin = text[:200].lstrip()
    if not begin.startswith("{") or "mail" not in text[:MAX_JSON_CHARS]:
        return None
    try:
        document, _ = json.JSONDecoder(strict=False).raw_decode(text[:MAX_JSON_CHARS].lstrip())
        if isinstance(document.get("Message"), str):  # SNS wraps the notification in a document of its own
            document = json.loads(document["Message"], strict=False)
        kind = _text(document, "notificationType", "eventType").lower()
        about = document.get(kind)
        if not isinstance(about, dict) or not isinstance(document.get("mail"), dict):
            return None
        sender = first_address(_text(document["mail"], "source"))
        return kind, Report(_mta(about), sender, tuple(_recipients(about, kind)))
    except (ValueError, RecursionError, AttributeError, TypeError):
        return None


def is_session(text: str) -> bool:
    """Return whether Postfix reports a session to its postmaster; others use the same heading for a lost message."""
    return _SESSION in text and "\n Out: " in text


def read_session(text: str) -> Report | None:
    """Return the recipients of a session that Postfix reports to its postmaster, and its last reply.

    Only a session that reached DATA lost a message; a client that only probes addresses is no bounce (RFC 5321 section
    3.3).
    """
    lines = [line.strip() for line in _UNFOLD.sub(" ", text[:200_000]).split("\n")]
    start = next((number for number, line in enumerate(lines) if line == _SESSION), -1)
    if start < 0:
        return None
    said = lines[start:]
    data = next((number for number, line in enumerate(said) if line.startswith("In:") and line.endswith("DATA")), -1)
    refusal = next((line for line in said[data:] if line.startswith(("Out: 4", "Out: 5"))), "") if data > 0 else ""
    if not refusal:
        return None
    sender = ""
    recipients: list[Reported] = []
    for number, line in enumerate(said[:data]):
        match = _ENVELOPE.search(line[:2000]) if line.startswith("In:") else None
        if match and match[0].lower().startswith("mail"):
            sender = match[1]
        elif match and said[number + 1].startswith("Out: 2") and len(recipients) < MAX_RECIPIENTS:
            recipients.append(Reported(match[1], "failed", "", f"{refusal[5:]} (in reply to DATA)"))
    return Report("", sender, tuple(recipients)) if recipients else None


def _recipients(about: dict[str, Any], kind: str) -> list[Reported]:
    key = {"bounce": "bouncedRecipients", "complaint": "complainedRecipients", "deliverydelay": "delayedRecipients"}
    listed = about.get(key.get(kind, "recipients"), [])
    usual = {"bounce": "failed", "delivery": "delivered", "deliverydelay": "delayed"}.get(kind, "")
    found = []
    for entry in listed[:MAX_RECIPIENTS] if isinstance(listed, list) else []:
        fields = entry if isinstance(entry, dict) else {"emailAddress": str(entry)}
        diagnostic = _text(fields, "diagnosticCode") or _text(about, "smtpResponse")
        diagnostic = re.sub(r"^[\w-]{1,20};\s{0,9}", "", diagnostic)
        action = _text(fields, "action").lower() or usual
        found.append(
            Reported(first_address(_text(fields, "emailAddress")), action, _text(fields, "status"), diagnostic)
        )
    return found


def _mta(about: dict[str, Any]) -> str:
    return _text(about, "reportingMTA").rpartition(";")[2].strip()


def _text(fields: dict[str, Any], *names: str) -> str:
    return next((fields[name] for name in names if isinstance(fields.get(name), str)), "")

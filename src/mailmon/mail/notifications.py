"""A cheap test of headers for notifications, by sender and subject.

It uses the same table as the classifier (mail/bounce/), and imports nothing of it, so that a run without bounces need
not load it.
"""

from __future__ import annotations

import binascii
import re

from mailmon.mail.phrases import phrases

# Addresses of mailing list software (fml, Majordomo, Mailman).
LISTS = ("-admin@", "-owner@", "owner-", "-request@", "-bounces@", "majordomo@")
MAX_CHARS = 1000

# Compiled on first use: most headers have no encoded word.
_WORD = r"=\?([\w-]{1,40}+)(?:\*[\w-]{1,20}+)?\?([bqBQ])\?([^?\s]{0,200}+)\?="


def may_be_notification(fields: dict[str, list[str]]) -> bool:
    """Return whether a message may be a notification, by its header. Never raises.

    True for every message that the classifier could accept; other messages are not read.
    """
    if "report" in " ".join(fields.get("content-type", ()))[:MAX_CHARS].lower():
        return True
    if "x-failed-recipients" in fields or any(map(is_null, fields.get("return-path", ()))):
        return True
    if "auto-replied" in " ".join(fields.get("auto-submitted", ()))[:MAX_CHARS].lower():
        return True
    sender = _decoded(fields, "from")
    return sender in ("", "<>") or _holds_any(sender, "daemon") or _holds_any(_decoded(fields, "subject"), "subject")


def is_null(path: str) -> bool:
    """Return whether a return path is empty, including the form that Sendmail uses for local programs.

    >>> is_null("<>"), is_null("<MAILER-DAEMON@mx.example.org>"), is_null("<bob@example.org>")
    (True, True, False)
    """
    bare = path.replace(" ", "").lower()
    return bare == "<>" or bare.startswith(("<mailer-daemon@", "<mailer-daemon>"))


def _decoded(fields: dict[str, list[str]], name: str) -> str:
    """Return the first value of a field in lower case, encoded words decoded (RFC 2047)."""
    text = next(iter(fields.get(name, ())), "")[:MAX_CHARS]
    return (re.sub(_WORD, _word, text, flags=re.ASCII) if "=?" in text else text).lower().strip()


def _word(match: re.Match[str]) -> str:
    charset, kind, payload = match.groups()
    try:
        raw = payload.encode("ascii")
        octets = binascii.a2b_base64(raw) if kind in "bB" else binascii.a2b_qp(raw, header=True)
        return octets.decode(charset, "replace")
    except (ValueError, LookupError):
        return match[0]


def _holds_any(text: str, kind: str) -> bool:
    return any(phrase in text for phrase in phrases(kind))

"""Senders and subjects of notifications: a first look at a header that costs next to nothing.

The classifier (mail/bounce/) and the wait for a probe read the same table (mail/phrases.py); this module imports
nothing of the classifier, so that a quiet run need not load it.
"""

from __future__ import annotations

import binascii
import re

from mailmon.mail.phrases import phrases

# What parts the software of a mailing list from other senders (fml, Majordomo, Mailman).
LISTS = ("-admin@", "-owner@", "owner-", "-request@", "-bounces@", "majordomo@")
MAX_CHARS = 1000

# Compiled when the first one is met: most headers have none.
_WORD = r"=\?([\w-]{1,40}+)(?:\*[\w-]{1,20}+)?\?([bqBQ])\?([^?\s]{0,200}+)\?="


def may_be_notification(fields: dict[str, list[str]]) -> bool:
    """Say whether the header leaves it possible that a mail system reports on a message.

    At least what the classifier believes, and nothing that it needs a body for: who may not be one is not read.
    Never raises.
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
    """Say whether a return path is empty, also as Sendmail writes that for local programs.

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

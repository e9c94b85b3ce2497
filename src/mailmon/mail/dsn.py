"""Is this message a delivery status notification for one of our probes, and what does it say? (RFC 3464, RFC 6522)

Only what the wait for a probe needs: which token came back, was it given up or only delayed, and why.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import NamedTuple

from mailmon.mail.probe import TOKEN_HEADER, find_tokens, is_signed, read_headers
from mailmon.mail.text import visible

MAX_BYTES = 65536
MAX_RETURNED_PROBES = 5

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
# A 5yz reply in the prose of a notification that has no machine-readable part.
_PROSE_REPLY = re.compile(
    r"(?<![\d.:])(5(?:\d\d[ -]#?5\.\d{1,3}\.\d{1,3}\b|5[0-7][ -](?!bytes))[^\r\n]{0,200})", re.ASCII
)
_DIAGNOSTIC_TYPE = re.compile(r"[A-Za-z0-9-]{1,40}+[ \t]*;", re.ASCII)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_PROBE_HEADER = re.compile(r"^X-Mailmon-Token:", re.MULTILINE | re.IGNORECASE)


class Report(NamedTuple):
    """What a notification says. `has_failed` is false for "delayed, still trying"."""

    tokens: tuple[str, ...]
    has_failed: bool
    reason: str
    may_be_deleted: bool


def read_report(raw: bytes, key: bytes) -> Report | None:
    """Read the first MAX_BYTES of a message; return None when it reports nothing about a probe. Never raises.

    `may_be_deleted` is true only for a real multipart/report that returns the headers of a probe with our signature.
    """
    text = raw[:MAX_BYTES].decode("utf-8", errors="replace").replace("\r\n", "\n")
    tokens = find_tokens(text)
    head, _, body = text.partition("\n\n")
    if not tokens:
        return None
    content_type = " ".join(read_headers(head.encode()).get("content-type", ())).lower()
    status = _delivery_status(body)
    if status is None:
        match = _PROSE_REPLY.search(body)
        return Report(tokens, True, visible(match[1]), False) if match else None
    action = status.get("action", "failed").lower()
    if action not in ("failed", "delayed"):
        return None
    deletable = content_type.startswith("multipart/report") and action == "failed" and _returns_our_probe(body, key)
    return Report(tokens, action == "failed", _reason(status), deletable)


def returns_probe(raw: bytes, key: bytes) -> bool:
    """Say whether a message brings back the headers of a probe with our signature. Never raises."""
    if TOKEN_HEADER.lower().encode() not in raw[:MAX_BYTES].lower():
        return False
    return _returns_our_probe(raw[:MAX_BYTES].decode("utf-8", errors="replace").replace("\r\n", "\n"), key)


def _delivery_status(body: str) -> dict[str, str] | None:
    """Return the fields of the recipient block that failed, else of the first one (RFC 3464 section 2.3)."""
    blocks = []
    for block in _BLANK_LINE.split(body):
        fields = {name: values[0] for name, values in read_headers(block.lstrip().encode()).items()}
        if "action" in fields and ("status" in fields or "final-recipient" in fields):
            blocks.append(fields)
    return next((fields for fields in blocks if fields["action"].lower() == "failed"), blocks[0] if blocks else None)


def _reason(status: dict[str, str]) -> str:
    """Say the status and the diagnostic without saying the same code twice: `5.2.2 mailbox full`."""
    said = status.get("diagnostic-code", "")
    kind = _DIAGNOSTIC_TYPE.match(said)
    diagnostic = visible(said[kind.end() if kind else 0 :].strip(), 200)
    code = _STATUS.search(status.get("status", ""))
    if code and code[0] not in diagnostic:
        return f"{code[0]} {diagnostic}".strip()
    return diagnostic or "no reason given"


def _returns_our_probe(body: str, key: bytes) -> bool:
    """Say whether the returned part holds the headers of a probe that we signed (RFC 3464 section 2, third part)."""
    for match in islice(_PROBE_HEADER.finditer(body), MAX_RETURNED_PROBES):
        start = body.rfind("\n\n", 0, match.start()) + 2
        if is_signed(read_headers(body[start:].encode()), key):
            return True
    return False

"""Evidence that a returned message is one of ours: a DKIM signature of an own domain, or a copy in a sent folder.

The signature must cover the whole returned message; mail/auth/dkim.py defines which ones count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

from mailmon.mail.auth.dkim import IsSigned, usable_signatures
from mailmon.mail.bounce.original import RETURNED_TYPES, read_original, returned_headers
from mailmon.mail.bounce.values import Classification, Original
from mailmon.mail.message.header import first
from mailmon.mail.message.read import MAX_BYTES, Part, read_message

# The field of our notices, and the prefix of their Message-IDs: no notice is sent about the bounce of one.
NOTICE_HEADER, NOTICE_ID = "X-Mailmon-Notice", "mailmon-notice-"
_COMPLETE_TYPES = ("message/rfc822", "message/global")
_MARKED = NOTICE_HEADER.lower().encode()
_MARK = re.compile(rb"^[ \t>|]{0,8}" + re.escape(NOTICE_HEADER.encode()) + rb"[ \t]*:", re.IGNORECASE | re.MULTILINE)


class Evidence(NamedTuple):
    """Evidence about the returned message. `original_date` is its Date field, unverified."""

    is_verified: bool = False
    why_not: str = "nothing shows that the returned message is ours"
    is_own_notice: bool = False
    original_date: str = ""


def find_evidence(
    raw: bytes,
    found: Classification,
    domains: Collection[str],
    is_signed: IsSigned | None = None,
    is_sent: Callable[[Original], bool] | None = None,
) -> Evidence:
    """Find evidence that the message returned in `raw` is ours; `found` is the classification of `raw`.

    `domains` are our own: `d=` must equal one of them, a parent or a subdomain is not enough. `is_sent` tests whether
    the message is in the folder of sent mail. Both tests may be None; their exceptions are passed on.
    """
    message = read_message(raw)
    headers = returned_headers(message, "")
    original = read_original(headers, {}, "")
    is_notice = NOTICE_ID in f"{original.message_id} {found.original.message_id}" or _holds_mark(raw[:MAX_BYTES])
    evidence = Evidence(is_own_notice=is_notice, original_date=first(headers, "date")[:100])
    claimed = found.original
    if (original.message_id, original.cc, original.subject) != (claimed.message_id, claimed.cc, claimed.subject):
        return evidence._replace(why_not="it is not clear which message came back")
    if original.message_id and is_sent is not None and is_sent(original):
        return evidence._replace(is_verified=True, why_not="")
    part = next((part for part in message.parts if part.type in RETURNED_TYPES), None)
    if part is None or part.type not in _COMPLETE_TYPES or len(raw) > MAX_BYTES:
        return evidence._replace(why_not="the returned message is not complete, so its signature cannot be verified")
    returned = returned_message(part)
    wanted = {domain.lower().rstrip(".") for domain in domains}
    for number in usable_signatures(returned, wanted):
        if is_signed is not None and is_signed(returned, number):
            return evidence._replace(is_verified=True, why_not="")
    return evidence._replace(why_not="no DKIM signature of an own domain shows that the returned message is ours")


def _holds_mark(raw: bytes) -> bool:
    """Return whether the field of our notices occurs; the cheap test for its name comes first."""
    return _MARKED in raw.lower() and _MARK.search(raw) is not None


def returned_message(part: Part) -> bytes:
    """Return the message in a part as it was sent, with CRLF line ends; empty if it is encoded."""
    encoding = first(part.headers, "content-transfer-encoding").strip().lower()
    if encoding not in ("", "7bit", "8bit", "binary"):
        return b""
    return part.body.encode("latin-1").replace(b"\n", b"\r\n")

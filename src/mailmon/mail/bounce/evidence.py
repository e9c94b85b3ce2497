"""Is the message that came back really one of ours? (DKIM, RFC 6376)

Evidence is a DKIM signature of an own domain over the whole returned message, or a copy in a folder of sent mail.
The signature must cover each From, Cc and Subject field: else a stranger who got one mail of ours could add addresses
to it. What dkimpy lets pass is refused here before it is asked: SHA-1 (RFC 8301), `l=`, an `h=` without From, an `i=`
of a subdomain, keys that are for testing or for something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterator
from typing import NamedTuple

from mailmon.mail.bounce.message import MAX_BYTES, Headers, Part, first, read_head, read_message
from mailmon.mail.bounce.original import RETURNED_TYPES, read_original, returned_headers
from mailmon.mail.bounce.values import Classification, Original
from mailmon.mail.caps import read_section

# Says whether the n-th DKIM signature of a message (from 0) is good (clients/signatures.py).
IsSigned = Callable[[bytes, int], bool]

# What our own notices carry, and how their Message-IDs begin: a bounce of one must not make the next.
NOTICE_HEADER, NOTICE_ID = "X-Mailmon-Notice", "mailmon-notice-"
MAX_SIGNATURES = 5
# Less than is read of a header anywhere, so that no field escapes the count of those that are signed.
MAX_HEAD_CHARS = 100_000
# What dkimpy takes its time for: runs of white space, by their squared lengths, and lines.
MAX_BLANKS_SQUARED, MAX_LINES, MAX_SIGNED_BYTES = 3_000_000, 40_000, 1 << 19
COVERED = ("from", "cc", "subject")
_COMPLETE_TYPES = ("message/rfc822", "message/global")
_WHITE_SPACE = re.compile(r"\s{8,}+")
_BLANKS = re.compile(r" ++")
_MANY_BLANKS = " " * 8
_FIELD = re.compile(r"[!-9;-~]{1,100}:[^\n]*")
_MARKED = NOTICE_HEADER.lower().encode()
_MARK = re.compile(rb"^[ \t>|]{0,8}" + re.escape(NOTICE_HEADER.encode()) + rb"[ \t]*:", re.IGNORECASE | re.MULTILINE)
_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]{0,30})\s*=([^;]*)")


class Evidence(NamedTuple):
    """What is known of the returned message. `original_date` is its Date field, whoever wrote it."""

    is_verified: bool = False
    why_not: str = "nothing shows that the returned message is ours"
    is_own_notice: bool = False
    original_date: str = ""


def examine(
    raw: bytes,
    found: Classification,
    domains: Collection[str],
    is_signed: IsSigned | None = None,
    is_sent: Callable[[Original], bool] | None = None,
) -> Evidence:
    """Say whether the message that `raw` returns is ours; `found` is what the classifier made of `raw`.

    `domains` are the own ones: `d=` must equal one of them, a parent or a subdomain is not enough. `is_sent` says
    whether the message is among those sent from here. Both may be None where there is nobody to ask; what they raise
    passes.
    """
    message = read_message(raw)
    headers = returned_headers(message, "")
    original = read_original(headers, {}, "")
    is_notice = NOTICE_ID in f"{original.message_id} {found.original.message_id}" or _holds_mark(raw[:MAX_BYTES])
    evidence = Evidence(is_own_notice=is_notice, original_date=first(headers, "date")[:100])
    told = found.original
    if (original.message_id, original.cc, original.subject) != (told.message_id, told.cc, told.subject):
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
    """Say whether the field of our own notices stands there; where its name does not, no pattern need look for it."""
    return _MARKED in raw.lower() and _MARK.search(raw) is not None


def returned_message(part: Part) -> bytes:
    """Return the message in a part as it was sent, with CRLF line ends; empty where it is encoded."""
    encoding = first(part.headers, "content-transfer-encoding").strip().lower()
    if encoding not in ("", "7bit", "8bit", "binary"):
        return b""
    return part.body.encode("latin-1").replace(b"\n", b"\r\n")


def usable_signatures(returned: bytes, domains: Container[str], must_cover: Collection[str] = COVERED) -> Iterator[int]:
    """Yield which DKIM signatures of a message, from 0, would be evidence if they were good.

    They are of one of the domains, and cover each field that `must_cover` names.
    """
    if len(returned) > MAX_SIGNED_BYTES or returned.count(b"\n") > MAX_LINES:
        return
    text = returned.decode("latin-1").replace("\r\n", "\n")
    head, separator, body = text.partition("\n\n")
    lines = re.sub(r"\n[ \t]+", " ", head).split("\n")
    # Where a line is no field two programs may not agree on what the header is.
    if not separator or len(head) > MAX_HEAD_CHARS or not all(map(_FIELD.fullmatch, lines)):
        return
    if not read_section(head).is_whole or _is_slow(head, body):
        return
    headers, _ = read_head(f"{head}\n\n", 0)
    left_bytes = MAX_SIGNED_BYTES  # the time for all signatures together
    for number, value in enumerate(headers.get("dkim-signature", ())[:MAX_SIGNATURES]):
        if _is_usable(read_tags(value), headers, domains, must_cover):
            yield number
            left_bytes -= len(returned)
            if left_bytes < len(returned):
                return


def _is_slow(head: str, body: str) -> bool:
    """Say whether dkimpy would take long: its patterns are quadratic in each run of white space."""
    left = MAX_BLANKS_SQUARED - sum((match.end() - match.start()) ** 2 for match in _WHITE_SPACE.finditer(head))
    blank = body.replace("\t", " ")
    at = blank.find(_MANY_BLANKS)  # far faster than a pattern, and nearly all mail has few
    while at >= 0 and left >= 0 and (match := _BLANKS.match(blank, at)):
        left -= (match.end() - at) ** 2
        at = blank.find(_MANY_BLANKS, match.end())
    return left < 0


def is_usable_key(record: bytes) -> bool:
    """Say whether a key record is for mail, for SHA-256 and RSA, and not for testing (RFC 6376 section 3.6.1)."""
    tags = read_tags(record.decode("latin-1"))
    hashes = tags.get("h", "sha256").lower().replace(" ", "").split(":")
    services = tags.get("s", "*").lower().replace(" ", "").split(":")
    flags = tags.get("t", "").lower().replace(" ", "").split(":")
    return (
        bool(tags.get("p"))
        and tags.get("k", "rsa").lower() == "rsa"
        and "sha256" in hashes
        and bool({"*", "email"} & set(services))
        and "y" not in flags
    )


def read_tags(value: str) -> dict[str, str]:
    """Return the tags of a list, none where one stands twice (RFC 6376 section 3.2).

    >>> read_tags("v=1; d=example.org"), read_tags("d=a; d=b")
    ({'v': '1', 'd': 'example.org'}, {})
    """
    pairs = [(match[1], match[2].strip()) for piece in value.split(";") if (match := _TAG.fullmatch(piece))]
    return dict(pairs) if len({name for name, _ in pairs}) == len(pairs) else {}


def _is_usable(tags: dict[str, str], headers: Headers, domains: Container[str], must_cover: Collection[str]) -> bool:
    domain = tags.get("d", "").lower()
    covered = [name.strip().lower() for name in tags.get("h", "").split(":")]
    identity = tags.get("i", f"@{domain}").lower().rpartition("@")[2]
    return (
        domain in domains
        and identity == domain
        and tags.get("a", "").lower() == "rsa-sha256"
        and "l" not in tags
        and len(headers.get("from", ())) == 1
        and all(covered.count(name) >= len(headers.get(name, ())) for name in must_cover)
    )

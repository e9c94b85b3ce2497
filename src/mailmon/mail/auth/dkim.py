"""DKIM signatures that count as evidence, and the keys that may verify them (RFC 6376, RFC 8301).

A signature counts when it covers each From, Cc and Subject field: otherwise a stranger who received one of our messages
could add addresses to it. What dkimpy lets pass is refused here before it is asked: SHA-1 (RFC 8301), `l=`, an `h=`
without From, an `i=` of a subdomain, keys for testing or for something other than mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Container, Iterator

from mailmon.mail.caps import MAX_RECORD_CHARS
from mailmon.mail.message.header import Headers, read_head, read_section
from mailmon.mail.records.dkim import read_key
from mailmon.mail.records.tags import Mistake, read_tags

# Says whether the n-th DKIM signature of a message (from 0) is good (clients/signatures.py).
IsSigned = Callable[[bytes, int], bool]

MAX_SIGNATURES = 5
# Less than is read of a header anywhere, so that no field escapes the count of those that are signed.
MAX_HEAD_CHARS = 100_000
# What dkimpy is slow on: runs of white space, by their squared lengths, and lines.
MAX_BLANKS_SQUARED, MAX_LINES, MAX_SIGNED_BYTES = 3_000_000, 40_000, 1 << 19
COVERED = ("from", "cc", "subject")
_WHITE_SPACE = re.compile(r"\s{8,}+")
_BLANKS = re.compile(r" ++")
_MANY_BLANKS = " " * 8
_FIELD = re.compile(r"[!-9;-~]{1,100}:[^\n]*")


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
        if _is_usable(value, headers, domains, must_cover):
            yield number
            left_bytes -= len(returned)
            if left_bytes < len(returned):
                return


def is_usable_key(record: bytes) -> bool:
    """Return whether a key record is for mail, for SHA-256 and RSA, and not for testing (RFC 6376 section 3.6.1)."""
    try:
        key = read_key(record.decode("latin-1"))
    except Mistake:
        return False
    return key.kind == "rsa" and bool(key.data) and not key.is_testing and "sha256" in (key.hashes or ("sha256",))


def _is_slow(head: str, body: str) -> bool:
    """Return whether dkimpy would take long: its patterns are quadratic in each run of white space."""
    left = MAX_BLANKS_SQUARED - sum((match.end() - match.start()) ** 2 for match in _WHITE_SPACE.finditer(head))
    blank = body.replace("\t", " ")
    at = blank.find(_MANY_BLANKS)  # far faster than a pattern, and nearly all mail has few
    while at >= 0 and left >= 0 and (match := _BLANKS.match(blank, at)):
        left -= (match.end() - at) ** 2
        at = blank.find(_MANY_BLANKS, match.end())
    return left < 0


def _is_usable(value: str, headers: Headers, domains: Container[str], must_cover: Collection[str]) -> bool:
    read = read_tags(value)
    if read.repeated or len(value) > MAX_RECORD_CHARS:  # the list is invalid (section 3.2), or not read as a whole
        return False
    tags = read.values
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

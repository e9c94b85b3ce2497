"""Mail addresses in a text, found in linear time (RFC 5321 section 4.1.2, RFC 6531, RFC 6533)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

# Possessive, and started only at the beginning of a word: each character is examined a bounded number of times.
_LOCAL = r"[^\s<>()\[\]:;,\"\\@|\x00-\x1f：，；（）、。「」『』《》〈〉【】]"
_DOMAIN = r"[^\W_](?:[\w-]|\.(?=[\w]))*+"
ADDRESS = rf"(?:{_LOCAL}{{1,128}}+@{_DOMAIN}|\"[^\"@\n]{{1,64}}\"@{_DOMAIN})"
_FIND = re.compile(rf"(?<!{_LOCAL})({ADDRESS})")
_TYPE = re.compile(r"\s*[\w.-]{1,40}+\s*;\s*", re.ASCII)
_VERP = re.compile(
    r"(?:[^=+]{1,60}\+|[^=]{1,60}?-return-\d{1,10}-|[^=]{0,60}?-?bounces?-)([^=]{1,64})=((?:[\w-]{1,63}\.){1,10}[\w-]{2,63})",
    re.ASCII,
)
_EXTENDED = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")


def find_addresses(text: str) -> Iterator[str]:
    """Yield the addresses in a text in order, without surrounding quotes and marks.

    >>> list(find_addresses("to <bob@example.org>, 'ann@example.org'."))
    ['bob@example.org', 'ann@example.org']
    """
    for match in _FIND.finditer(text):
        yield _trim(match[1])


def first_address(text: str) -> str:
    """Return the first address in a text, or ""."""
    return next(find_addresses(text), "") if "@" in text else ""


def verp_recipient(headers: Mapping[str, list[str]]) -> str:
    """Return the recipient encoded in the sender's address: bounces+bob=example.org@lists.example.net.

    Variable Envelope Return Paths (ezmlm, Mailman, Postfix). Rewritten senders (SRS) look alike and name the sender.

    >>> verp_recipient({"to": ["bounces+bob=example.org@lists.example.net"]})
    'bob@example.org'
    """
    for name in ("to", "delivered-to", "x-original-to"):
        local = first_address(", ".join(headers.get(name, ()))[:2000]).rpartition("@")[0]
        match = _VERP.fullmatch(local)
        if match and not local.lower().startswith(("srs", "prvs", "btv")):
            return f"{match[1]}@{match[2]}"
    return ""


def typed_address(value: str) -> str:
    """Return the address of a `type; address` value, "" if mail cannot be sent to it.

    Reads utf-8-addr with its escapes, and tolerates angle brackets and a missing type (RFC 3464 section 2.3.2, RFC 6533
    section 3). A path to a mailbox file and a source route are not addresses of a recipient.

    >>> typed_address("rfc822; <bob@example.org>"), typed_address("rfc822;@relay.example:bob@mx")
    ('bob@example.org', '')
    """
    kind = _TYPE.match(value)
    text = value[kind.end() :].strip() if kind else value.strip()
    if kind and kind[0].lower().startswith("utf-8"):
        text = _EXTENDED.sub(_character, text)
    if "<" in text:
        text = text.partition("<")[2].partition(">")[0]
    if text.startswith(("@", "/")):
        return ""
    return first_address(text)


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"


def _trim(address: str) -> str:
    return (
        address.strip("'`“”‘’„«»*")
        if address[0] not in '"='
        else address.removeprefix("=")
        if address[:2] != "=?"
        else address
    )

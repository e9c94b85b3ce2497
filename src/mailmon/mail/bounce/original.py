"""The returned message, as far as a notification contains it (RFC 3464 section 2, RFC 5322)."""

from __future__ import annotations

import re

from mailmon.mail.bounce.addresses import ADDRESS, find_addresses, first_address
from mailmon.mail.bounce.values import Original
from mailmon.mail.message.decoding import decode_body, decode_header
from mailmon.mail.message.header import Headers, first, read_head
from mailmon.mail.message.read import Message, Part

RETURNED_TYPES = ("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers")
MAX_QUOTED_CHARS = 1 << 14
MAX_ADDRESSES = 100
MAX_SUBJECT_CHARS = 1000

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,400}+>")
_ENVELOPE_SENDER = re.compile(rf"envelope[- ](?:from|sender)[ :=]{{1,3}}<?({ADDRESS})", re.IGNORECASE)
_FOR = re.compile(rf" for <({ADDRESS})>")
_HEADER = re.compile(r"^[ \t>]{0,8}(?=(?:return-path|received|message-id|from|to|subject|date):)", re.I | re.M)


def returned_headers(message: Message, below: str) -> Headers:
    """Return the headers of the returned message, from its part or from the text below the notification."""
    part = next((part for part in message.parts if part.type in RETURNED_TYPES), None)
    text = _content(part) if part else below
    begin = _HEADER.search(text[:20000])
    if not begin:
        return {}
    margin, text = begin[0], text[begin.start() :]
    if margin:  # indented, or quoted as in a reply
        text = f"\n{text[:MAX_QUOTED_CHARS]}".replace(f"\n{margin}", "\n")[1:]
    return read_head(text, 0)[0]


def read_original(headers: Headers, outer: Headers, envelope_sender: str) -> Original:
    """Read the headers of the returned message; without an envelope sender, it is the notification's addressee."""
    sent_to = first(headers, "return-path")
    received = " ".join(headers.get("received", ())[:5])[:4000]
    if not envelope_sender:
        envelope_sender = first_address(sent_to[:500])
    if not envelope_sender and "nvelope" in received and (match := _ENVELOPE_SENDER.search(received)):
        envelope_sender = match[1]
    identity = _MESSAGE_ID.search(first(headers, "message-id")[:1000])
    return Original(
        identity[0] if identity else "",
        decode_header(first(headers, "subject")[:MAX_SUBJECT_CHARS]),
        envelope_sender or first_address(first(outer, "to")[:2000]),
        _addresses(headers, "to"),
        _addresses(headers, "cc"),
    )


def recipients_of(headers: Headers) -> set[str]:
    """Return the recipients of the returned message by its headers, in lower case: To, Cc, and "for" in Received."""
    received = " ".join(headers.get("received", ())[:5])[:4000]
    found = (*_addresses(headers, "to"), *_addresses(headers, "cc"), *_FOR.findall(received))
    return {address.lower() for address in found}


def addressed_to(headers: Headers, final: str) -> str:
    """Return the address that the sender of the returned message used, if it was forwarded from there to `final`.

    Postfix records it in X-Original-To. Each hop may do so, and a mailing list is not a recipient: only a single
    address counts, if the message itself is addressed to it and it is not the list.
    """
    noted = {first_address(value[:500]).lower() for value in headers.get("x-original-to", ())}
    if len(noted) != 1 or final.lower() in noted:
        return ""
    [address] = noted
    lists = " ".join((*headers.get("list-id", ()), *headers.get("list-post", ())))[:2000].lower()
    is_list = bool(lists) and (address in lists or address.replace("@", ".") in lists)
    named = {*_addresses(headers, "to"), *_addresses(headers, "cc")}
    return "" if is_list else next((one for one in named if one.lower() == address), "")


def _content(part: Part) -> str:
    encoding = first(part.headers, "content-transfer-encoding").strip().lower()
    if encoding in ("base64", "quoted-printable"):
        return decode_body(part.body[: 1 << 17], encoding, "latin-1").lstrip("\n")
    return part.body[: 1 << 17].lstrip("\n")


def _addresses(headers: Headers, name: str) -> tuple[str, ...]:
    value = decode_header(", ".join(headers.get(name, ()))[:20000])
    if "@" not in value:
        return ()
    return tuple(
        dict.fromkeys(address for address, _ in zip(find_addresses(value), range(MAX_ADDRESSES), strict=False))
    )

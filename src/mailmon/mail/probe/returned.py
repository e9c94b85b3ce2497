"""Bounces and delay notices of our own probes: which token came back, and why (RFC 3464, RFC 6522).

The classifier (mail/bounce/) is the only reader of notifications; this module finds out whether one concerns a probe.
The token is unguessable, so whoever quotes it has seen the probe. Imported only if a bounce is suspected.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from mailmon.mail.bounce import Classification, Kind, Recipient, classify
from mailmon.mail.bounce.addresses import first_address
from mailmon.mail.bounce.advice import ADVICE
from mailmon.mail.bounce.original import RETURNED_TYPES
from mailmon.mail.bounce.prose import cut
from mailmon.mail.bounce.reasons import UNDEFINED
from mailmon.mail.bounce.sender import is_of_a_system
from mailmon.mail.message.header import Headers, first, read_head
from mailmon.mail.message.read import Message, read_message
from mailmon.mail.probe.probe import TOKEN_HEADER, Marks, find_tokens, is_signed, marks_of

# Outlook.com puts an HTML page of 60 kB before the returned message.
MAX_BYTES = 1 << 18
MAX_REASON_CHARS = 250
MAX_TO_CHARS = 2000
MAX_TOKENS = 20

_OWN_WORDS = ("From: mailmon <", "Subject: mailmon probe", "mailmon probe", f"{TOKEN_HEADER}:")
_REPLY_BEFORE = re.compile(r"[45]\d\d[ -]$", re.ASCII)
_REPLY_BEHIND = re.compile(r"\s[45]\d\d(?:[ -]<[^<>\s]{1,300}>[.:,]{0,4})?[ -]?$", re.ASCII)
_SESSION = re.compile(r" >>> | <<< | -----")
_ENCODINGS = (b"base64", b"quoted-printable")


class Report(NamedTuple):
    """The content of a notification about probes. `has_failed` is false for a delay."""

    tokens: tuple[str, ...]
    has_failed: bool
    reason: str
    may_be_deleted: bool


def read_report(raw: bytes, key: bytes, recipient_of: Callable[[str], str] = lambda _token: "") -> Report | None:
    """Read the first MAX_BYTES of a message; return None if it is no notification about a probe. Never raises.

    `recipient_of` returns the recipient of a probe, "" for an unknown token. `may_be_deleted` is true only for a
    failure, reported by a mail system or in a multipart/report, that returns a probe's headers with our signature.
    """
    raw = raw[:MAX_BYTES]
    message = read_message(raw)
    tokens = _tokens_in(raw, message)
    if not tokens:
        return None
    about = next((address for token in tokens if (address := recipient_of(token))), "")
    about = about or first_address(first(message.headers, "to")[:MAX_TO_CHARS])
    found = classify(raw, about=about)
    if found.kind not in (Kind.BOUNCE, Kind.DELAYED):
        return None
    has_failed = found.kind is Kind.BOUNCE
    is_a_systems = message.type == "multipart/report" or is_of_a_system(message.headers)
    may_be_deleted = has_failed and is_a_systems and is_signed(_returned(message), key)
    return Report(tokens, has_failed, _reason(found), may_be_deleted)


def returns_probe(raw: bytes, key: bytes) -> bool:
    """Return whether a message returns the headers of a probe with our signature. Never raises."""
    raw = raw[:MAX_BYTES]
    lower = raw.lower()
    if TOKEN_HEADER.lower().encode() not in lower and not any(name in lower for name in _ENCODINGS):
        return False
    return is_signed(_returned(read_message(raw)), key)


def returned_marks(raw: bytes, key: bytes) -> Marks:
    """Return the marks of the message that a notification returns. Never raises."""
    return marks_of(_returned(read_message(raw[:MAX_BYTES])), key)


def _tokens_in(raw: bytes, message: Message) -> tuple[str, ...]:
    """Return the different tokens anywhere in a message, also where a part is encoded."""
    texts = [raw.decode("latin-1")]
    lower = raw.lower()
    if any(name in lower for name in _ENCODINGS):
        texts += [part.text for part in message.parts]
    found = (token for text in texts for token in find_tokens(text, MAX_TOKENS))
    return tuple(dict.fromkeys(found))[:MAX_TOKENS]


def _returned(message: Message) -> Headers:
    """Return the headers of the returned message, from its part or from the text below the notification."""
    part = next((part for part in message.parts if part.type in RETURNED_TYPES), None)
    text = part.text if part else cut(message.parts[0].text)[1]
    return read_head(text.lstrip("\n"), 0)[0]


def _reason(found: Classification) -> str:
    """Return status and diagnostic of the failed or delayed recipient, no code twice: `5.2.2 mailbox full`."""
    action = "failed" if found.kind is Kind.BOUNCE else "delayed"
    recipient = next(one for one in found.recipients if one.action == action)
    words = _once(_without_probe(recipient.diagnostic), recipient.status)[:MAX_REASON_CHARS] or _meaning(recipient)
    return words if recipient.status in words else f"{recipient.status} {words}".strip()


def _without_probe(words: str) -> str:
    """Remove the text of the probe itself, if nothing separates it from the text above it."""
    ends = [end for mark in _OWN_WORDS if (end := words.find(mark)) >= 0]
    return words[: min(ends, default=len(words))].strip()


def _once(words: str, status: str) -> str:
    """Return the reply with a code if the text repeats it: line by line, or with the session around it.

    >>> _once("550 <a@b>... 5.2.2 full >>> RCPT To:<a@b> <<< 550 5.2.2 full", "5.2.2")
    '5.2.2 full'
    >>> _once("550-5.7.1 This is spam. 550-5.7.1 Really.", "5.7.1")
    '550-5.7.1 This is spam.'
    """
    begin = words.find(status)
    end = words.find(status, begin + 1) if begin >= 0 else -1
    if end < 0:
        return words
    reply = _REPLY_BEFORE.search(words[max(begin - 4, 0) : begin])
    answer = _REPLY_BEHIND.sub("", _SESSION.split(words[begin:end], maxsplit=1)[0].rstrip())
    return f"{reply[0] if reply else ''}{answer}" if answer.strip() != status else words[:end].strip()


def _meaning(recipient: Recipient) -> str:
    """Return the reason in place of a missing diagnostic."""
    if recipient.reason == UNDEFINED:
        return "(no reason given)"
    return f"({recipient.reason}: {ADVICE[recipient.reason][0]})"

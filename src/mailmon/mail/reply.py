"""SMTP replies (RFC 5321 section 4.2, RFC 2034, RFC 3463)."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.errors import MalformedError
from mailmon.mail.caps import MAX_REPLY_CHARS
from mailmon.text import visible

# RFC 5321 section 4.5.3.1.5 allows 512 octets; real servers exceed it, none needs this much to be understood.
MAX_LINE_BYTES = 8192
MAX_LINES = 200

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)", re.ASCII)
# A longer reply is not searched: real ones that name a queue id have less than a line.
_MAX_SEARCHED = 1000
# Each captures a whole word, and the words around it say that it is the queue id. They are tried in this order: an
# answer that quotes the next server's holds two. qmail and Gmail say several numbers, of which none is the id alone.
_QUEUE_IDS = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        # Postfix, SendGrid, Coremail, Yandex ("queued on HOST as ID") and many others.
        r"(?<![^\s(\[:])queued\s++(?:on\s++\S++\s++)?as\s++(?P<sure>\S++)",
        # Exim and those that follow it: "OK id=1rAbCd-0001Xy-2Z".
        r"(?<![^\s(\[,;])id=(\S++)",
        # Exchange.
        r"\[InternalId=(?P<sure>\d++)(?=[,\]])",
        # Haraka: "Message Queued (UUID)"; hMailServer says how long it took there, in two words.
        r"(?<!\S)queued\s++(\(\S++)",
        # Stalwart: "Message queued with id 1a2b3c."
        r"(?<!\S)with\s++id\s++(\S++)",
        # Sendmail, OpenSMTPD, Proofpoint, Kerio, CommuniGate.
        r"(?<!\S)(\S++)\s++message\s++accepted\s++for\s++delivery(?!\w)",
        # Cisco: "ok:  Message 12345678 accepted".
        r"(?<!\S)message\s++(\d++)\s++accepted(?!\S)",
        # Courier, Amazon SES, Momentum, XMail: nothing but the id.
        r"^ok[.:]?\s++(\S++)$",
    )
)
_SURE_ID = re.compile(r"[A-Za-z0-9_.~:/+=@,-]{4,200}", re.ASCII)
# What only stands where an id may stand must look like one: a digit in it, and neither an address nor a host name.
_LIKELY_ID = re.compile(r"(?=[^0-9]*+[0-9])[A-Za-z0-9_.:/+-]{6,200}", re.ASCII)
_BRACKETS = {"(": ")", "[": "]", "<": ">", '"': '"', "'": "'"}


class Reply(NamedTuple):
    """One complete SMTP reply; `lines` are the texts behind the code, as bytes."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """Return the texts of all lines as one, made visible; of a very long reply the beginning."""
        return visible(b" ".join(self.lines), MAX_REPLY_CHARS).strip()

    @property
    def enhanced_code(self) -> str:
        """Return the enhanced status code ("5.7.1"), or "" (RFC 2034 section 4)."""
        match = _ENHANCED.match(self.text)
        return match[1] if match else ""

    @property
    def queue_id(self) -> str:
        """Return the queue id that a 250 after DATA names, or ""."""
        return find_queue_id(self.text)

    @property
    def is_positive(self) -> bool:
        """Return whether the reply is 2yz or 3yz."""
        return 200 <= self.code < 400

    @property
    def is_transient(self) -> bool:
        """Return whether the reply is 4yz: the same command may succeed later."""
        return 400 <= self.code < 500

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class ReplyReader:
    """Builds replies from lines: feed one line without its line ending, get a reply when it is complete."""

    def __init__(self) -> None:
        self._code = 0
        self._lines: list[bytes] = []

    def feed(self, line: bytes) -> Reply | None:
        """Take one line; return the reply that it completes.

        Raises MalformedError for anything that is not a reply line (RFC 5321 section 4.2), for a code that changes
        within a reply, and for a reply of more than MAX_LINES lines.
        """
        code, more, text = _split(line)
        if self._lines and code != self._code:
            raise MalformedError(f"the code changes within one reply: {self._code}, then {visible(line)}")
        if len(self._lines) >= MAX_LINES:
            raise MalformedError(f"a reply of more than {MAX_LINES} lines")
        self._code = code
        self._lines.append(text[:MAX_LINE_BYTES])
        if more:
            return None
        reply = Reply(code, tuple(self._lines))
        self._lines = []
        return reply


def _split(line: bytes) -> tuple[int, bool, bytes]:
    code, separator, text = line[:3], line[3:4], line[4:]
    if len(code) != 3 or not code.isdigit() or not 200 <= int(code) <= 599 or separator not in (b"", b" ", b"-"):
        raise MalformedError(f"not an SMTP reply: {visible(line) or 'an empty line'}")
    return int(code), separator == b"-", text


def find_queue_id(text: str) -> str:
    """Return the queue id that the text of a 250 after DATA names: a whole word of it, or "".

    >>> find_queue_id("2.0.0 Ok: queued as v5Ev7Q_UpS"), find_queue_id("Ok: queued as requested")
    ('v5Ev7Q_UpS', '')
    """
    searched = text[:_MAX_SEARCHED]
    if len(text) > _MAX_SEARCHED:  # the last word may be but the beginning of one
        searched = searched.rpartition(" ")[0]
    code = _ENHANCED.match(searched)
    searched = searched[code.end() if code else 0 :].strip()
    for pattern in _QUEUE_IDS:
        for match in pattern.finditer(searched):
            bare = _bare(match[1])
            if _is_id(bare) if match.lastgroup else _is_likely(bare):
                return bare
    return ""


def _bare(word: str) -> str:
    """Return a word without what ends a sentence and without its brackets, "" where they do not belong together."""
    bare = word.rstrip(".,;:!")
    closing = _BRACKETS.get(bare[:1])
    if closing:
        return bare[1:-1] if bare.endswith(closing) else ""
    return bare[:-1] if bare.endswith((")", "]")) else bare  # "[id=1a2b]": the word began at the key


def _is_id(word: str) -> bool:
    """Return whether a word is an id and no word of a sentence ("queued as requested")."""
    is_plain = word.isalpha() and (word.islower() or word.istitle() or word.isupper())
    return bool(_SURE_ID.fullmatch(word)) and not is_plain


def _is_likely(word: str) -> bool:
    """Return whether a word looks like an id, and not like a host name."""
    return bool(_LIKELY_ID.fullmatch(word)) and not word.rpartition(".")[2].isalpha()


def parse_extensions(reply: Reply) -> dict[str, str]:
    """Return the EHLO keywords of a reply in upper case with their parameters (RFC 5321 section 4.1.1.1).

    Reads the old form `AUTH=PLAIN LOGIN` as AUTH too, and several lines of AUTH as one: some servers write one for each
    mechanism.
    """
    extensions: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = visible(line).replace("=", " ", 1).partition(" ")
        known = extensions.setdefault(keyword.upper(), parameters.strip())
        if keyword.upper() == "AUTH":
            more = (word for word in parameters.split() if word.upper() not in known.upper().split())
            extensions["AUTH"] = " ".join((known, *dict.fromkeys(more))).strip()
    return extensions

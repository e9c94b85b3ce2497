"""What did the SMTP server answer? (RFC 5321 section 4.2, RFC 2034, RFC 3463)"""

from __future__ import annotations

import re
from typing import NamedTuple

from mailmon.errors import MalformedError
from mailmon.mail.text import visible

# RFC 5321 section 4.5.3.1.5 allows 512 octets; real servers exceed it, none needs this much to be understood.
MAX_LINE_BYTES = 8192
MAX_LINES = 200

_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)", re.ASCII)
# Postfix and Sendmail, Exim, Exchange, Amazon SES and others, in that order.
_QUEUE_IDS = (
    re.compile(r"queued as ([A-Za-z0-9][A-Za-z0-9.-]{2,62}[A-Za-z0-9])", re.ASCII),
    re.compile(r"\bid=([A-Za-z0-9-]{6,64})", re.ASCII),
    re.compile(r"\b([A-Za-z0-9]{6,64}) Message accepted for delivery", re.ASCII),
    re.compile(r"\[InternalId=(\d{1,32})", re.ASCII),
    re.compile(r"^(?:2\.0\.0 )?Ok:? (?=\S*\d)([A-Za-z0-9-]{10,80})$", re.ASCII | re.IGNORECASE),
)


class Reply(NamedTuple):
    """One complete SMTP reply; `lines` are the texts behind the code, as bytes."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """Return the texts of all lines as one, made visible."""
        return " ".join(visible(line, MAX_LINE_BYTES) for line in self.lines).strip()

    @property
    def enhanced_code(self) -> str:
        """Return the enhanced status code ("5.7.1"), or "" (RFC 2034 section 4)."""
        match = _ENHANCED.match(self.text)
        return match[1] if match else ""

    @property
    def queue_id(self) -> str:
        """Return the queue id that a 250 after DATA names, or ""."""
        for pattern in _QUEUE_IDS:
            match = pattern.search(self.text)
            if match:
                return match[1]
        return ""

    @property
    def is_positive(self) -> bool:
        """Say whether the reply is 2yz or 3yz."""
        return 200 <= self.code < 400

    @property
    def is_transient(self) -> bool:
        """Say whether the reply is 4yz: the same command may succeed later."""
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
        self._lines.append(text)
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


def parse_extensions(reply: Reply) -> dict[str, str]:
    """Return the EHLO keywords of a reply in upper case with their parameters (RFC 5321 section 4.1.1.1).

    Reads the old form `AUTH=PLAIN LOGIN` as AUTH too.
    """
    extensions: dict[str, str] = {}
    for line in reply.lines[1:]:
        keyword, _, parameters = visible(line).replace("=", " ", 1).partition(" ")
        extensions.setdefault(keyword.upper(), parameters.strip())
    return extensions

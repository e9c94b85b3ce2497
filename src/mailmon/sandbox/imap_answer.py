"""Responses to IMAP commands (RFC 3501 section 7.1)."""

from dataclasses import dataclass, field


class BadCommandError(Exception):
    """A command that is answered with BAD; the text is the client's to read."""


class RefusedError(Exception):
    """A command that is answered with NO; the text may start with a response code."""


@dataclass(frozen=True)
class Answer:
    """The tagged response without its tag, e.g. b"OK done", and the untagged ones before it."""

    tagged: bytes
    untagged: list[bytes] = field(default_factory=list)

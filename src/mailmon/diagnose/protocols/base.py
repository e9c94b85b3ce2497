"""What is asked of every protocol?"""

from __future__ import annotations

import contextlib
import re
from abc import ABC, abstractmethod
from base64 import b64encode
from typing import ClassVar, NamedTuple

from mailmon.diagnose.connection import Connection
from mailmon.diagnose.plan import Options
from mailmon.errors import Stage, StageError
from mailmon.text import visible

# Mechanisms that hand over the password, or a token that is as good as one.
PLAINTEXT = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")
MAX_LINES = 200
MAX_LITERAL_BYTES = 65536
# A string at the end of a line whose bytes follow on the next one (RFC 3501 section 4.3, RFC 5804 section 4).
_LITERAL = re.compile(rb"\{(\d{1,6})\+?\}$")
_PRIVACY = (
    "disabled",
    "privacy",
    "tls",
    "ssl",
    "secure",
    "encrypt",
    "plaintext",
    "plain text",
    "cleartext",
    "disallowed",
)


class Greeting(NamedTuple):
    """The server's first words."""

    text: str
    is_good: bool = True
    is_temporary: bool = False
    is_preauth: bool = False


class Client(ABC):
    """One session. Every method that talks raises StageError."""

    # What is sent in one packet with the command for TLS, and must not be answered inside TLS (CVE-2011-0411).
    smuggled: ClassVar[bytes]
    # How many answers come inside TLS to `goodbye` alone.
    farewells: ClassVar[int] = 1
    goodbye: ClassVar[bytes]
    starttls: ClassVar[bytes]
    # Whether capabilities and TLS are not told and have to be tried.
    is_mute = False

    def __init__(self, wire: Connection, options: Options) -> None:
        self.wire = wire
        self.options = options
        self.capabilities: dict[str, str] = {}

    @abstractmethod
    def greet(self) -> Greeting:
        """Read the greeting."""

    @abstractmethod
    def ask(self) -> bool:
        """Ask for the capabilities; say whether the server told them."""

    @property
    @abstractmethod
    def offers_starttls(self) -> bool:
        """Say whether TLS can be begun."""

    @abstractmethod
    def logins(self) -> tuple[str, ...]:
        """Return the mechanisms that would send a password as it is, now."""

    @abstractmethod
    def start_tls(self) -> str:
        """Ask for TLS; return "" when it may begin, else the server's words."""

    @abstractmethod
    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        """Try to log in; return whether it worked, and the server's words."""

    @abstractmethod
    def refusal_of_logins(self) -> str:
        """Begin each login that sends a password, and go no further.

        Return "" where one is taken, else the words of the last refusal. The session is of no use afterwards.
        """

    @abstractmethod
    def is_answer(self, line: bytes) -> bool:
        """Say whether a line ends an answer to a command."""

    def ask_name(self) -> str:
        """Ask for the name of the software; return the answer, "" where that is not possible."""
        return ""

    def close(self) -> None:
        """Say goodbye without waiting for the answer; never raises."""
        self.wire.close()

    def say_goodbye(self) -> None:
        """Take leave without waiting for the answer; never raises."""
        with contextlib.suppress(StageError):
            self.wire.send(self.goodbye)

    def line(self) -> bytes:
        """Return the next line without its end."""
        return self.wire.read_line().rstrip(b"\r\n")

    def with_literals(self, line: bytes) -> bytes:
        """Return an answer up to its end, with its literals as quoted strings. Raises StageError."""
        parts: list[bytes] = []
        for _ in range(MAX_LINES):
            match = _LITERAL.search(line)
            if not match:
                return b"".join((*parts, line))
            size = int(match[1])
            if size > MAX_LITERAL_BYTES:
                raise self.wire.error("protocol_error", f"a literal of {size} bytes")
            literal = self.wire.read_start(size, size)
            escaped = literal.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\r", b"").replace(b"\n", b" ")
            parts += [line[: match.start()], b'"', escaped, b'"']
            line = self.line()
        raise self.malformed(line)

    def send(self, text: str, shown: str | None = None) -> None:
        """Send one command."""
        self.wire.begin(Stage.EHLO)
        self.wire.send(text.encode("utf-8") + b"\r\n", shown)

    def malformed(self, line: bytes) -> Exception:
        """Return the error for a line that is no answer."""
        return self.wire.error(
            "protocol_error", f"not an answer of this protocol: {visible(line, 100) or 'an empty line'}"
        )


def asks_for_privacy(said: str) -> bool:
    """Say whether a login is refused because of the connection, not of the user or the mechanism.

    >>> asks_for_privacy("NO LOGIN Command disabled"), asks_for_privacy("-ERR no such user")
    (True, False)
    """
    return any(word in said.lower() for word in _PRIVACY)


def sasl_plain(username: str, password: str) -> str:
    """Return the initial response of PLAIN (RFC 4616)."""
    return b64encode(f"\0{username}\0{password}".encode()).decode("ascii")

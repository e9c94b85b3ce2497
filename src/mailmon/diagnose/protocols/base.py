"""What the clients of all protocols have in common."""

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

# Mechanisms that send the password, or a token that is as good as one.
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
    """The server's greeting."""

    text: str
    is_good: bool = True
    is_temporary: bool = False
    is_preauth: bool = False


class Client(ABC):
    """The client of one connection. Every method that communicates raises StageError."""

    # Sent in one packet with the command for TLS; it must not be answered inside TLS (CVE-2011-0411).
    smuggled: ClassVar[bytes]
    # The number of replies inside TLS to `goodbye` alone.
    farewells: ClassVar[int] = 1
    goodbye: ClassVar[bytes]
    starttls: ClassVar[bytes]
    # Whether the server does not list its capabilities, so that TLS has to be tried.
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
        """Ask for the capabilities; return whether the server listed them."""

    @property
    @abstractmethod
    def offers_starttls(self) -> bool:
        """Return whether STARTTLS is offered."""

    @abstractmethod
    def logins(self) -> tuple[str, ...]:
        """Return the offered mechanisms that would send a password as it is."""

    @abstractmethod
    def start_tls(self) -> str:
        """Ask for TLS; return "" if it may begin, else the server's reply."""

    @abstractmethod
    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        """Try to log in; return whether it succeeded, and the server's reply."""

    @abstractmethod
    def refusal_of_logins(self) -> str:
        """Start each login that sends a password, and go no further.

        Return "" if one is accepted, else the last refusal. The connection is unusable afterwards.
        """

    @abstractmethod
    def is_answer(self, line: bytes) -> bool:
        """Return whether a line ends an answer to a command."""

    def ask_name(self) -> str:
        """Ask for the name of the software; return the answer, "" if the protocol has no such command."""
        return ""

    def close(self) -> None:
        """Close the connection; never raises."""
        self.wire.close()

    def say_goodbye(self) -> None:
        """Send the command that ends the session without waiting for the reply; never raises."""
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
        """Return the error for a line that is not an answer."""
        return self.wire.error(
            "protocol_error", f"not an answer of this protocol: {visible(line, 100) or 'an empty line'}"
        )


def asks_for_privacy(said: str) -> bool:
    """Return whether a login is refused because of the connection, not of the user or the mechanism.

    >>> asks_for_privacy("NO LOGIN Command disabled"), asks_for_privacy("-ERR no such user")
    (True, False)
    """
    return any(word in said.lower() for word in _PRIVACY)


def sasl_plain(username: str, password: str) -> str:
    """Return the initial response of PLAIN (RFC 4616)."""
    return b64encode(f"\0{username}\0{password}".encode()).decode("ascii")

"""How does imaplib talk over our wire? Its documented seams, and a login that no transcript shows.

Why imaplib and not IMAPClient: docs/decisions/0003-imaplib.md.
"""

from __future__ import annotations

import imaplib
import re
from typing import Any

from mailmon.clients.sasl import Bearer
from mailmon.clients.wire import MAX_LITERAL_BYTES, Wire
from mailmon.mail.imapdata import quoted
from mailmon.mail.text import MASK, visible

_LOGIN_ARGUMENTS = re.compile(rb"^(\S+ (?:LOGIN|AUTHENTICATE [A-Z0-9]+))\b.*", re.DOTALL | re.IGNORECASE)


class WireImap(imaplib.IMAP4):
    """imaplib over our wire: `open`, `read`, `readline`, `send` and `shutdown` are its documented seams."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._hides_input = False
        self.keeps_bytes = MAX_LITERAL_BYTES
        super().__init__()

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Take the connection that is there."""

    def read(self, size: int) -> bytes:
        return self._wire.read_start(size, self.keeps_bytes)

    def readline(self) -> bytes:
        return self._wire.read_line()

    def send(self, data: Any) -> None:
        raw = bytes(data)
        shown = None
        if self._hides_input:
            match = _LOGIN_ARGUMENTS.match(raw)
            shown = f"{visible(match[1])} {MASK}" if match else MASK
        self._wire.send(raw, shown)

    def shutdown(self) -> None:
        self._wire.close()

    def login_hidden(self, username: str, password: str, must_authenticate: bool) -> None:
        """LOGIN, or AUTHENTICATE PLAIN where it must be or the credential does not fit into a quoted string."""
        self._hides_input = True
        fits = (username + password).isascii() and (username + password).isprintable()
        try:
            if fits and not must_authenticate:
                self.login(quoted(username), password)  # imaplib quotes only the password
            else:
                identity = f"\0{username}\0{password}".encode()
                self.authenticate("PLAIN", lambda _: identity)
        finally:
            self._hides_input = False

    def login_by(self, way: Bearer) -> None:
        """AUTHENTICATE with a token; the second challenge, if any, is the error in JSON (RFC 7628 section 3.2.3)."""
        answers = iter((way.initial, way.resigned))
        self._hides_input = True
        try:
            self.authenticate(way.mechanism, lambda _: next(answers, b""))
        finally:
            self._hides_input = False

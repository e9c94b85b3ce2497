"""How does imaplib talk over our wire? Its documented seams, and a login that no transcript shows.

Why imaplib and not IMAPClient: docs/decisions/0003-imaplib.md.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable
from typing import Any

from mailmon.clients.wire import MAX_LITERAL_BYTES, Wire
from mailmon.mail.imapdata import quoted
from mailmon.mail.text import MASK, visible

_LOGIN_ARGUMENTS = re.compile(rb"^(\S+ (?:LOGIN|AUTHENTICATE [A-Z0-9-]+))\b.*", re.DOTALL | re.IGNORECASE)


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

    def capability(self) -> tuple[str, list[Any]]:
        """Return what is offered, as one line: some servers write several, of which imaplib takes the last."""
        typ, lines = super().capability()
        given = [line for line in lines if isinstance(line, bytes)]
        return typ, [b" ".join(given)] if given else lines

    def shutdown(self) -> None:
        self._wire.close()

    def login_hidden(self, username: str, password: str) -> None:
        """LOGIN, hidden from the transcript."""
        self._hides_input = True
        try:
            self.login(quoted(username), password)  # imaplib quotes only the password
        finally:
            self._hides_input = False

    def authenticate_hidden(self, mechanism: str, answer: Callable[[bytes], bytes]) -> None:
        """AUTHENTICATE, hidden from the transcript; `answer` is asked at each challenge."""
        self._hides_input = True
        try:
            self.authenticate(mechanism, answer)
        finally:
            self._hides_input = False

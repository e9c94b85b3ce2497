"""ManageSieve up to the login (RFC 5804)."""

from __future__ import annotations

import re

from mailmon.diagnose.protocols.base import MAX_LINES, PLAINTEXT, Client, Greeting, sasl_plain
from mailmon.errors import Stage
from mailmon.text import visible

_CAPABILITY = re.compile(rb'"([^"]{1,100})"(?: "((?:[^"\\]|\\.){0,2000})")?\s*')
_STATUS = (b"OK", b"NO", b"BYE")


class SieveClient(Client):
    """One ManageSieve session: the capabilities are the greeting, and are sent again after STARTTLS."""

    starttls, smuggled, goodbye = b"STARTTLS\r\n", b'NOOP "x"\r\n', b"LOGOUT\r\n"
    farewells = 2

    _is_listed = False

    def greet(self) -> Greeting:
        self.wire.begin(Stage.GREETING)
        status = self._answer(is_capabilities=True)
        self._is_listed = True
        return Greeting(self.capabilities.get("IMPLEMENTATION", "") or status, _is_ok(status))

    def ask(self) -> bool:
        if self._is_listed:
            self._is_listed = False
            return True
        self.wire.begin(Stage.EHLO)
        if not self._is_after_tls:
            self.send("CAPABILITY")
        self._is_after_tls = False
        return _is_ok(self._answer(is_capabilities=True))

    _is_after_tls = False

    @property
    def offers_starttls(self) -> bool:
        return "STARTTLS" in self.capabilities

    def logins(self) -> tuple[str, ...]:
        offered = self.capabilities.get("SASL", "").upper().split()
        return tuple(name for name in PLAINTEXT if name in offered)

    def start_tls(self) -> str:
        self.send("STARTTLS")
        status = self._answer()
        self._is_after_tls = _is_ok(status)
        return "" if self._is_after_tls else status

    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        self.send(f'AUTHENTICATE "PLAIN" "{sasl_plain(username, password)}"', 'AUTHENTICATE "PLAIN" ****')
        status = self._answer()
        return _is_ok(status), status

    def refusal_of_logins(self) -> str:
        """Return "": only mechanisms usable at this point are listed (RFC 5804 section 1.7)."""
        return ""

    def is_answer(self, line: bytes) -> bool:
        return line.split(b" ")[0].upper() in _STATUS

    def _answer(self, *, is_capabilities: bool = False) -> str:
        """Read up to the line with OK, NO or BYE; store the capabilities."""
        found: dict[str, str] = {}
        for _ in range(MAX_LINES):
            line = self.with_literals(self.line())
            if line.split(b" ")[0].upper() in _STATUS:
                if is_capabilities:
                    self.capabilities = found
                return visible(line, 500)
            match = _CAPABILITY.fullmatch(line)
            if not match:
                raise self.malformed(line)
            found[visible(match[1]).upper()] = visible(match[2] or b"", 2000)
        raise self.wire.error("protocol_error", f"an answer of more than {MAX_LINES} lines")


def _is_ok(status: str) -> bool:
    """Return whether a status is OK; atoms have no case (RFC 5804 section 4)."""
    return status[:2].upper() == "OK"

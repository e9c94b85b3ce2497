"""POP3 up to the login (RFC 1939, RFC 2449, RFC 2595)."""

from __future__ import annotations

from mailmon.diagnose.protocols.base import MAX_LINES, PLAINTEXT, Client, Greeting, asks_for_privacy
from mailmon.errors import Stage
from mailmon.text import visible


class Pop3Client(Client):
    """One POP3 session."""

    starttls, smuggled, goodbye = b"STLS\r\n", b"NOOP\r\n", b"QUIT\r\n"

    def greet(self) -> Greeting:
        self.wire.begin(Stage.GREETING)
        line = self._status()
        return Greeting(visible(line, 500), line.startswith(b"+OK"))

    def ask(self) -> bool:
        """Send CAPA (RFC 2449); if it is unknown, USER is assumed, and STLS has to be tried."""
        self.send("CAPA")
        self.capabilities = {}
        if not self._status().startswith(b"+OK"):
            self.is_mute = True
            self.capabilities = {"USER": ""}
            return True
        for _ in range(MAX_LINES):
            line = self.line()
            if line == b".":
                return True
            keyword, _, parameters = visible(line, 500).strip().partition(" ")
            self.capabilities[keyword.upper()] = parameters.upper()
        raise self.wire.error("protocol_error", f"an answer of more than {MAX_LINES} lines")

    @property
    def offers_starttls(self) -> bool:
        return "STLS" in self.capabilities

    def logins(self) -> tuple[str, ...]:
        offered = self.capabilities.get("SASL", "").split()
        command = ("USER",) if "USER" in self.capabilities else ()
        return (*command, *(name for name in PLAINTEXT if name in offered))

    def start_tls(self) -> str:
        self.send("STLS")
        line = self._status()
        return "" if line.startswith(b"+OK") else visible(line, 500)

    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        self.send(f"USER {username}")
        line = self._status()
        if line.startswith(b"+OK"):
            self.send(f"PASS {password}", "PASS ****")
            line = self._status()
        return line.startswith(b"+OK"), visible(line, 500)

    def refusal_of_logins(self) -> str:
        """Send USER with a name that does not exist, or start AUTH (RFC 5034 section 4)."""
        said = ""
        for name in self.logins():
            self.send("USER mailmon-no-such-mailbox-7f3a" if name == "USER" else f"AUTH {name}")
            line = self.line()
            said = visible(line, 500)
            if not (line.startswith(b"-ERR") and asks_for_privacy(said)):  # many refuse the unknown name
                return ""
        return said

    def is_answer(self, line: bytes) -> bool:
        return line.startswith((b"+OK", b"-ERR"))

    def _status(self) -> bytes:
        line = self.line()
        if not line.startswith((b"+OK", b"-ERR")):
            raise self.malformed(line)
        return line

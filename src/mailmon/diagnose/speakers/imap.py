"""IMAP up to the login (RFC 3501, RFC 9051)."""

from __future__ import annotations

from mailmon.diagnose.speakers.base import MAX_LINES, PLAINTEXT, Greeting, Speaker
from mailmon.errors import Stage
from mailmon.mail.imapdata import quoted
from mailmon.mail.text import visible


class ImapSpeaker(Speaker):
    """One IMAP session."""

    starttls, smuggled, goodbye = b"t1 STARTTLS\r\n", b"t2 NOOP\r\n", b"t3 LOGOUT\r\n"

    _number = 10

    def greet(self) -> Greeting:
        self.wire.begin(Stage.GREETING)
        line = self.line()
        word = line[2:].partition(b" ")[0].upper()
        if not line.startswith(b"* ") or word not in (b"OK", b"PREAUTH", b"BYE"):
            raise self.malformed(line)
        return Greeting(visible(line, 500), word != b"BYE", is_preauth=word == b"PREAUTH")

    def ask(self) -> bool:
        status, lines = self._command("CAPABILITY")
        told = next((line for line in lines if line.upper().startswith(b"* CAPABILITY ")), b"")
        self.capabilities = dict.fromkeys(visible(told[13:], 4000).upper().split(), "")
        return status.startswith("OK") and bool(told)

    @property
    def offers_starttls(self) -> bool:
        return "STARTTLS" in self.capabilities

    def logins(self) -> tuple[str, ...]:
        offered = tuple(name for name in PLAINTEXT if f"AUTH={name}" in self.capabilities)
        command = () if "LOGINDISABLED" in self.capabilities else ("the LOGIN command",)
        return (*offered, *command)

    def start_tls(self) -> str:
        status, _ = self._command("STARTTLS")
        return "" if status.startswith("OK") else status

    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        status, _ = self._command(f"LOGIN {quoted(username)} {quoted(password)}", "LOGIN **** ****")
        return status.startswith("OK"), status

    def is_answer(self, line: bytes) -> bool:
        return line[:1] == b"t" and b" " in line

    def _command(self, text: str, shown: str | None = None) -> tuple[str, list[bytes]]:
        """Return the status with its words, and the untagged lines before it."""
        self._number += 1
        tag = f"a{self._number}"
        self.send(f"{tag} {text}", None if shown is None else f"{tag} {shown}")
        lines: list[bytes] = []
        while len(lines) < MAX_LINES:
            line = self.line()
            if line.startswith(f"{tag} ".encode()):
                return visible(line.partition(b" ")[2], 500), lines
            if not line.startswith((b"* ", b"+ ")):
                raise self.malformed(line)
            lines.append(line)
        raise self.wire.error("protocol_error", f"an answer of more than {MAX_LINES} lines")

"""IMAP up to the login (RFC 3501, RFC 9051)."""

from __future__ import annotations

import re

from mailmon.diagnose.protocols.base import MAX_LINES, PLAINTEXT, Client, Greeting, asks_for_privacy
from mailmon.errors import Stage
from mailmon.mail.imapdata import quoted
from mailmon.text import visible

# GNU mailutils says XTLSREQUIRED for LOGINDISABLED (RFC 3501 section 6.2.3).
_DISABLED = {"LOGINDISABLED", "XTLSREQUIRED"}
# The first code of a greeting or of the status of an answer (RFC 3501 section 7.1).
_CODE = re.compile(rb"(?:\* )?[A-Z]{2,7} \[CAPABILITY ([^\]\r\n]{1,4000}+)\]", re.IGNORECASE)
# These are followed by human-readable text, which has no literals (RFC 3501 section 9).
_STATUS = (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH")


class ImapClient(Client):
    """One IMAP session."""

    starttls, smuggled, goodbye = b"t1 STARTTLS\r\n", b"t2 NOOP\r\n", b"t3 LOGOUT\r\n"

    _number = 10

    def greet(self) -> Greeting:
        self.wire.begin(Stage.GREETING)
        line = self.line()
        word = line[2:].partition(b" ")[0].upper()
        if not line.startswith(b"* ") or word not in (b"OK", b"PREAUTH", b"BYE"):
            raise self.malformed(line)
        self._greeted_with = _in_code(line)
        return Greeting(visible(line, 500), word != b"BYE", is_preauth=word == b"PREAUTH")

    # Capabilities in the greeting; they are void when TLS begins (RFC 3501 section 6.2.1).
    _greeted_with: bytes = b""

    def ask(self) -> bool:
        """Ask for the capabilities, which some servers write on several lines, or only in a response code."""
        status, lines = self._command("CAPABILITY")
        listed = b" ".join(line[13:] for line in lines if line.upper().startswith(b"* CAPABILITY "))
        listed = listed or _in_code(status.encode()) or self._greeted_with
        self._greeted_with = b""
        self.capabilities = dict.fromkeys(visible(listed, 4000).upper().split(), "")
        return bool(listed)

    def ask_name(self) -> str:
        """Ask with ID, which every state allows (RFC 2971 section 3.1), where the server knows it."""
        lines = self._command("ID NIL")[1] if "ID" in self.capabilities else []
        return visible(next((line for line in lines if line.upper().startswith(b"* ID ")), b""), 2000)

    @property
    def offers_starttls(self) -> bool:
        return "STARTTLS" in self.capabilities

    def logins(self) -> tuple[str, ...]:
        offered = tuple(name for name in PLAINTEXT if f"AUTH={name}" in self.capabilities)
        command = () if _DISABLED & self.capabilities.keys() else ("the LOGIN command",)
        return (*offered, *command)

    def start_tls(self) -> str:
        status, _ = self._command("STARTTLS")
        return "" if _is_ok(status) else status

    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        status, _ = self._command(f"LOGIN {quoted(username)} {quoted(password)}", "LOGIN **** ****")
        return _is_ok(status), status

    def refusal_of_logins(self) -> str:
        """Start AUTHENTICATE; LOGIN without arguments only if nothing else is offered, as it would be a login."""
        commands = [f"AUTHENTICATE {name}" for name in PLAINTEXT if f"AUTH={name}" in self.capabilities] or ["LOGIN"]
        said = ""
        for command in commands:
            status, _ = self._command(command, may_go_on=True)
            if not asks_for_privacy(status):
                return ""
            said = status
        return said

    def is_answer(self, line: bytes) -> bool:
        return line[:1] == b"t" and b" " in line

    def _command(self, text: str, shown: str | None = None, *, may_go_on: bool = False) -> tuple[str, list[bytes]]:
        """Return the status with its text ("+" for a continuation, if allowed), and the untagged lines before."""
        self._number += 1
        tag = f"a{self._number}"
        self.send(f"{tag} {text}", None if shown is None else f"{tag} {shown}")
        lines: list[bytes] = []
        while len(lines) < MAX_LINES:
            line = self.line()
            if line.startswith(f"{tag} ".encode()):
                return visible(line.partition(b" ")[2], 500), lines
            if may_go_on and line.startswith(b"+"):
                return "+", lines
            if not line.startswith((b"* ", b"+ ")):
                raise self.malformed(line)
            is_data = line[:1] == b"*" and line[2:].partition(b" ")[0].upper() not in _STATUS
            lines.append(self.with_literals(line) if is_data else line)
        raise self.wire.error("protocol_error", f"an answer of more than {MAX_LINES} lines")


def _in_code(line: bytes) -> bytes:
    """Return the capabilities in the response code of a greeting or a status."""
    match = _CODE.match(line)
    return match[1] if match else b""


def _is_ok(status: str) -> bool:
    """Return whether a status is OK, in any case (RFC 3501 section 9)."""
    return status[:2].upper() == "OK"

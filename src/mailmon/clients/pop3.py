"""What is in this maildrop? (POP3: RFC 1939, CAPA RFC 2449, STLS RFC 2595, AUTH RFC 5034)

Our own, not poplib: that gives up at lines of more than 2048 bytes, which real mail has (decisions/0014-pop3.md).
"""

from __future__ import annotations

from base64 import b64encode

from mailmon.clients.conversation import Conversation
from mailmon.clients.sasl import bearer
from mailmon.clients.server import Security
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, Wire
from mailmon.errors import Stage, StageError
from mailmon.mail.text import MASK, visible

# A maildrop that holds more is not listed: each message is a line in the answer.
MAX_LISTED = 200_000
_LOGIN_ADVICE = "Check the password file; the login name is case-sensitive on some servers."
_BUSY = ("[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]")


class Pop3Client(Conversation):
    """One POP3 session. Every method raises StageError with the server's words.

    A session shows the maildrop as it was at the login, and what is deleted is gone when it ends by `quit`.
    """

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        super().__init__(wire, contexts)
        self._capabilities: dict[str, list[str]] = {}

    def open(self) -> None:
        """Read the greeting and protect the connection as configured."""
        if self._wire.server.security is Security.TLS:
            self._wire.start_tls(self._contexts)
        self._wire.begin(Stage.GREETING)
        self._status("greeting_rejected")
        self._read_capabilities(Stage.GREETING)
        if self._wire.server.security is Security.STARTTLS:
            self._start_tls()

    def login(self, username: str, password: str) -> None:
        """Log in once: by USER, by AUTH PLAIN where the server wants that or the name is not ASCII (RFC 5034)."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        mechanisms = self._capabilities.get("SASL", ())
        has_user = "USER" in self._capabilities or not self._capabilities
        if "PLAIN" in mechanisms and (not has_user or not (username + password).isascii()):
            self._authenticate("PLAIN", f"\0{username}\0{password}".encode())
        elif has_user:
            self._ask(f"USER {username}", "login_refused")
            self._ask(f"PASS {password}", "login_refused", shown=f"PASS {MASK}")
        else:
            offered = f"only AUTH {' '.join(mechanisms)}" if mechanisms else "no login"
            raise self._wire.error("auth_not_offered", f"the server offers {offered}", "Use TLS or STARTTLS.")
        self._read_capabilities(Stage.LOGIN)

    def login_with_token(self, username: str, token: str) -> None:
        """Log in once, by XOAUTH2 or OAUTHBEARER."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        way = bearer(self._capabilities.get("SASL", ()), username, token, self._wire.server)
        if way is None:
            raise self._wire.error("auth_not_offered", "the server takes no token", "A token needs XOAUTH2.")
        self._authenticate(way.mechanism, way.initial, way.resigned)
        self._read_capabilities(Stage.LOGIN)

    def unique_ids(self) -> dict[int, str]:
        """Return the unique-id of each message by its number in this session (RFC 1939 section 7)."""
        self._wire.begin(Stage.SELECT)
        lines = self._ask_for_lines("UIDL", "uidl_missing", MAX_LISTED)
        pairs = (line.split(None, 1) for line in lines)
        return {int(pair[0]): visible(pair[1], 200) for pair in pairs if len(pair) == 2 and pair[0].isdigit()}

    def start_of(self, number: int, lines: int) -> bytes:
        """Return the header of a message and the first lines of its body.

        By TOP, which marks nothing as read; where a server has no TOP, by RETR.
        """
        command = f"TOP {number} {lines}" if self.has_top else f"RETR {number}"
        return b"\r\n".join(self._ask_for_lines(command, "command_failed", lines + 10_000))

    @property
    def has_top(self) -> bool:
        """Say whether a message's beginning can be had alone; a server without CAPA is taken to have it."""
        return "TOP" in self._capabilities or not self._capabilities

    @property
    def login_delay_s(self) -> float:
        """Return the seconds that the server wants between two logins (RFC 2449 section 6.5)."""
        words = self._capabilities.get("LOGIN-DELAY", [])
        return float(words[0]) if words and words[0].isdigit() and len(words[0]) < 6 else 0.0

    def delete(self, number: int) -> None:
        """Mark a message as deleted; it is gone after `quit`."""
        self._ask(f"DELE {number}", "command_failed")

    def quit(self) -> None:
        """End the session so that what was deleted is gone (RFC 1939 section 6)."""
        self._ask("QUIT", "command_failed")
        self._wire.close()

    def close(self) -> None:
        """End the connection without QUIT: nothing is deleted. Never raises."""
        self._wire.close()

    def _start_tls(self) -> None:
        self._begin_starttls(is_offered="STLS" in self._capabilities, command="STLS")
        self._ask("STLS", "starttls_refused")
        self._wire.start_tls(self._contexts)
        # What was offered in clear may have been tampered with: RFC 2595 section 4.
        self._read_capabilities(Stage.TLS)

    def _read_capabilities(self, stage: Stage) -> None:
        """Ask for what the server offers; one that does not know the question offers what RFC 1939 has."""
        self._wire.begin(stage)
        self._capabilities = {}
        try:
            lines = self._ask_for_lines("CAPA", "capa_missing", 200)
        except StageError as exc:
            if exc.finding_id != "pop3.capa_missing":
                raise
            return
        for line in lines:
            keyword, *words = visible(line, 500).upper().split() or [""]
            self._capabilities[keyword] = words

    def _authenticate(self, mechanism: str, initial: bytes, resigned: bytes = b"") -> None:
        """AUTH with an initial response, in a line of its own where it would be too long (RFC 5034 section 4)."""
        answers = iter((b64encode(initial).decode(), b64encode(resigned).decode()))
        self._wire.send(f"AUTH {mechanism}\r\n".encode())
        line = self._wire.read_line()
        while line.startswith(b"+ ") or line.strip() == b"+":
            answer = next(answers, None)
            if answer is None:
                raise self._wire.error("protocol_error", "the server asks for more than the login has")
            self._wire.send(answer.encode() + b"\r\n", shown=MASK)
            line = self._wire.read_line()
        self._judge(line, "login_refused")

    def _ask(self, command: str, problem: str, shown: str | None = None) -> None:
        self._wire.send(command.encode() + b"\r\n", shown)
        self._status(problem)

    def _ask_for_lines(self, command: str, problem: str, most: int) -> list[bytes]:
        """Return the lines of an answer, without the dots that were put in front of dots (RFC 1939 section 3)."""
        self._ask(command, problem)
        lines: list[bytes] = []
        while (line := self._wire.read_line().rstrip(b"\r\n")) != b".":
            if len(lines) >= most:
                raise self._wire.error("protocol_error", f"an answer of more than {most} lines")
            lines.append(line.removeprefix(b"."))
        return lines

    def _status(self, problem: str) -> None:
        self._judge(self._wire.read_line(), problem)

    def _judge(self, line: bytes, problem: str) -> None:
        """Raise StageError unless a line is a positive status (RFC 1939 section 3; codes RFC 2449, RFC 3206)."""
        said = visible(line.rstrip(b"\r\n"), 500)
        if line.startswith(b"-ERR"):
            words = said.removeprefix("-ERR").strip() or "-ERR"
            is_busy = any(code in words.upper() for code in _BUSY)
            advice = _LOGIN_ADVICE if problem == "login_refused" and not is_busy else ""
            raise self._wire.error("in_use" if is_busy else problem, words, advice, is_temporary=is_busy)
        if not line.startswith(b"+OK"):
            raise self._wire.error("protocol_error", f"not a POP3 reply: {said or 'an empty line'}")

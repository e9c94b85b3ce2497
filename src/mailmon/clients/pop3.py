"""POP3 (RFC 1939), with CAPA (RFC 2449), STLS (RFC 2595) and AUTH (RFC 5034).

Our own, not poplib: that gives up at lines of more than 2048 bytes, which real mail has (decisions/0014-pop3.md).
"""

from __future__ import annotations

from mailmon.clients.conversation import Conversation, password_exchange
from mailmon.clients.sasl import (
    Exchange,
    advise_on_offer,
    advise_on_token,
    bearer,
    password_mechanisms,
)
from mailmon.clients.server import Security
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, Wire
from mailmon.errors import Stage, StageError
from mailmon.mail.caps import MAX_REPLY_CHARS
from mailmon.mail.caps import number as read_number
from mailmon.text import MASK, visible

# A maildrop that holds more is not listed: each message is a line in the answer.
MAX_LISTED = 200_000
# No maildrop has so many messages, and no server wants so long a pause in seconds.
MAX_NUMBER = 10**9
# Of a message's beginning no more is kept; the rest of the answer is read and dropped.
MAX_START_BYTES = 256 * 1024
_BEST_IN_CLEAR = "SCRAM-SHA-256"
_BUSY = ("[IN-USE]", "[SYS/TEMP]")


class LoginTooSoonError(StageError):
    """A login that the server refuses because the one before was too recent (RFC 2449 section 8.1.1).

    `delay_s` are the seconds that it wants between two logins, 0 where it does not say.
    """

    def __init__(self, refusal: StageError, delay_s: float) -> None:
        super().__init__(
            refusal.finding_id, refusal.stage, refusal.target, refusal.said, refusal.advice, is_temporary=True
        )
        self.delay_s = delay_s


class Pop3Client(Conversation):
    """One POP3 session. Every method raises StageError with the server's words.

    A session shows the maildrop as it was at the login, and what is deleted is gone when it ends by `quit`.
    """

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        super().__init__(wire, contexts)
        self._capabilities: dict[str, list[str]] = {}
        self._announced_delay_s = 0.0

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
        """Log in once: by USER, else by the best mechanism that is offered (RFC 5034).

        By a mechanism too where USER would show the password to others, or cannot carry it.
        """
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        offered = self._capabilities.get("SASL", [])
        mechanisms = password_mechanisms(offered, is_encrypted=self._wire.is_encrypted)
        has_user = "USER" in self._capabilities or not self._capabilities
        needs_mechanism = not has_user or not (username + password).isascii() or mechanisms[:1] == [_BEST_IN_CLEAR]
        if mechanisms and needs_mechanism:
            self._authenticate(password_exchange(mechanisms[0], username, password))
        elif has_user:
            self._ask(f"USER {username}", "login_refused")
            self._ask(f"PASS {password}", "login_refused", shown=f"PASS {MASK}")
        else:
            what = f"only AUTH {' '.join(offered)}" if offered else "no login"
            advice = advise_on_offer(offered, "Use TLS or STARTTLS.")
            raise self._wire.error("auth_not_offered", f"the server offers {what}", advice)
        self._read_capabilities(Stage.LOGIN)

    def login_with_token(self, username: str, token: str) -> None:
        """Log in once, by XOAUTH2 or OAUTHBEARER."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        offered = self._capabilities.get("SASL", [])
        way = bearer(offered, username, token, self._wire.server)
        if way is None:
            raise self._wire.error("auth_not_offered", "the server takes no token", advise_on_token(offered))
        self._authenticate(Exchange(way.mechanism, way.initial.decode(), way.resigned.decode()))
        self._read_capabilities(Stage.LOGIN)

    def unique_ids(self) -> dict[int, str]:
        """Return the unique-id of each message by its number in this session (RFC 1939 section 7)."""
        return {number: visible(word, 200) for number, word in self._ask_for_pairs("UIDL", "uidl_missing")}

    def sizes(self) -> dict[int, int]:
        """Return the size of each message in bytes by its number in this session (RFC 1939 section 5, LIST)."""
        pairs = self._ask_for_pairs("LIST", "command_failed")
        sizes = {number: read_number(word.split()[0]) for number, word in pairs}
        return {number: size for number, size in sizes.items() if size is not None}

    def start_of(self, number: int, lines: int, most_bytes: int = MAX_START_BYTES) -> bytes:
        """Return the header of a message and the first lines of its body, cut off at `most_bytes`.

        By TOP, which marks nothing as read; where a server has no TOP, by RETR.
        """
        self._ask(f"TOP {number} {lines}" if self.has_top else f"RETR {number}", "command_failed")
        start = bytearray()
        is_line_start = True
        while True:
            piece = self._wire.read_piece()
            if is_line_start and piece.rstrip(b"\r\n") == b".":
                return bytes(start[:most_bytes]).removesuffix(b"\r\n")
            if len(start) < most_bytes:
                start += _with_crlf(piece.removeprefix(b".") if is_line_start else piece)
            is_line_start = piece.endswith(b"\n")

    @property
    def has_top(self) -> bool:
        """Return whether a message's beginning can be had alone; a server without CAPA is taken to have it."""
        return "TOP" in self._capabilities or not self._capabilities

    @property
    def login_delay_s(self) -> float:
        """Return the seconds that the server wants between two logins (RFC 2449 section 6.5).

        After the login it may be this user's own; before, "USER" behind it says that it is the longest of all users.
        """
        return self._announced_delay_s

    def login_too_soon(self, left_s: float) -> StageError:
        """Return what is said of a login that is not tried, because the server would refuse it for `left_s` more."""
        said = f"not tried: the server wants {self._announced_delay_s:g} s between two logins, {left_s:.0f} s are left"
        refusal = self._wire.error("login_delay", said, is_temporary=True)
        return LoginTooSoonError(refusal, self._announced_delay_s)

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
            self._capabilities[keyword] = [*self._capabilities.get(keyword, []), *words]
        if "LOGIN-DELAY" in self._capabilities:
            self._announced_delay_s = self._read_delay(self._capabilities["LOGIN-DELAY"])

    def _read_delay(self, words: list[str]) -> float:
        """Read the arguments of LOGIN-DELAY. Raises StageError where they are no number of seconds."""
        seconds = read_number(words[0]) if words else 0
        if seconds is None or seconds > MAX_NUMBER:
            said = f"LOGIN-DELAY {' '.join(words)[:100]}".strip()
            raise self._wire.error("protocol_error", f"not a number of seconds: {said}")
        return float(seconds)

    def _ask_for_pairs(self, command: str, problem: str) -> list[tuple[int, bytes]]:
        """Return the lines of a listing: the number of a message in this session, and what is listed of it."""
        self._wire.begin(Stage.SELECT)
        found = []
        for line in self._ask_for_lines(command, problem, MAX_LISTED):
            pair = line.split(None, 1)
            if len(pair) < 2:
                continue
            number = read_number(pair[0])
            if number is None or number > MAX_NUMBER:
                raise self._wire.error("protocol_error", f"not a line of an answer to {command}: {visible(line, 100)}")
            found.append((number, pair[1]))
        return found

    def _authenticate(self, exchange: Exchange) -> None:
        """AUTH with an initial response, in a line of its own where it would be too long (RFC 5034 section 4)."""
        self._wire.send(f"AUTH {exchange.mechanism}\r\n".encode())
        line = self._wire.read_line()
        while line.startswith(b"+ ") or line.strip() == b"+":
            self._wire.send(self._answer(exchange, line[2:].strip()) + b"\r\n", shown=MASK)
            line = self._wire.read_line()
        self._judge(line, "login_refused")
        self._finish(exchange)

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
        said = visible(line.rstrip(b"\r\n"), MAX_REPLY_CHARS)
        if line.startswith(b"-ERR"):
            raise self._refusal(problem, said.removeprefix("-ERR").strip() or "-ERR")
        if not line.startswith(b"+OK"):
            raise self._wire.error("protocol_error", f"not a POP3 reply: {said or 'an empty line'}")

    def _refusal(self, problem: str, words: str) -> StageError:
        """Return what a negative status amounts to."""
        from mailmon.mail.advice import advise, refused

        advice = advise(refused("pop3", self._wire.stage, words))
        if problem == "login_refused" and advice.cause == "logins-too-frequent":
            return LoginTooSoonError(self._wire.error("login_delay", words, advice.text), self._announced_delay_s)
        is_busy = advice.cause == "mailbox-in-use" or any(code in words.upper() for code in _BUSY)
        is_temporary = is_busy or bool(advice.is_temporary)
        return self._wire.error("in_use" if is_busy else problem, words, advice.text, is_temporary=is_temporary)


def _with_crlf(piece: bytes) -> bytes:
    """Return a line, or a piece of one, with the line ending that messages have."""
    return piece[:-1].removesuffix(b"\r") + b"\r\n" if piece.endswith(b"\n") else piece

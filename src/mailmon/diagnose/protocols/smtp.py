"""SMTP and submission (RFC 5321, RFC 3207, RFC 4954)."""

from __future__ import annotations

from base64 import b64encode

from mailmon.clients.helo import helo_name
from mailmon.diagnose.protocols.base import PLAINTEXT, Client, Greeting, sasl_plain
from mailmon.errors import MalformedError, Stage
from mailmon.mail.reply import Reply, ReplyReader, parse_extensions
from mailmon.text import visible

MAX_REPLY_BYTES = 512
# AUTH itself is refused: RFC 4954 section 6, RFC 3207 section 4, and replies of servers where it is disabled.
_NO_LOGIN = (502, 503, 504, 523, 524, 530, 534, 535, 538, 550, 554)
_NO_CONTROL = bytes(byte for byte in range(256) if byte == 9 or (byte >= 32 and byte != 127))


class SmtpClient(Client):
    """One SMTP session."""

    starttls, smuggled, goodbye = b"STARTTLS\r\n", b"NOOP\r\n", b"QUIT\r\n"

    ehlo_name = ""
    has_control_characters = False
    has_long_lines = False

    def greet(self) -> Greeting:
        self.wire.begin(Stage.GREETING)
        reply = self.reply()
        return Greeting(str(reply), reply.code == 220, reply.is_transient)

    def ask(self) -> bool:
        """Send EHLO, and HELO if that is refused (RFC 5321 section 3.2)."""
        reply = self.command(f"EHLO {self.helo_name}")
        if reply.code == 250:
            self._take_name(reply)
            self.capabilities = parse_extensions(reply)
            return True
        self.refusal = reply
        if reply.code >= 500:
            reply = self.command(f"HELO {self.helo_name}")
            self.knows_helo = reply.code == 250
            if self.knows_helo:
                self._take_name(reply)
        return False

    ehlo_words = ""
    # The reply to EHLO if that is refused, and whether HELO is accepted instead.
    refusal: Reply | None = None
    knows_helo = False

    def _take_name(self, reply: Reply) -> None:
        self.ehlo_words = visible(reply.lines[0], 300).strip() if reply.lines else ""
        self.ehlo_name = self.ehlo_words.partition(" ")[0]

    @property
    def helo_name(self) -> str:
        """Return the name to send in EHLO."""
        return self.options.helo or helo_name(self.wire.local_address)

    @property
    def offers_starttls(self) -> bool:
        return "STARTTLS" in self.capabilities

    def logins(self) -> tuple[str, ...]:
        offered = self.capabilities.get("AUTH", "").upper().split()
        return tuple(name for name in PLAINTEXT if name in offered)

    def start_tls(self) -> str:
        reply = self.command("STARTTLS")
        return "" if reply.code == 220 else str(reply)

    def log_in(self, username: str, password: str) -> tuple[bool, str]:
        if "PLAIN" in self.capabilities.get("AUTH", "").upper().split():
            reply = self.command(f"AUTH PLAIN {sasl_plain(username, password)}", "AUTH PLAIN ****")
            return reply.code == 235, str(reply)
        reply = self.command("AUTH LOGIN")
        for word in (username, password):
            if reply.code != 334:
                break
            reply = self.command(b64encode(word.encode()).decode(), "****")
        return reply.code == 235, str(reply)

    def refusal_of_logins(self) -> str:
        """Start AUTH without an initial response (RFC 4954 section 4): 334 asks for the password."""
        said = ""
        for name in self.logins():
            reply = self.command(f"AUTH {name}")
            if reply.code not in _NO_LOGIN:
                return ""
            said = str(reply)
        return said

    def is_answer(self, line: bytes) -> bool:
        return line[:3].isdigit() and line[3:4] != b"-"

    def command(self, text: str, shown: str | None = None) -> Reply:
        """Send a command and return its reply."""
        self.send(text, shown)
        return self.reply()

    def reply(self) -> Reply:
        """Read one reply of one or more lines."""
        reader = ReplyReader()
        while True:
            line = self.line()
            self.has_long_lines |= len(line) + 2 > MAX_REPLY_BYTES
            self.has_control_characters |= bool(line.translate(None, _NO_CONTROL))
            try:
                reply = reader.feed(line)
            except MalformedError as exc:
                raise self.wire.error("protocol_error", exc.message) from exc
            if reply:
                return reply

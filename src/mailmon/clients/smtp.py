"""SMTP submission (RFC 5321, STARTTLS RFC 3207, AUTH RFC 4954, PIPELINING RFC 2920)."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

from mailmon.clients.conversation import Conversation, password_exchange
from mailmon.clients.helo import helo_name
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
from mailmon.errors import MalformedError, Stage, StageError
from mailmon.mail.reply import Reply, ReplyReader, find_queue_id, parse_extensions
from mailmon.text import MASK

# Content filters run before the 250: RFC 5321 section 4.5.3.2.6 asks for ten minutes, a monitor cannot wait so long.
DATA_TIMEOUT_S = 60.0


# The end of a session that was idle: Postfix and Exim say 421, Gmail 451 4.4.2, Exchange 451 4.7.0.
# Compiled when a server refuses something.
_FAREWELL = r"421\b|4\d\d (?:4\.4\.2\b|[^\n]*\b(?:timeout|time-out|timed out|idle)\b)"


class Accepted(NamedTuple):
    """The 250 after DATA; `at_s` is its arrival on the monotonic clock, `refused` holds (recipient, reply).

    What the server said is masked: a server may say what it was told.
    """

    at_s: float
    queue_id: str
    reply: str
    refused: tuple[tuple[str, str], ...] = ()


class SmtpClient(Conversation):
    """One SMTP session. Every method raises StageError with the server's reply in its words."""

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        super().__init__(wire, contexts)
        self._reader = ReplyReader()
        self._lock = threading.Lock()
        self._is_clean = True
        self.extensions: dict[str, str] = {}

    def open(self) -> None:
        """Read the greeting, say EHLO and protect the connection as configured."""
        if self._wire.server.security is Security.TLS:
            self._wire.start_tls(self._contexts)
        self._wire.begin(Stage.GREETING)
        self._expect(self._reply(), "greeting_rejected", 220)
        self._ehlo()
        if self._wire.server.security is Security.STARTTLS:
            self._start_tls()
            self._ehlo()

    def login(self, username: str, password: str) -> None:
        """Log in once, by the best mechanism that is offered; by the next one where the server does not know it.

        Raises StageError. A password that was refused is never tried again.
        """
        offered = self._begin_login()
        mechanisms = password_mechanisms(offered, is_encrypted=self._wire.is_encrypted)
        if not mechanisms:
            what = f"only AUTH {' '.join(offered)}" if offered else "no AUTH"
            advice = advise_on_offer(offered, "Is this the submission port (587 or 465)?")
            raise self._wire.error("auth_not_offered", f"the server offers {what}", advice)
        for left, mechanism in zip(range(len(mechanisms), 0, -1), mechanisms, strict=True):
            exchange = password_exchange(mechanism, username, password)
            reply = self._authenticate(exchange)
            if left == 1 or not _is_unknown_mechanism(reply):
                break
        self._expect(reply, "login_refused", 235)
        self._finish(exchange)

    def login_with_token(self, username: str, token: str) -> None:
        """Log in once, by XOAUTH2 or OAUTHBEARER."""
        offered = self._begin_login()
        way = bearer(offered, username, token, self._wire.server)
        if way is None:
            what = f"only AUTH {' '.join(offered)}" if offered else "no AUTH"
            raise self._wire.error("auth_not_offered", f"the server offers {what}", advise_on_token(offered))
        self._send(f"AUTH {way.mechanism} {b64encode(way.initial).decode()}", shown=f"AUTH {way.mechanism} {MASK}")
        reply = self._reply()
        if reply.code == 334:  # the error in JSON; the refusal follows our answer
            self._send(b64encode(way.resigned).decode())
            reply = self._reply()
        self._expect(reply, "login_refused", 235)

    def _begin_login(self) -> list[str]:
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        return self.extensions.get("AUTH", "").upper().split()

    def _authenticate(self, exchange: Exchange) -> Reply:
        """Return the reply that ends one AUTH (RFC 4954 section 4)."""
        begin = f"AUTH {exchange.mechanism}"
        if exchange.has_initial:
            self._send(f"{begin} {self._answer(exchange, b'').decode()}", shown=f"{begin} {MASK}")
        else:
            self._send(begin)
        while (reply := self._reply()).code == 334:
            self._send(self._answer(exchange, reply.lines[0]).decode(), shown=MASK)
        return reply

    def send(self, sender: str, recipient: str, message: bytes) -> Accepted:
        """Hand over one message (CRLF line endings) for one recipient. Threads may share the session."""
        return self.send_to_any(sender, (recipient,), message)

    def send_to_any(self, sender: str, recipients: Sequence[str], message: bytes) -> Accepted:
        """Hand over one message for those of the recipients whom the server takes, one of them at least."""
        with self._lock:
            self._reset()
            self._is_clean = False
            accepted = self._transact(sender, recipients, message)
            self._is_clean = True
            return accepted

    def _reset(self) -> None:
        """Clear what a refused transaction left behind (RFC 5321 section 4.1.1.5)."""
        if not self._is_clean:
            self._wire.begin(Stage.MAIL)
            self._send("RSET")
            self._expect(self._reply(), "mail_refused", 250)

    def _transact(self, sender: str, recipients: Sequence[str], message: bytes) -> Accepted:
        mail = f"MAIL FROM:<{sender}>{self._parameters(message, (sender, *recipients))}"
        rcpts = [f"RCPT TO:<{recipient}>" for recipient in recipients]
        self._wire.begin(Stage.MAIL)
        if "PIPELINING" in self.extensions:
            self._send("\r\n".join((mail, *rcpts, "DATA")))
            replies = self._pipelined(len(rcpts))
        else:
            replies = self._one_by_one(mail, rcpts)
        self._raise_refusal(replies)
        self._wire.begin(Stage.DATA, max(DATA_TIMEOUT_S, self._wire.server.timeout_s))
        self._wire.send(_dot_stuffed(message), shown=f"(the message, {len(message)} bytes)")
        reply = self._expect(self._reply(), "data_refused", 250)
        at_s = self._wire.now_s()
        answers = zip(recipients, (answer for stage, answer in replies if stage is Stage.RCPT), strict=True)
        masked = self._wire.masked
        refused = tuple((recipient, masked(str(answer))) for recipient, answer in answers if not answer.is_positive)
        return Accepted(at_s, find_queue_id(masked(reply.text)), masked(str(reply)), refused)

    def _parameters(self, message: bytes, addresses: Sequence[str]) -> str:
        """Return what MAIL says of a message with 8-bit text (RFC 6152) or with addresses in UTF-8 (RFC 6531).

        Raises StageError where the server does not take it, before anything is sent.
        """
        needed = next((address for address in addresses if not address.isascii()), "")
        if needed and "SMTPUTF8" not in self.extensions:
            self._wire.begin(Stage.MAIL)
            said = f"the server does not offer SMTPUTF8, which {needed} needs"
            raise self._wire.error("smtputf8_missing", said, "Use an address whose part before the @ is ASCII.")
        utf8 = " SMTPUTF8" if needed else ""
        if message.isascii():
            return utf8
        if "8BITMIME" not in self.extensions:
            self._wire.begin(Stage.MAIL)
            raise self._wire.error("no_8bitmime", "the server does not offer 8BITMIME", "Send another kind of probe.")
        return f" BODY=8BITMIME{utf8}"

    def close(self) -> None:
        """Send QUIT without waiting for the reply; never raises."""
        try:
            self._wire.begin(Stage.GREETING, 1.0)
            self._send("QUIT")
        except StageError:
            pass
        self._wire.close()

    def _ehlo(self) -> None:
        self._wire.begin(Stage.EHLO)
        self._send(f"EHLO {self._helo}")
        self.extensions = parse_extensions(self._expect(self._reply(), "ehlo_refused", 250))

    @property
    def _helo(self) -> str:
        return self._wire.server.helo or helo_name(self._wire.local_address)

    def _start_tls(self) -> None:
        self._begin_starttls(is_offered="STARTTLS" in self.extensions)
        self._send("STARTTLS")
        self._expect(self._reply(), "starttls_refused", 220)
        self._wire.start_tls(self._contexts)

    def _pipelined(self, recipients: int) -> list[tuple[Stage, Reply]]:
        replies: list[tuple[Stage, Reply]] = []
        try:
            for stage in (Stage.MAIL, *[Stage.RCPT] * recipients, Stage.DATA):
                self._wire.stage = stage
                replies.append((stage, self._reply()))
            if replies[-1][1].code == 354 and _is_refused(replies, recipients):
                self._send(
                    "."
                )  # RFC 2920 section 3.1: a server may want the (empty) message although it refused before
                self._reply()
        except StageError:
            if not _is_refused(replies, recipients):
                raise
            # The server is gone behind its refusal, which is what a person must hear.
        return replies

    def _one_by_one(self, mail: str, rcpts: Sequence[str]) -> list[tuple[Stage, Reply]]:
        replies: list[tuple[Stage, Reply]] = []
        for stage, command in ((Stage.MAIL, mail), *((Stage.RCPT, rcpt) for rcpt in rcpts), (Stage.DATA, "DATA")):
            if _is_refused(replies, len(rcpts)):
                break
            self._wire.begin(stage)
            self._send(command)
            replies.append((stage, self._reply()))
        return replies

    def _raise_refusal(self, replies: list[tuple[Stage, Reply]]) -> None:
        """Raise StageError unless the sender, a recipient and DATA were taken.

        Of several recipients one that was taken decides, else one that may be taken later.
        """
        answers = [reply for stage, reply in replies if stage is Stage.RCPT]
        deciding = sorted(answers, key=lambda reply: (not reply.is_positive, not reply.is_transient))[:1]
        for stage, reply in replies:
            if stage is Stage.RCPT and reply is not deciding[0]:
                continue
            self._wire.stage = stage
            self._expect(reply, f"{stage.lower()}_refused", *((354,) if stage is Stage.DATA else (250, 251, 252)))

    def _expect(self, reply: Reply, problem: str, *codes: int) -> Reply:
        if reply.code in codes:
            return reply
        from mailmon.mail.advice import advice_on, advise, refused_by_smtp

        said, advice = str(reply), advise(refused_by_smtp(self._wire.stage, reply))
        text = advice.text
        if advice.cause == "helo-refused" or _names_helo(reply, self._helo):
            said += f" (EHLO sent: {self._helo})"
            text = advice_on("helo-refused")
        raise self._wire.error(problem, said, text, is_temporary=reply.is_transient)

    def _reply(self) -> Reply:
        while True:
            line = self._wire.read_line().rstrip(b"\r\n")
            try:
                reply = self._reader.feed(line)
            except MalformedError as exc:
                raise self._wire.error("protocol_error", exc.message) from exc
            if reply:
                return reply

    def _send(self, command: str, shown: str | None = None) -> None:
        self._wire.send(command.encode("utf-8") + b"\r\n", shown)


def ended_before_mail(exc: StageError) -> bool:
    """Return whether the server ended a session before anything was handed over, as it does with one that was idle.

    Postfix waits for five minutes, under stress for ten seconds (STRESS_README). Not once MAIL was accepted.
    """
    return exc.stage is Stage.MAIL and (exc.lost or re.match(_FAREWELL, exc.said, re.IGNORECASE) is not None)


def _names_helo(reply: Reply, helo: str) -> bool:
    """Return whether a refusal quotes the name in EHLO; a server may keep it to itself until RCPT."""
    is_unknown_command = reply.code in (500, 502, 503)
    return f"<{helo}>" in reply.text and not is_unknown_command


def _is_unknown_mechanism(reply: Reply) -> bool:
    """Return whether a reply to AUTH refuses the mechanism and not the login (RFC 4954 section 6, RFC 5248).

    Some servers offer what they do not have: their submission was set up apart from what checks passwords.
    """
    about_login = reply.code in (534, 535)
    return reply.code == 504 or (reply.code >= 500 and not about_login and reply.enhanced_code in ("5.5.4", "5.7.4"))


def _is_refused(replies: list[tuple[Stage, Reply]], recipients: int) -> bool:
    """Return whether these replies leave nothing to send: no sender, or none of all the recipients, was taken."""
    if any(stage is not Stage.RCPT and not reply.is_positive for stage, reply in replies):
        return True
    answers = [reply.is_positive for stage, reply in replies if stage is Stage.RCPT]
    return len(answers) == recipients and not any(answers)


def _dot_stuffed(message: bytes) -> bytes:
    """Return a message as it goes over the wire, with its final dot (RFC 5321 section 4.5.2)."""
    body = message if message.endswith(b"\r\n") else message + b"\r\n"
    stuffed = body.replace(b"\r\n.", b"\r\n..")
    return (b"." if stuffed.startswith(b".") else b"") + stuffed + b".\r\n"

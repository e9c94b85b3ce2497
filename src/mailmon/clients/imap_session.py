"""An IMAP session up to the login, and how its commands fail (RFC 3501, STARTTLS).

imaplib does the protocol over our wire, by its documented seams: one deadline per command, a transcript without
credentials, errors that name the stage. Why imaplib and not IMAPClient: docs/decisions/0003-imaplib.md.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable
from typing import Any, TypeVar

from mailmon.clients.conversation import Conversation, password_exchange
from mailmon.clients.sasl import (
    Exchange,
    SaslError,
    advise_on_offer,
    advise_on_token,
    bearer,
    password_mechanisms,
)
from mailmon.clients.server import Security
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, MAX_LITERAL_BYTES, Wire
from mailmon.errors import MalformedError, Stage, StageError
from mailmon.mail.caps import MAX_REPLY_CHARS
from mailmon.mail.imapdata import quoted, read_number
from mailmon.text import MASK, visible

# How many answers to one command are kept, and how many bytes of what it found: more is no answer to what we ask. There
# are servers that find every message whatever they are asked for, also in a folder of 100,000.
MAX_ANSWERS, MAX_FOUND_BYTES = 20_000, 1024 * 1024
# So much may come in one session that nobody asked for: flags that others change, messages that go.
MAX_UNASKED_BYTES = 32 * 1024 * 1024
# What an answer counts beside its own bytes: a short one takes time all the same.
_ANSWER_BYTES = 128
# What each command is answered with; the newest of what may ride on any answer is kept until it is read.
_ANSWERED_BY = {
    "FETCH": {"FETCH"},
    "SEARCH": {"SEARCH"},
    "LIST": {"LIST"},
    "CAPABILITY": {"CAPABILITY"},
    "GETQUOTAROOT": {"QUOTA", "QUOTAROOT"},
}
_NEWEST_OF = frozenset((
    "OK", "NO", "BAD", "BYE", "PREAUTH", "CAPABILITY", "EXISTS", "UIDNEXT", "UIDVALIDITY", "READ-ONLY", "READ-WRITE",
    "COPYUID", "TRYCREATE",
))  # fmt: skip
_LOGIN_ARGUMENTS = re.compile(rb"^(\S+ (?:LOGIN|AUTHENTICATE [A-Z0-9-]+))\b.*", re.DOTALL | re.IGNORECASE)


class WireImap(imaplib.IMAP4):
    """imaplib over our wire: `open`, `read`, `readline`, `send` and `shutdown` are its documented seams.

    imaplib keeps every untagged answer until somebody asks for its kind; a server that never stops talking would fill
    the memory. Here each command keeps what answers it, and drops the rest: at most the 8 MiB that the wire takes for
    one command, in MAX_ANSWERS pieces, and nothing from one command to the next but the newest of a few kinds.
    """

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._hides_input = self._has_asked = False
        self.keeps_bytes = MAX_LITERAL_BYTES
        self._wanted: set[str] = set()
        self._answers = self._answer_bytes = self._unasked_bytes = 0
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

    def _command(self, name: str, *args: Any) -> bytes:
        """Begin a command: what came before and was not read is forgotten."""
        asked = str(args[0]) if name == "UID" and args else name
        self._wanted = _ANSWERED_BY.get(asked.upper(), set())
        self._answers = self._answer_bytes = 0
        self._has_asked = True
        for kind in [kind for kind in self.untagged_responses if kind not in _NEWEST_OF]:
            del self.untagged_responses[kind]
        tag: bytes = super()._command(name, *args)  # type: ignore[misc]  # not in the stubs
        return tag

    def _append_untagged(self, typ: str, dat: Any) -> None:
        """Keep an answer that was asked for, or the newest of its kind. Raises StageError over the limits."""
        size_bytes = _ANSWER_BYTES + (sum(map(len, dat)) if isinstance(dat, tuple) else len(dat or b""))
        if typ in self._wanted:
            self._answers += 1
            self._answer_bytes += size_bytes
            if self._answers > MAX_ANSWERS or (typ == "SEARCH" and self._answer_bytes > MAX_FOUND_BYTES):
                said = f"an answer in {self._answers} parts with {self._answer_bytes} bytes, more than is taken"
                raise self._wire.error("protocol_error", said)
            super()._append_untagged(typ, dat)  # type: ignore[misc]  # not in the stubs
            return
        if typ in _NEWEST_OF:
            self.untagged_responses[typ] = [dat or b""]
        if typ == "BYE" and self._has_asked:
            # imaplib looks for it only before some reads: amid an AUTHENTICATE it would wait for the whole time-out.
            self._check_bye()
        self._unasked_bytes += size_bytes
        if self._unasked_bytes > MAX_UNASKED_BYTES:
            said = f"the server sent more than {MAX_UNASKED_BYTES // 1024**2} MiB that nobody asked for"
            raise self._wire.error("protocol_error", said)

    def _check_bye(self) -> None:
        """Raise what a BYE says, as it came: read as ASCII, a password that it quotes could not be told to be one."""
        if bye := self.untagged_responses.get("BYE"):
            raise self.abort(bye[-1])

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


_PREAUTH_ADVICE = (
    "Nothing was sent. Take PREAUTH out of the server's configuration, or find out who answers in its place."
)
_WITHOUT_PASSWORD = "SCRAM-SHA-256"  # noqa: S105 -- a mechanism that does not send it
_T = TypeVar("_T")
_A = TypeVar("_A")


class ImapSession(Conversation):
    """One connection. Every method raises StageError with the server's words."""

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        super().__init__(wire, contexts)
        self._imap: WireImap
        self._capabilities: set[str] = set()

    def open(self) -> None:
        """Read the greeting and protect the connection as configured."""
        if self._wire.server.security is Security.TLS:
            self._wire.start_tls(self._contexts)
        self._wire.begin(Stage.GREETING)
        self._imap = self._ask("greeting_rejected", lambda: WireImap(self._wire))
        self._capabilities = {str(name).upper() for name in self._imap.capabilities}
        if self._wire.server.security is Security.STARTTLS:
            self._start_tls()
        elif self._is_preauthenticated:
            said = "the server greets with PREAUTH: whoever connects is logged in, without a password"
            raise self._wire.error("preauth", said, _PREAUTH_ADVICE, is_critical=True)

    def login(self, username: str, password: str) -> None:
        """Log in once: by LOGIN, or by a mechanism where that is safer, or where LOGIN is not allowed or cannot be."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        mechanisms = password_mechanisms(self._offered, is_encrypted=self._wire.is_encrypted)
        text = username + password
        can_say_login = "LOGINDISABLED" not in self._capabilities and text.isascii() and text.isprintable()
        # There are servers that do not know the escapes of a quoted string.
        is_awkward = "PLAIN" in mechanisms and any(sign in text for sign in '"\\')
        if mechanisms and (not can_say_login or is_awkward or mechanisms[0] == _WITHOUT_PASSWORD):
            self._authenticate(password_exchange(mechanisms[0], username, password))
        elif can_say_login:
            self._ask("login_refused", lambda: self._imap.login_hidden(username, password))
        else:
            raise self._no_way_in(text)
        self._wire.begin(Stage.LOGIN)
        self._ask("command_failed", self._read_capabilities)

    def login_with_token(self, username: str, token: str) -> None:
        """Log in once, by XOAUTH2 or OAUTHBEARER."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        way = bearer(self._offered, username, token, self._wire.server)
        if way is None:
            raise self._wire.error("auth_not_offered", "the server takes no token", advise_on_token(self._offered))
        # The second challenge, if any, is the error in JSON (RFC 7628 section 3.2.3).
        self._authenticate(Exchange(way.mechanism, way.initial.decode(), way.resigned.decode()))
        self._wire.begin(Stage.LOGIN)
        self._ask("command_failed", self._read_capabilities)

    @property
    def _offered(self) -> list[str]:
        """Return the mechanisms that the server offers."""
        return sorted(name.removeprefix("AUTH=") for name in self._capabilities if name.startswith("AUTH="))

    def _authenticate(self, exchange: Exchange) -> None:
        def answer(challenge: bytes) -> bytes:
            try:
                return exchange.answer(challenge)
            except SaslError as exc:
                raise self._sasl_error(exc) from exc

        self._ask("login_refused", lambda: self._imap.authenticate_hidden(exchange.mechanism, answer))
        self._finish(exchange)

    def _no_way_in(self, text: str) -> StageError:
        """Return why nothing was sent: what the server offers fits neither us nor the credential."""
        offered = self._offered
        only = f"only AUTH {' '.join(offered)}" if offered else ""
        if "LOGINDISABLED" not in self._capabilities:
            what = f"the server offers {only or 'only LOGIN'}, by which a name or password beyond ASCII cannot be sent"
            advice = "Enable AUTH=PLAIN on the server, or use a login name and a password of ASCII characters."
            return self._wire.error("auth_not_offered", what, advice)
        if_nothing = "Enable AUTH=PLAIN on the server." if self._wire.is_encrypted else "Use TLS or STARTTLS."
        what = "the server allows no login here" + (f", it offers {only}" if only else "")
        return self._wire.error("auth_not_offered", what, advise_on_offer(offered, if_nothing))

    def close(self) -> None:
        """Send LOGOUT without waiting for the response; never raises."""
        try:
            self._wire.begin(Stage.CLEANUP, 1.0)
            self._wire.send(b"bye LOGOUT\r\n")
        except StageError:
            pass
        self._wire.close()

    @property
    def _is_preauthenticated(self) -> bool:
        return self._imap.state == "AUTH"

    def _start_tls(self) -> None:
        self._begin_starttls(is_offered="STARTTLS" in self._capabilities)
        if self._is_preauthenticated:  # CVE-2020-12398: a client that goes on does so without TLS
            said = "the server greets with PREAUTH: whoever connects is logged in, and TLS cannot be begun"
            raise self._wire.error("starttls_refused", said, _PREAUTH_ADVICE, is_critical=True)
        self._ask("starttls_refused", lambda: self._checked(self._imap.xatom("STARTTLS")))
        self._wire.start_tls(self._contexts)
        self._wire.begin(Stage.TLS)
        # What was offered in clear may have been tampered with: RFC 3501 section 6.2.1.
        self._capabilities = set()
        self._imap.untagged_responses.pop("CAPABILITY", None)
        self._ask("command_failed", self._read_capabilities)

    def _read_capabilities(self) -> None:
        """Take the capabilities that came along with the last answer, else ask for them."""
        _, data = self._imap.response("CAPABILITY")
        if not data or data[-1] is None:
            _, data = self._imap.capability()
        said = b" ".join(item for item in data if isinstance(item, bytes))  # some write more than one line
        self._capabilities = set(visible(said, 4000).upper().split())

    def _read(self, reader: Callable[[_A], _T], raw: _A) -> _T:
        """Let a parser read what came; what it cannot make sense of is the server's fault."""
        try:
            return reader(raw)
        except MalformedError as exc:
            raise self._wire.error("protocol_error", exc.message) from exc

    def _untagged_number(self, name: str, default: int) -> int:
        _, data = self._imap.response(name)
        numbers = [self._read(read_number, item) for item in data if isinstance(item, bytes) and item.isdigit()]
        return numbers[-1] if numbers else default

    def _refusal(self, problem: str, said: str, *, lost: bool = False) -> StageError:
        """Return what a refusal, or the end of the session, amounts to."""
        from mailmon.mail.advice import advise, refused

        advice = advise(refused("imap", self._wire.stage, said, is_answer=not lost))
        return self._wire.error(problem, said, advice.text, lost=lost, is_temporary=bool(advice.is_temporary))

    def _checked(self, answer: tuple[str, list[Any]]) -> list[Any]:
        typ, data = answer
        if typ != "OK":
            raise imaplib.IMAP4.error(f"{typ} {visible(data[-1] or b'', MAX_REPLY_CHARS)}")
        return data

    def _ask(self, problem: str, command: Callable[[], _T]) -> _T:
        """Run one imaplib call and translate how it fails."""
        try:
            return command()
        except imaplib.IMAP4.abort as exc:
            said = _said(exc)
            if "unexpected " in said:
                raise self._wire.error("protocol_error", said) from exc
            raise self._refusal("connection_lost", said, lost=True) from exc
        except imaplib.IMAP4.error as exc:
            raise self._refusal(problem, _said(exc)) from exc
        except (ValueError, LookupError, TypeError, AttributeError, AssertionError) as exc:
            # imaplib trusts the shape of answers; a broken or hostile server makes it stumble in one of these ways.
            raise self._wire.error("protocol_error", f"an answer that makes no sense ({type(exc).__name__})") from exc


def _said(exc: Exception) -> str:
    """Return the server's words from an imaplib exception, which holds bytes or their repr."""
    first = exc.args[0] if exc.args else ""
    text = visible(first if isinstance(first, bytes | str) else str(first), MAX_REPLY_CHARS)
    return _without_repr(text.rpartition(" => ")[2])


def _without_repr(words: str) -> str:
    """Return words with the bytes at their end as they are, not as Python writes them.

    >>> _without_repr("NO [b'[LIMIT] too many']"), _without_repr("b'it''s'"), _without_repr("NO a'b'c")
    ('NO [LIMIT] too many', "it''s", "NO a'b'c")
    """
    bare = words.removesuffix("]")
    quote = bare[-1:]
    at = words.find(f"b{quote}") if quote in ("'", '"') else -1
    if at < 0 or at + 2 > len(bare) - 1:
        return words
    before = words[:at]
    return (before[:-1] if before.endswith("[") else before) + bare[at + 2 : -1]

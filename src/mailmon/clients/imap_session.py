"""One IMAP session up to the login, and how its commands fail. (RFC 3501 with STARTTLS)

imaplib does the protocol (imapwire.py), our wire carries it: one deadline a command, a transcript, errors that say the
stage.
"""

from __future__ import annotations

import imaplib
from collections.abc import Callable
from typing import Any, TypeVar

from mailmon.clients.conversation import Conversation
from mailmon.clients.imapwire import WireImap
from mailmon.clients.sasl import bearer
from mailmon.clients.server import Security
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, Wire
from mailmon.errors import MalformedError, Stage, StageError
from mailmon.mail.caps import MAX_REPLY_CHARS
from mailmon.mail.imapdata import read_number
from mailmon.mail.text import visible

_LOGIN_ADVICE = "Check the password file; the login name is case-sensitive on some servers."
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

    def login(self, username: str, password: str) -> None:
        """Log in once."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        must_authenticate = "LOGINDISABLED" in self._capabilities
        can_authenticate = "AUTH=PLAIN" in self._capabilities
        if must_authenticate and not can_authenticate:
            raise self._wire.error("auth_not_offered", "the server allows no login here", "Use TLS or STARTTLS.")
        # There are servers that do not know the escapes of a quoted string.
        must_authenticate |= can_authenticate and any(sign in username + password for sign in '"\\')
        self._ask("login_refused", lambda: self._imap.login_hidden(username, password, must_authenticate))
        self._wire.begin(Stage.LOGIN)
        self._ask("command_failed", self._read_capabilities)

    def login_with_token(self, username: str, token: str) -> None:
        """Log in once, by XOAUTH2 or OAUTHBEARER."""
        self._wire.begin(Stage.LOGIN, max(LOGIN_TIMEOUT_S, self._wire.server.timeout_s))
        offered = [name.removeprefix("AUTH=") for name in self._capabilities if name.startswith("AUTH=")]
        way = bearer(offered, username, token, self._wire.server)
        if way is None:
            raise self._wire.error("auth_not_offered", "the server takes no token", "A token needs XOAUTH2.")
        self._ask("login_refused", lambda: self._imap.login_by(way))
        self._wire.begin(Stage.LOGIN)
        self._ask("command_failed", self._read_capabilities)

    def close(self) -> None:
        """Say LOGOUT without waiting for the answer; never raises."""
        try:
            self._wire.begin(Stage.CLEANUP, 1.0)
            self._wire.send(b"bye LOGOUT\r\n")
        except StageError:
            pass
        self._wire.close()

    def _start_tls(self) -> None:
        self._begin_starttls(is_offered="STARTTLS" in self._capabilities)
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
        self._capabilities = set(visible(data[-1] or b"", 4000).upper().split())

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
            raise self._wire.error("connection_lost", said, lost=True) from exc
        except imaplib.IMAP4.error as exc:
            raise self._wire.error(problem, _said(exc), _LOGIN_ADVICE if problem == "login_refused" else "") from exc
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

"""What is in this mailbox? (RFC 3501 with STARTTLS, UIDPLUS RFC 4315)

imaplib does the protocol (imapwire.py), our wire carries it: one deadline a command, a transcript, errors that say the
stage.
"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from mailmon.clients.imapwire import WireImap
from mailmon.clients.sasl import bearer
from mailmon.clients.server import Security
from mailmon.clients.tls import PeerCertificate, TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, MAX_LINE_BYTES, MAX_LITERAL_BYTES, Wire
from mailmon.errors import MalformedError, Stage, StageError
from mailmon.mail.imapdata import (
    Fetched,
    FetchItem,
    pair_literals,
    quoted,
    read_message,
    read_number,
    read_uid,
)
from mailmon.mail.imapdata import since as since_day
from mailmon.mail.text import visible

_LOGIN_ADVICE = "Check the password file; the login name is case-sensitive on some servers."
MAX_HEADER_BYTES = 65536
_T = TypeVar("_T")
_A = TypeVar("_A")


class ImapClient:
    """One IMAP session on one folder. Every method raises StageError with the server's words."""

    look_interval_s = 0.0

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        self._wire = wire
        self._contexts = contexts
        self._imap: WireImap
        self._capabilities: set[str] = set()
        self.exists = 0
        self.uid_next = 1
        self.uid_validity = 0
        self.is_read_only = False

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

    def select(self, folder: str) -> None:
        """Open a folder for reading and deleting; `is_read_only` tells when the server allows only the former."""
        self._wire.begin(Stage.SELECT)

        def select() -> None:
            try:
                self._checked(self._imap.select(quoted(folder)))
            except imaplib.IMAP4.readonly:
                self._checked(self._imap.select(quoted(folder), readonly=True))
                self.is_read_only = True

        self._ask("select_failed", select)
        self._note_selected()

    def _note_selected(self) -> None:
        self.exists = self._untagged_number("EXISTS", 0)
        self.uid_next = self._untagged_number("UIDNEXT", 0) or self._highest_uid() + 1
        self.uid_validity = self._untagged_number("UIDVALIDITY", 0)

    def noop(self) -> bool:
        """Let the server tell what is new; say whether it told of messages since it was last asked."""
        self._ask("command_failed", lambda: self._checked(self._imap.noop()))
        return self.was_told()

    def was_told(self) -> bool:
        """Say whether any answer since the last call told how many messages there are; EXISTS may ride on each.

        Not whether there are more than before: after an EXPUNGE a new message leaves the number as it was.
        """
        told = self._untagged_number("EXISTS", -1)
        self.exists = told if told >= 0 else self.exists
        return told >= 0

    def find_field(self, name: str, since: datetime | None) -> list[int]:
        """Return the UIDs of messages with a header field, of those since a day where it is given."""
        return self.search(*(since_day(since) if since else ()), "HEADER", name, '""')

    def find_words(self, words: Sequence[str], *, since: datetime | None = None, first_uid: int = 0) -> list[int]:
        """Return the UIDs of messages in which one of some words stands."""
        where = (*(since_day(since) if since else ()), *(("UID", f"{first_uid}:*") if first_uid else ()))
        any_of_them = [part for word in words[1:] for part in ("OR", "TEXT", word)]
        return self.search(*where, *any_of_them, "TEXT", words[0])

    def search(self, *criteria: str) -> list[int]:
        """Return the UIDs that the server finds. A hint: some servers ignore the criteria."""
        answer = self._ask("command_failed", lambda: self._checked(self._imap.uid("SEARCH", *criteria)))
        words = b" ".join(part for part in answer if isinstance(part, bytes)).split()
        return [self._read(read_number, word) for word in words if word.isdigit()]

    def headers_from(self, uid: int, fields: Sequence[str]) -> list[Fetched]:
        """Return header fields and arrival time of the messages from a UID on, without marking any as read."""
        return self._headers(f"{uid}:*", fields)

    def headers_of(self, uids: Collection[int], fields: Sequence[str]) -> list[Fetched]:
        """Return the same of certain messages."""
        return self._headers(",".join(map(str, uids)), fields) if uids else []

    def _headers(self, uids: str, fields: Sequence[str]) -> list[Fetched]:
        # Some servers send whole messages although they are asked for fields: no more is kept than fields can be.
        self._imap.keeps_bytes = MAX_HEADER_BYTES
        try:
            return self._fetch(uids, f"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})])")
        finally:
            self._imap.keeps_bytes = MAX_LITERAL_BYTES

    def fetch_start(self, uid: int, size_bytes: int) -> bytes:
        """Return the first bytes of a message, without marking it as read."""
        fetched = self._fetch(str(uid), f"(UID BODY.PEEK[]<0.{size_bytes}>)")
        return fetched[0].text if fetched else b""

    def delete(self, uids: Iterable[int]) -> bool:
        """Delete messages by UID; say whether they are gone.

        Without UIDPLUS they are only flagged: a plain EXPUNGE would take other people's deletions along (RFC 4315
        section 2.1).
        """
        uid_set = ",".join(map(str, uids))
        flags = ("+FLAGS.SILENT", r"(\Deleted)")
        self._ask("command_failed", lambda: self._checked(self._imap.uid("STORE", uid_set, *flags)))
        if "UIDPLUS" not in self._capabilities:
            return False
        self._ask("command_failed", lambda: self._checked(self._imap.uid("EXPUNGE", uid_set)))
        return True

    def begin(self, stage: Stage, timeout_s: float | None = None) -> None:
        """Start a new command with its own deadline."""
        self._wire.begin(stage, timeout_s)

    def rest(self) -> None:
        """An open folder is in nobody's way."""

    def now_s(self) -> float:
        """Return the monotonic clock."""
        return self._wire.now_s()

    def certificate(self) -> PeerCertificate | None:
        """Return the server's certificate, None where it was not verified by its chain."""
        return self._wire.certificate()

    def close(self) -> None:
        """Say LOGOUT without waiting for the answer; never raises."""
        try:
            self._wire.begin(Stage.CLEANUP, 1.0)
            self._wire.send(b"bye LOGOUT\r\n")
        except StageError:
            pass
        self._wire.close()

    def _start_tls(self) -> None:
        self._wire.begin(Stage.TLS)
        if "STARTTLS" not in self._capabilities:
            raise self._wire.error(
                "starttls_missing",
                "the server does not offer STARTTLS",
                "Nothing was sent. Use the TLS port, or set the security to plain if the network is trusted.",
            )
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

    def _highest_uid(self) -> int:
        items = self._fetch_items("*", "(UID)") if self.exists else []
        return max((uid for description, _ in items if (uid := self._read(read_uid, description))), default=0)

    def _fetch(self, uids: str, items: str) -> list[Fetched]:
        messages = [self._read(read_message, item) for item in self._fetch_items(uids, items)]
        return [message for message in messages if message]

    def _fetch_items(self, uids: str, items: str) -> list[FetchItem]:
        return pair_literals(self._ask("command_failed", lambda: self._checked(self._imap.uid("FETCH", uids, items))))

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
            raise imaplib.IMAP4.error(f"{typ} {visible(data[-1] or b'', MAX_LINE_BYTES)}")
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
    text = visible(first if isinstance(first, bytes | str) else str(first), MAX_LINE_BYTES)
    return re.sub(r"\[?b(['\"])(.*)\1\]?$", r"\2", text.rpartition(" => ")[2])

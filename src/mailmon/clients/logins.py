"""Logins: an account's connections to its servers, opened and logged in with its password or token."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from mailmon.clients.account import Account
from mailmon.clients.deadline import Deadline
from mailmon.clients.imap import ImapClient
from mailmon.clients.resolver import Resolve, of_family
from mailmon.clients.server import Server
from mailmon.clients.smtp import SmtpClient
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, Record, Wire, connect
from mailmon.model import Secret
from mailmon.text import MIN_WITHIN, Masker

if TYPE_CHECKING:  # only who has them loads them
    from mailmon.clients.oauth import Tokens
    from mailmon.clients.pop3 import Pop3Client

_Imap = TypeVar("_Imap", bound=ImapClient)
_Client = TypeVar("_Client", bound="ImapClient | Pop3Client")


class Logins:
    """Logs accounts in. Safe for several threads; the connections are the caller's to close."""

    def __init__(
        self, accounts: Iterable[Account], deadline: Deadline, resolve: Resolve, record: Record | None = None
    ) -> None:
        self._deadline, self._resolve, self._record = deadline, resolve, record
        self._contexts = TlsContexts()
        self._lock = threading.Lock()
        self._tokens: Tokens | None = None
        listed = list(accounts)
        self._maskers = {account.name: _masker(account) for account in listed}
        self._backstops = {account.name: _masker(account, MIN_WITHIN) for account in listed}

    def smtp(self, account: Account) -> SmtpClient:
        """Return an SMTP client that is connected and has said nothing yet."""
        assert account.smtp is not None
        return SmtpClient(self._wire(account.smtp, account), self._contexts)

    def log_in_to_smtp(self, client: SmtpClient, account: Account) -> None:
        """Open a connected client and log in, where a login is needed."""
        client.open()
        if account.smtp and account.smtp.needs_login:
            self._log_in(client, account)

    def imap(self, account: Account, kind: type[_Imap]) -> _Imap:
        """Return an IMAP client that is logged in and has no folder open."""
        assert account.imap is not None
        return self._opened(kind(self._wire(account.imap, account), self._contexts), account)

    def pop3(self, account: Account) -> Pop3Client:
        """Return a POP3 session."""
        from mailmon.clients.pop3 import Pop3Client

        assert account.pop3 is not None
        return self._opened(Pop3Client(self._wire(account.pop3, account), self._contexts), account)

    def masked(self, text: str, accounts: Iterable[str] | None = None) -> str:
        """Return a text without the credentials of some accounts, of all by default.

        Servers' words are masked where they come in; this is for what stands between our own words already, where a
        short password would be found in those.
        """
        for name in self._backstops if accounts is None else accounts:
            text = self._backstops[name](text) if name in self._backstops else text
        return text

    def shown_certificate(self, server: Server) -> bytes:
        """Return the certificate (DER) that a server shows, without logging in."""
        from mailmon.clients.pop3 import Pop3Client

        kinds: dict[str, type[SmtpClient | ImapClient | Pop3Client]] = {"smtp": SmtpClient, "imap": ImapClient}
        wire = self._wire_to(server, Masker([], set()))
        client = kinds.get(server.protocol, Pop3Client)(wire, self._contexts)
        try:
            client.open()
            return wire.certificate_bytes()
        finally:
            client.close()

    def _opened(self, client: _Client, account: Account) -> _Client:
        try:
            client.open()
            self._log_in(client, account)
        except BaseException:
            client.close()
            raise
        return client

    def _log_in(self, client: SmtpClient | ImapClient | Pop3Client, account: Account) -> None:
        """Log in once: with a token where there is one, else with the password."""
        token = self._token(account)
        if token is not None:
            client.login_with_token(account.username, token.value)
        else:
            client.login(account.username, account.password.value)

    def _token(self, account: Account) -> Secret | None:
        if account.oauth is None:
            return account.token
        from mailmon.clients.oauth import Tokens

        with self._lock:
            self._tokens = self._tokens or Tokens()
        token = self._tokens.get(account.oauth, self._deadline.bound_s(LOGIN_TIMEOUT_S))
        self._maskers[account.name].add(token.value)
        self._backstops[account.name].add(token.value)
        return token

    def _wire(self, server: Server, account: Account) -> Wire:
        return self._wire_to(server, self._maskers[account.name])

    def _wire_to(self, server: Server, masker: Masker) -> Wire:
        host = server.connect_to or server.host
        addresses = of_family(self._resolve(host, server.port, self._deadline), server)
        return connect(server, addresses, self._deadline, masker, self._record)


def _masker(account: Account, min_length: int = 1) -> Masker:
    """Return a masker of an account's credentials for text from its servers."""
    oauth = (account.oauth.client_secret, account.oauth.refresh_token) if account.oauth else ()
    secrets = [secret.value for secret in (account.password, account.token, *oauth) if secret]
    return Masker((secret for secret in secrets if len(secret) >= min_length), {account.username})

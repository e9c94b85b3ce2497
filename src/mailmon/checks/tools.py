"""What may a check touch? This, and nothing else: the clocks, the ledger, and the connections of the run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mailmon.checks.mailbox import WatchedMailbox
from mailmon.checks.subjects import Account, NoticeSettings
from mailmon.clients.deadline import Deadline
from mailmon.clients.imap import ImapClient
from mailmon.clients.names import Resolve, of_family
from mailmon.clients.server import Server
from mailmon.clients.smtp import Accepted, SmtpClient
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import LOGIN_TIMEOUT_S, Record, Wire, connect
from mailmon.judge.changes import Changes
from mailmon.mail.ledger import Ledger
from mailmon.mail.text import Masker
from mailmon.model.limits import BounceLimits

if TYPE_CHECKING:  # only who has bounces loads it
    from mailmon.clients.imap_folder import FolderClient
    from mailmon.clients.oauth import Tokens

NO_CHANGES = Changes({})
_Imap = TypeVar("_Imap", bound=ImapClient)


class FolderAccess(Enum):
    """How a folder is opened: to look only, or so that our own probes can be deleted from it."""

    READ = "examine"
    WRITE = "select"


class World(NamedTuple):
    """The outside world of one run, as the top layer hands it in."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    deadline: Deadline
    resolve: Resolve
    key: bytes
    version: str
    certificate_days: Mapping[str, float] = {}
    bounce_limits: BounceLimits = BounceLimits()
    notices: NoticeSettings | None = None
    is_dry: bool = False
    record: Record | None = None
    run_id: str = ""
    # Where the history of bounces lies: beside it.
    state_file: Path | None = None
    # What each domain publishes, and by which selectors its mail is signed, as far as earlier runs saw.
    changes: Changes = NO_CHANGES
    selectors: Mapping[str, tuple[str, ...]] = {}


class Tools:
    """The connections of one run, at most one SMTP and one IMAP connection an account, and the probes in flight."""

    def __init__(self, world: World, ledger: Ledger, accounts: Iterable[Account]) -> None:
        self.world = world
        self.ledger = ledger
        self.accepted: dict[str, Accepted] = {}
        self._contexts = TlsContexts()
        self._lock = threading.Lock()
        self._mailboxes: dict[str, WatchedMailbox] = {}
        self._smtp: dict[str, SmtpClient] = {}
        self._other_folders: dict[tuple[str, str], WatchedMailbox] = {}
        self._tokens: Tokens | None = None
        self._maskers = {account.name: _masker(account) for account in accounts}

    def open_smtp(self, account: Account) -> SmtpClient:
        """Connect and log in to an account's SMTP server; the connection stays for the checks that follow."""
        client = self._connect_smtp(account)
        with self._lock:
            self._smtp[account.name] = client
        client.open()
        self._log_in_to(client, account)
        return client

    def open_sender(self, account: Account) -> SmtpClient:
        """Connect and log in to send mail that is no probe; the connection is the caller's to close."""
        client = self._connect_smtp(account)
        try:
            client.open()
            self._log_in_to(client, account)
        except BaseException:
            client.close()
            raise
        return client

    def open_mailbox(self, account: Account) -> WatchedMailbox:
        """Connect, log in, open the account's folder and judge what earlier runs left there."""

        def connect_imap() -> ImapClient:
            client = self._log_in(account, ImapClient)
            try:
                client.select(account.folder)
            except BaseException:
                client.close()
                raise
            return client

        world = self.world
        mailbox = WatchedMailbox(
            account.name, connect_imap, self.ledger, world.key, world.now, deletes_only_own=world.is_dry
        )
        mailbox.sweep()
        with self._lock:
            self._mailboxes[account.name] = mailbox
        return mailbox

    def bounce_folder(self, account: Account) -> WatchedMailbox | None:
        """Return the folder to which the account's bounces are filtered, opened for reading when first asked for."""
        place = account.bounces
        if account.imap is None or place is None or place.name == account.folder:
            return None
        # By a name of its own: what is seen there has not arrived.
        return self._other_folder(account, place.name, f"{account.name}/bounces", FolderAccess.READ)

    def junk_folder(self, account: Account, folder: str) -> WatchedMailbox:
        """Return a folder into which filters sort, opened when first asked for; what is seen there has arrived."""
        return self._other_folder(account, folder, account.name, FolderAccess.WRITE)

    def opened_junk(self, account: Account, folders: Iterable[str]) -> list[WatchedMailbox]:
        """Return those of the folders that were opened in this run."""
        with self._lock:
            known = [self._other_folders.get((account.name, folder)) for folder in folders]
        return [mailbox for mailbox in known if mailbox]

    def _other_folder(self, account: Account, folder: str, name: str, access: FolderAccess) -> WatchedMailbox:
        with self._lock:
            known = self._other_folders.get((account.name, folder))
        if known:
            return known

        def connect() -> ImapClient:
            client = self.open_folders(account)
            try:
                (client.select if access is FolderAccess.WRITE else client.examine)(folder)
            except BaseException:
                client.close()
                raise
            return client

        mailbox = WatchedMailbox(name, connect, self.ledger, self.world.key, self.world.now)
        with self._lock:
            self._other_folders[account.name, folder] = mailbox
        mailbox.sweep()
        return mailbox

    def open_folders(self, account: Account) -> FolderClient:
        """Connect and log in to read folders; the connection is the caller's to close."""
        from mailmon.clients.imap_folder import FolderClient

        return self._log_in(account, FolderClient)

    def smtp(self, account: Account) -> SmtpClient:
        """Return the connection that the login check opened."""
        with self._lock:
            return self._smtp[account.name]

    def mailbox(self, account: Account) -> WatchedMailbox | None:
        """Return the mailbox that the login check opened, None where it could not or where there is none."""
        with self._lock:
            return self._mailboxes.get(account.name)

    def release(self, account: str) -> None:
        """End the connections of an account that no step needs any more; never raises."""
        with self._lock:
            smtp, mailbox = self._smtp.pop(account, None), self._mailboxes.pop(account, None)
            others = [self._other_folders.pop(key) for key in list(self._other_folders) if key[0] == account]
        for one in (smtp, mailbox, *others):
            if one:
                one.close()

    def close(self) -> None:
        """End all connections; never raises."""
        with self._lock:
            for smtp in self._smtp.values():
                smtp.close()
            for mailbox in (*self._mailboxes.values(), *self._other_folders.values()):
                mailbox.close()

    def _connect_smtp(self, account: Account) -> SmtpClient:
        assert account.smtp is not None
        return SmtpClient(self._wire(account.smtp, account), self._contexts)

    def _log_in(self, account: Account, kind: type[_Imap]) -> _Imap:
        assert account.imap is not None
        client = kind(self._wire(account.imap, account), self._contexts)
        try:
            client.open()
            self._log_in_to(client, account)
        except BaseException:
            client.close()
            raise
        return client

    def _log_in_to(self, client: SmtpClient | ImapClient, account: Account) -> None:
        """Log in once: with a token where there is one, else with the password, and not at all where none is needed."""
        if isinstance(client, SmtpClient) and account.smtp and not account.smtp.needs_login:
            return
        token = account.token
        if account.oauth is not None:
            from mailmon.clients.oauth import Tokens

            with self._lock:
                self._tokens = self._tokens or Tokens()
            token = self._tokens.get(account.oauth, self.world.deadline.bound_s(LOGIN_TIMEOUT_S))
            self._maskers[account.name].add(token.value)
        if token is not None:
            client.login_with_token(account.username, token.value)
        else:
            client.login(account.username, account.password.value)

    def _wire(self, server: Server, account: Account) -> Wire:
        deadline = self.world.deadline
        host = server.connect_to or server.host
        addresses = of_family(self.world.resolve(host, server.port, deadline), server)
        return connect(server, addresses, deadline, self._maskers[account.name], self.world.record)


def _masker(account: Account) -> Masker:
    """Return what hides an account's credentials in whatever its servers say."""
    secrets = [secret.value for secret in (account.password, account.token) if secret]
    return Masker(secrets, {account.username})

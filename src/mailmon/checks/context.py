"""What a run shares with its checks: clocks, deadline, ledger, name resolution, and one connection per service.

A check that needs more opens it itself, for as long as it runs: block lists their resolver, web pages their connection,
the queue its process, bounces the bounce log. Whatever they open ends by the run's deadline.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailmon.checks.mailbox import WatchedMailbox
from mailmon.checks.targets import Account
from mailmon.clients.deadline import Deadline
from mailmon.clients.folder import Folder
from mailmon.clients.imap import ImapClient, is_transient
from mailmon.clients.logins import Logins
from mailmon.clients.resolver import Resolve
from mailmon.clients.server import Server
from mailmon.clients.smtp import Accepted, SmtpClient
from mailmon.clients.wire import Record
from mailmon.domain.changes import Changes
from mailmon.errors import StageError
from mailmon.mail.probe.ledger import Ledger
from mailmon.model import Certificate, Fact, Finding, Note

if TYPE_CHECKING:  # only who has bounces loads it
    from mailmon.bounces.context import NoticeSettings
    from mailmon.clients.imap_folder import FolderClient

NO_CHANGES = Changes({})


class RunEnvironment(NamedTuple):
    """Clock, deadline, name resolution and state of one run, as the top layer hands them in."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    deadline: Deadline
    resolve: Resolve
    key: bytes
    version: str
    nameservers: tuple[tuple[str, int], ...] = ()
    notices: NoticeSettings | None = None
    is_dry: bool = False
    record: Record | None = None
    run_id: str = ""
    # Where the bounce log lies: beside it.
    state_file: Path | None = None
    # What each domain publishes, and by which selectors its mail is signed, as far as earlier runs saw.
    changes: Changes = NO_CHANGES
    selectors: Mapping[str, tuple[str, ...]] = {}


class RunContext:
    """The connections of one run, at most one SMTP and one IMAP connection an account, and the probes in flight."""

    def __init__(self, environment: RunEnvironment, ledger: Ledger, accounts: Iterable[Account]) -> None:
        self.environment = environment
        self.ledger = ledger
        self.accepted: dict[str, Accepted] = {}
        self.full_percent: dict[str, float] = {}  # how full each mailbox is, where this run has seen it
        self._logins = Logins(accounts, environment.deadline, environment.resolve, environment.record)
        ledger.mask = self._logins.masked
        self._lock = threading.Lock()
        self._reopening: dict[str, threading.Lock] = {}
        self._mailboxes: dict[str, WatchedMailbox] = {}
        self._smtp: dict[str, SmtpClient] = {}
        self._other_folders: dict[tuple[str, str], WatchedMailbox] = {}
        self._missing: dict[tuple[str, str], StageError] = {}

    def masked(self, fact: Fact, accounts: Iterable[str]) -> Fact:
        """Return a fact without the credentials of the accounts that it is about, whatever brought them there."""
        names = tuple(accounts)

        def hide(text: str) -> str:
            return self._logins.masked(text, names)

        if isinstance(fact, Finding):
            return _hidden(fact, hide)
        if isinstance(fact, Certificate):
            return fact._replace(name=hide(fact.name), finding=_hidden(fact.finding, hide) if fact.finding else None)
        return Note(hide(fact.text)) if isinstance(fact, Note) else fact

    def open_smtp(self, account: Account) -> SmtpClient:
        """Connect and log in to an account's SMTP server; the connection stays for the checks that follow."""
        client = self._logins.smtp(account)
        with self._lock:
            self._smtp[account.name] = client
        self._logins.log_in_to_smtp(client, account)
        return client

    def open_sender(self, account: Account) -> SmtpClient:
        """Connect and log in to send mail that is no probe; the connection is the caller's to close."""
        client = self._logins.smtp(account)
        try:
            self._logins.log_in_to_smtp(client, account)
        except BaseException:
            client.close()
            raise
        return client

    def open_mailbox(self, account: Account) -> WatchedMailbox:
        """Connect, log in, open the account's folder and judge what earlier runs left there."""
        connect = self._maildrop(account) if account.reads_by == "pop3_auth" else self._selected(account)
        environment = self.environment
        mailbox = WatchedMailbox(
            account.name, connect, self.ledger, environment.key, environment.now, deletes_only_own=environment.is_dry
        )
        mailbox.sweep()
        with self._lock:
            self._mailboxes[account.name] = mailbox
        return mailbox

    def try_login(self, account: Account, server: Server) -> None:
        """Log in to one of an account's servers and out again. Raises StageError where that is refused."""
        if server.protocol == "smtp":
            self.open_sender(account).close()
        elif server.protocol == "imap":
            self._logins.imap(account, ImapClient).close()
        else:
            self._logins.pop3(account).close()

    def shown_certificate(self, server: Server) -> bytes:
        """Return the certificate (DER) that a server shows. Raises StageError."""
        return self._logins.shown_certificate(server)

    def open_maildrop(self, account: Account) -> Folder:
        """Log in by POP3 and list what is there, in a session that has ended."""
        folder = self._maildrop(account)()
        folder.rest()
        return folder

    def bounce_folder(self, account: Account) -> WatchedMailbox | None:
        """Return the folder to which the account's bounces are filtered, opened for reading when first asked for."""
        place = account.bounces
        if account.imap is None or place is None or place.name == account.folder:
            return None
        # By a name of its own: what is seen there has not arrived.
        return self._other_folder(account, place.name, f"{account.name}/bounces")

    def junk_folder(self, account: Account, folder: str) -> WatchedMailbox:
        """Return a folder into which filters sort, opened when first asked for; what is seen there has arrived."""
        return self._other_folder(account, folder, account.name)

    def opened_junk(self, account: Account, folders: Iterable[str]) -> list[WatchedMailbox]:
        """Return those of the folders that were opened in this run."""
        with self._lock:
            known = [self._other_folders.get((account.name, folder)) for folder in folders]
        return [mailbox for mailbox in known if mailbox]

    def missing(self, account: Account, folder: str) -> StageError | None:
        """Return why a folder could not be opened in this run, None where that was not tried or went well."""
        with self._lock:
            return self._missing.get((account.name, folder))

    def opened(self, account: Account) -> list[tuple[WatchedMailbox, str]]:
        """Return the folders of an account that were opened in this run, with their names."""
        with self._lock:
            mailbox = self._mailboxes.get(account.name)
            others = [(one, folder) for (name, folder), one in self._other_folders.items() if name == account.name]
        return [*([(mailbox, account.folder)] if mailbox else []), *others]

    def _other_folder(self, account: Account, folder: str, name: str) -> WatchedMailbox:
        with self._lock:
            known, refused = self._other_folders.get((account.name, folder)), self._missing.get((account.name, folder))
        if known:
            return known
        if refused:
            raise refused

        def connect() -> ImapClient:
            try:
                return _examined(self.open_folders(account), folder)
            except StageError as exc:
                if exc.finding_id == "imap.select_failed" and not is_transient(exc.said):
                    # Once is enough: each attempt is a login.
                    with self._lock:
                        self._missing[account.name, folder] = exc
                raise

        mailbox = WatchedMailbox(name, connect, self.ledger, self.environment.key, self.environment.now)
        with self._lock:
            self._other_folders[account.name, folder] = mailbox
        mailbox.sweep()
        return mailbox

    def open_folders(self, account: Account) -> FolderClient:
        """Connect and log in to read folders; the connection is the caller's to close."""
        from mailmon.clients.imap_folder import FolderClient

        return self._logins.imap(account, FolderClient)

    def smtp(self, account: Account) -> SmtpClient:
        """Return the connection that the login check opened."""
        with self._lock:
            return self._smtp[account.name]

    def reopen_smtp(self, account: Account, ended: SmtpClient) -> SmtpClient:
        """Return another connection in place of one that the server has ended; of several routes one opens it."""
        with self._lock:
            reopening = self._reopening.setdefault(account.name, threading.Lock())
        with reopening:
            current = self.smtp(account)
            if current is not ended:
                return current
            ended.close()  # other routes may still be in it: it is only ended then
            # Logged in before another route can see it.
            client = self.open_sender(account)
            with self._lock:
                self._smtp[account.name] = client
            return client

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

    def _selected(self, account: Account) -> Callable[[], Folder]:
        return lambda: _examined(self._logins.imap(account, ImapClient), account.folder)

    def _maildrop(self, account: Account) -> Callable[[], Folder]:
        from mailmon.clients.pop3_folder import Numbers, Pace, Pop3Folder, Reading

        deadline = self.environment.deadline
        pace = Pace(deadline.at_s, self.environment.sleep, deadline.monotonic)
        numbers, reading = Numbers(), Reading()
        return lambda: Pop3Folder(lambda: self._logins.pop3(account), numbers, pace, reading)


def _examined(client: ImapClient, folder: str) -> ImapClient:
    """Open a folder for reading; where that fails the connection is closed."""
    try:
        client.examine(folder)
    except BaseException:
        client.close()
        raise
    return client


def _hidden(finding: Finding, hide: Callable[[str], str]) -> Finding:
    """Return a finding in whose texts something is hidden."""
    return finding._replace(
        message=hide(finding.message),
        evidence=hide(finding.evidence),
        expected=hide(finding.expected),
        found=hide(finding.found),
        fix=hide(finding.fix),
    )

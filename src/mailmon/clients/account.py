"""A mailbox with its servers and credentials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.server import Server
from mailmon.model import Secret

if TYPE_CHECKING:  # only who has tokens loads it
    from mailmon.clients.oauth import OAuth


class BounceFolder(NamedTuple):
    """Where bounces come in, and where they go once they are recorded.

    `targets` maps what became of a message (`processed`, `skipped`, `problem`) to a folder; what is not in it stays
    where it is, and without any the folder is only ever opened for reading. `sent` holds what was sent from here.
    """

    name: str
    targets: Mapping[str, str] = {}
    may_create: bool = False
    sent: str | None = None


class Account(NamedTuple):
    """A mailbox with its servers and its credential: a password, a token, or where a token comes from."""

    name: str
    address: str
    username: str
    password: Secret
    smtp: Server | None = None
    imap: Server | None = None
    pop3: Server | None = None
    folder: str = "INBOX"
    bounces: BounceFolder | None = None
    bounces_test: BounceFolder | None = None
    token: Secret | None = None
    oauth: OAuth | None = None
    # Seconds between two tries with a wrong password, None: it is never tried.
    wrong_password_s: float | None = None

    @property
    def logins(self) -> dict[str, Server]:
        """Return the servers that it logs in to, by the check that does."""
        named = {"imap_auth": self.imap, "pop3_auth": self.pop3, "smtp_auth": self.smtp}
        return {check: server for check, server in named.items() if server}

    def target_of(self, check: str) -> str | None:
        """Return the server at which a check logs in, None where it has none."""
        server = self.logins.get(check)
        return server.target if server else None

    @property
    def reads_by(self) -> str:
        """Return the check whose login opens the mailbox: by IMAP where it has that."""
        return "imap_auth" if self.imap or not self.pop3 else "pop3_auth"

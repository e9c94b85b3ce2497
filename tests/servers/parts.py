"""What a server must be able to do for the scenario: the two kinds of parts of which a combination consists."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NamedTuple

from tests.servers.machine import Machine

DOMAIN = "mail.test"
HOST = f"mx.{DOMAIN}"
PASSWORD = "correct horse"
# Both have a system account in the tree; the first one is watched.
MONITOR, BOUNCES = "monitor", "bounces"
USERS = (MONITOR, BOUNCES)
LMTP_PORT = 24
# Where each server finds its certificate, key and CA.
CERTIFICATE, KEY, CHAIN = "/etc/ssl/mail/live.crt", "/etc/ssl/mail/live.key", "/etc/ssl/mail/live.pem"


class Door(NamedTuple):
    """A port that clients use, and how it is protected: tls or starttls."""

    port: int
    security: str


class Stored(NamedTuple):
    """One message as it lies on disk; `flags` without \\Recent, which `is_recent` says."""

    folder: str
    flags: frozenset[str]
    digest: str
    is_recent: bool = False


class Part(ABC):
    """A server: what is installed, how it is configured, started and stopped."""

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]]

    @abstractmethod
    def start(self, machine: Machine) -> None:
        """Start the server; it need not answer yet."""

    @abstractmethod
    def stop(self, machine: Machine) -> None:
        """Stop the server: its ports refuse connections afterwards."""

    def version(self, machine: Machine) -> str:
        """Return the version of the package, without Debian's own part."""
        shown = machine.run("dpkg-query", "-W", "-f", "${Version}", self.packages[0]).strip()
        return shown.rpartition(":")[2].partition("-")[0].partition("+")[0]


class Store(Part):
    """A server for IMAP and POP3."""

    imap: ClassVar[Door] = Door(993, "tls")
    pop3: ClassVar[Door] = Door(995, "tls")
    # What stands before the names of folders.
    prefix: ClassVar[str] = ""
    # Whether mail comes by LMTP at LMTP_PORT; else the transport writes into ~/Maildir.
    is_lmtp: ClassVar[bool] = True
    # A directory for the socket at which Postfix may ask for logins, as Dovecot offers it; "": by saslauthd.
    auth_socket: ClassVar[str] = ""

    @abstractmethod
    def configure(self, machine: Machine) -> None:
        """Write the configuration and create the mailboxes of USERS."""

    @abstractmethod
    def limit(self, machine: Machine, *, is_full: bool) -> None:
        """Set the quota of MONITOR below what is there, or lift it."""

    @abstractmethod
    def stored(self, machine: Machine, user: str) -> list[Stored]:
        """Read from disk what a mailbox holds."""


class Transport(Part):
    """A server for SMTP."""

    submission: ClassVar[Door] = Door(587, "starttls")

    @abstractmethod
    def configure(self, machine: Machine, store: Store) -> None:
        """Write the configuration: mail for DOMAIN goes to the store, all else by DNS."""

    @abstractmethod
    def hold(self, machine: Machine) -> None:
        """Accept mail, but keep all of it in the queue from now on."""

    @abstractmethod
    def release(self, machine: Machine) -> None:
        """End the hold, and try everything in the queue at once."""


_LETTERS = {"S": "\\Seen", "F": "\\Flagged", "T": "\\Deleted", "R": "\\Answered", "D": "\\Draft"}


def read_maildir(root: Path) -> list[Stored]:
    """Read a Maildir with its Maildir++ folders."""
    return sorted(_messages_of(root, "INBOX")) + [
        message
        for folder in sorted(root.glob(".*/"))
        if (folder / "cur").is_dir()
        for message in sorted(_messages_of(folder, folder.name[1:]))
    ]


def _messages_of(directory: Path, folder: str) -> Iterator[Stored]:
    for place in ("new", "cur"):
        for path in (directory / place).glob("*"):
            letters = path.name.partition(":2,")[2].partition(",")[0]
            flags = frozenset(_LETTERS[letter] for letter in letters if letter in _LETTERS)
            yield Stored(folder, flags, digest_of(path.read_bytes()), place == "new")


def digest_of(raw: bytes) -> str:
    """Return what tells messages with other contents apart."""
    return hashlib.sha256(raw).hexdigest()


@dataclass(frozen=True)
class Combination:
    """One row of the matrix."""

    transport: Transport
    store: Store
    protocol: str = "imap"
    suite: str = "bookworm"
    # What is special about the row, and the cells that it is about; () for all.
    note: str = ""
    cells: tuple[str, ...] = ()
    # What the configuration of mailmon needs beyond the usual.
    config: Mapping[str, object] = field(default_factory=dict)

    @property
    def packages(self) -> tuple[str, ...]:
        """Return what is installed in the tree."""
        return (*self.transport.packages, *self.store.packages)

    @property
    def key(self) -> str:
        """Return the name by which the row is chosen on the command line."""
        parts = dict.fromkeys((self.transport.name, self.store.name))
        return "-".join((*parts, self.protocol, *([self.note] if self.note else []))).lower().replace(" ", "-")

"""What is a mailbox that we may log in to?"""

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
    folder: str = "INBOX"
    bounces: BounceFolder | None = None
    bounces_test: BounceFolder | None = None
    token: Secret | None = None
    oauth: OAuth | None = None

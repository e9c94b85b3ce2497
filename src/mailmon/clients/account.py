"""What is a mailbox that we may log in to?"""

from __future__ import annotations

from typing import NamedTuple

from mailmon.clients.server import Server
from mailmon.model import Secret


class Account(NamedTuple):
    """A mailbox with its servers and its credential."""

    name: str
    address: str
    username: str
    password: Secret
    smtp: Server | None = None
    imap: Server | None = None
    folder: str = "INBOX"

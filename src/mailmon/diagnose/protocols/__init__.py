"""Clients for SMTP, IMAP, POP3 and ManageSieve up to the login, one file each, found by the protocol's name."""

from __future__ import annotations

from mailmon.diagnose.connection import Connection
from mailmon.diagnose.plan import Options
from mailmon.diagnose.protocols.base import Client, Greeting
from mailmon.diagnose.protocols.imap import ImapClient
from mailmon.diagnose.protocols.pop3 import Pop3Client
from mailmon.diagnose.protocols.sieve import SieveClient
from mailmon.diagnose.protocols.smtp import SmtpClient

__all__ = ["Client", "Greeting", "SmtpClient", "client_for"]

_CLIENTS: dict[str, type[Client]] = {
    "smtp": SmtpClient,
    "imap": ImapClient,
    "pop3": Pop3Client,
    "sieve": SieveClient,
}


def client_for(wire: Connection, options: Options) -> Client:
    """Return a client for the protocol of this connection."""
    return _CLIENTS[wire.server.protocol](wire, options)

"""Clients for the sandbox's own tests."""

import imaplib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable

from mailmon.sandbox import Sandbox

MONITOR = "monitor@example.org"
SECOND = "second@example.org"
PROBE = (
    b"From: monitor@example.org\r\n"
    b"To: second@example.org\r\n"
    b"Subject: probe\r\n"
    b"Message-ID: <probe-1@example.org>\r\n"
    b"X-Probe: one\r\n"
    b"\r\n"
    b"Hello.\r\n"
)
TIMEOUT_S = 5.0


def trusting(sandbox: Sandbox) -> ssl.SSLContext:
    """Return a client context that trusts the sandbox's CA only."""
    return ssl.create_default_context(cafile=str(sandbox.ca_file))


def smtp_client(sandbox: Sandbox) -> smtplib.SMTP:
    """Return a client after STARTTLS and EHLO."""
    client = smtplib.SMTP(sandbox.host, sandbox.smtp_port, "client.example.org", TIMEOUT_S)
    client.starttls(context=trusting(sandbox))
    client.ehlo()
    return client


def submit(sandbox: Sandbox, raw: bytes = PROBE, sender: str = MONITOR, recipient: str = SECOND) -> None:
    """Log in as the monitor and send one message."""
    with smtp_client(sandbox) as client:
        client.login(MONITOR, sandbox.users[MONITOR])
        client.sendmail(sender, [recipient], raw)


def imap_stranger(sandbox: Sandbox) -> imaplib.IMAP4_SSL:
    """Return a client that has not logged in."""
    return imaplib.IMAP4_SSL(sandbox.host, sandbox.imaps_port, ssl_context=trusting(sandbox), timeout=TIMEOUT_S)


def imap_client(sandbox: Sandbox, user: str = SECOND) -> imaplib.IMAP4_SSL:
    """Return a client that has logged in and selected INBOX."""
    client = imap_stranger(sandbox)
    client.login(user, sandbox.users[user])
    client.select()
    return client


def wait_until(is_so: Callable[[], object]) -> None:
    """Wait for a few seconds at most; AssertionError after that."""
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class RawImap:
    """Exact bytes to and from the IMAP port with implicit TLS."""

    def __init__(self, sandbox: Sandbox, user: str | None = SECOND) -> None:
        plain = socket.create_connection((sandbox.host, sandbox.imaps_port), TIMEOUT_S)
        self._socket = trusting(sandbox).wrap_socket(plain, server_hostname="localhost")
        self._lines = self._socket.makefile("rb")
        self.greeting = self.line()
        if user is not None:
            self.ask(f'login "{user}" "{sandbox.users[user]}"')

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def line(self) -> bytes:
        return self._lines.readline().rstrip(b"\r\n")

    def ask(self, command: str) -> list[bytes]:
        """Send a command with a tag of our own and return all lines up to its tagged response."""
        self.send(b"t1 " + command.encode() + b"\r\n")
        return self.until_tagged()

    def until_tagged(self) -> list[bytes]:
        lines = [self._lines.readline()]
        while lines[-1] and not lines[-1].startswith(b"t1 "):  # an empty one is the end of the connection
            lines.append(self._lines.readline())
        return [line.rstrip(b"\r\n") for line in lines]

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> "RawImap":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

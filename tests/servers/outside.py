"""What is on the other side of the cable: DNS, somebody else's mail server that refuses, and a place for alerts."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator, Mapping

from tests.domain.nameserver import NameServer, zone_of
from tests.servers.machine import ADDRESS, OUTSIDE
from tests.servers.parts import DOMAIN, HOST

AWAY = "away.test"
# What the other server says to each recipient; all others are accepted.
REFUSALS: Mapping[str, tuple[str, str, bool]] = {
    # local part: reply, reason, hard
    "gone": ("550 5.1.1 <gone@away.test>: Recipient address rejected: User unknown", "userunknown", True),
    "never": ("550 5.1.1 no such user here", "userunknown", True),
    "full": ("552 5.2.2 mailbox full, quota exceeded", "mailboxfull", False),
    "disabled": ("550 5.2.1 mailbox disabled, not accepting messages", "suspend", False),
    "spam": ("554 5.7.1 message rejected as spam", "spamdetected", False),
    "listed": ("554 5.7.1 Service unavailable; client host [192.0.2.10] blocked using bl.away.test", "blocked", False),
    "relay": ("550 5.7.1 Relaying denied", "norelaying", False),
    "big": ("552 5.3.4 message size exceeds fixed maximum message size", "mesgtoobig", False),
}


@contextlib.contextmanager
def everything() -> Iterator[None]:
    """Serve the name server and the other mail server."""
    names = NameServer([zone_of(origin, lines) for origin, lines in _ZONES.items()])
    servers = (_Names((OUTSIDE, 53), names), _Mail((OUTSIDE, 25), _Refusing))
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        names.close()


_ZONES = {
    DOMAIN: f'@ IN MX 10 {HOST}.\n@ IN A {ADDRESS}\nmx IN A {ADDRESS}\n@ IN TXT "v=spf1 mx -all"',
    AWAY: f"@ IN MX 10 mx.{AWAY}.\nmx IN A {OUTSIDE}\nwatch IN A {OUTSIDE}",
    # Whose mail nobody here should relay: `diagnose` asks for that.
    "example.net": f"@ IN MX 10 mx.{AWAY}.",
    "example.com": f"@ IN MX 10 mx.{AWAY}.",
    "2.0.192.in-addr.arpa": f"10 IN PTR {HOST}.\n20 IN PTR watch.{AWAY}.",
}


class _Names(socketserver.ThreadingUDPServer):
    daemon_threads, allow_reuse_address = True, True

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        self.names = names
        super().__init__(address, _Question)


class _Question(socketserver.BaseRequestHandler):
    server: _Names

    def handle(self) -> None:
        wire, connection = self.request
        if answer := self.server.names.respond(wire, is_tcp=False):
            connection.sendto(answer, self.client_address)


class _Mail(socketserver.ThreadingTCPServer):
    daemon_threads, allow_reuse_address = True, True


class _Refusing(socketserver.StreamRequestHandler):
    """Enough of SMTP for a server that delivers (RFC 5321): every recipient gets its reply."""

    timeout = 30.0

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self._say(f"220 mx.{AWAY} ESMTP")
            for raw in iter(self.rfile.readline, b""):
                line = raw.decode("latin-1").strip()
                verb = line[:4].upper()
                if verb == "RCPT":
                    local = line.partition("<")[2].partition("@")[0].lower()
                    self._say(REFUSALS[local][0] if local in REFUSALS else "250 2.1.5 OK")
                elif verb == "DATA":
                    self._say("354 go ahead")
                    while self.rfile.readline() not in (b".\r\n", b""):
                        pass
                    self._say("250 2.0.0 taken")
                elif verb == "QUIT":
                    self._say("221 2.0.0 bye")
                    return
                else:
                    self._say(f"250 mx.{AWAY}" if verb in ("EHLO", "HELO") else "250 2.0.0 OK")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def letter(sender: str, recipient: str, subject: str, body: str, more: str = "") -> bytes:
    """Return a message of somebody else's, with `more` header lines."""
    lines = (
        f"From: {sender}", f"To: {recipient}", f"Subject: {subject}", "Date: Mon, 02 Mar 2026 08:00:00 +0000",
        f"Message-ID: <{subject.replace(' ', '.')}@{sender.partition('@')[2]}>", *more.splitlines(), "", body, "",
    )  # fmt: skip
    return "\n".join(lines).encode()

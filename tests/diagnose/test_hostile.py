"""An examination ends without a bug whatever the other side sends: mutated conversations over real sockets.

A few hundred in the normal run; MAILMON_FUZZ=10000 tries as many connections.
"""

from __future__ import annotations

import os
import random
import resource
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Records
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.conversation import converse
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.plan import Options
from mailmon.diagnose.session import Session, SessionContext
from mailmon.model.diagnosis import Endpoint

# Python 3.11's wrap_socket() leaves its socket to the garbage collector where the peer resets the connection before the
# handshake begins.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
COUNT = int(os.environ.get("MAILMON_FUZZ", "200"))
TIMEOUT_S, DEADLINE_S = 0.5, 3.0
MAX_GROWTH_KIB = 60 * 1024
SMTP = (
    b"220 mx.example.org ESMTP\r\n",
    b"250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
    b"252 2.0.0 maybe\r\n",
    b"550 5.1.1 no such user\r\n",
    b"502 5.5.1 no\r\n",
    b"250 2.1.0 Ok\r\n",
    b"554 5.7.1 Relay access denied\r\n",
    b"250 2.0.0 Ok\r\n",
)
IMAP = (b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n", b"* CAPABILITY IMAP4rev1\r\na11 OK done\r\n")
POP3 = (b"+OK ready\r\n", b"+OK\r\nUSER\r\nSTLS\r\nSASL PLAIN\r\n.\r\n", b"+OK go on\r\n")
SIEVE = (b'"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\n"STARTTLS"\r\nOK "ready"\r\n', b'OK "begin"\r\n')
SCRIPTS = {"smtp": SMTP, "imap": IMAP, "pop3": POP3, "sieve": SIEVE}


class Mutant:
    """Answers each command with a piece of a good conversation that was damaged in one of several ways."""

    def __init__(self, script: tuple[bytes, ...], chance: random.Random) -> None:
        self.script, self.chance = script, chance
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # a close alone does not wake the thread that accepts
        self.listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            peer.settimeout(2)
            with peer, suppress(OSError):
                self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        for number, piece in enumerate(self.script):
            if number and not peer.recv(4096):
                return
            damaged = self._damage(piece)
            for start in range(0, len(damaged), step := self.chance.choice((1, 3, 4096))):
                peer.sendall(damaged[start : start + step])
            if self.chance.random() < 0.1:
                return
        peer.recv(4096)

    def _damage(self, piece: bytes) -> bytes:
        chance, raw = self.chance, bytearray(piece)
        match chance.randrange(8):
            case 0:
                return chance.randbytes(chance.randrange(300))
            case 1:
                return piece[: chance.randrange(len(piece))]
            case 2:
                return piece * chance.randrange(50)
            case 3:
                for _ in range(chance.randrange(1, 6)):
                    raw[chance.randrange(len(raw))] = chance.randrange(256)
                return bytes(raw)
            case 4:
                return piece.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\n\r", b"")))
            case 5:
                return piece[:4] + b"A" * chance.choice((600, 70_000)) + b"\r\n"
            case _:
                return piece


@pytest.fixture
def tools() -> SessionContext:
    # Nobody listens there: the names cannot be told, and that at once.
    return SessionContext(TlsKit(None), Records((("127.0.0.1", 9),), 0.5))


@pytest.mark.parametrize("protocol", SCRIPTS)
def test_mutated_conversations_end_in_findings(protocol: str, tools: SessionContext) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ThreadPoolExecutor(16) as pool:  # most of it is waiting
        for _ in pool.map(lambda number: look_at_mutant(protocol, number, tools), range(COUNT // len(SCRIPTS))):
            pass
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < MAX_GROWTH_KIB


def look_at_mutant(protocol: str, number: int, tools: SessionContext) -> None:
    mutant = Mutant(SCRIPTS[protocol], random.Random(f"{protocol} {number}"))
    endpoint = Endpoint("mx.example.org", "127.0.0.1", mutant.port, protocol, is_implicit_tls=number % 7 == 0)
    session = Session(Dialer(endpoint, Options(timeout_s=TIMEOUT_S), Deadline(DEADLINE_S)), tools)
    begun = time.monotonic()
    converse(session)
    mutant.close()
    assert time.monotonic() - begun < DEADLINE_S + 5
    assert session.found.all
    assert all(text.isprintable() for one in session.found.all for text in (one.message, one.evidence, one.found))

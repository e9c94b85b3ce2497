"""A peer that plays a script: it waits for a line, answers, and so on; behind the last answer it stays silent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Sequence
from types import TracebackType

from mailmon.clients.deadline import Deadline
from mailmon.clients.imap import ImapClient
from mailmon.clients.pop3 import Pop3Client
from mailmon.clients.server import Security, Server, Trust
from mailmon.clients.smtp import SmtpClient
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import Wire, connect
from mailmon.text import Masker

SECRET = "s3ntinel-Value"
USER = "monitor@example.org"
TIMEOUT_S = 0.3
CLOSE = b"(close)"

# (beginning of the line to wait for, None to speak at once; the answer, in which TAG stands for the line's first word)
Script = Sequence[tuple[bytes | None, bytes]]


class Peer:
    """Listens on 127.0.0.1 and plays its script to one client. `drip_s` sends the answers byte by byte."""

    def __init__(self, script: Script, *, drip_s: float = 0.0) -> None:
        self._script = script
        self._drip_s = drip_s
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._play, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.received: list[bytes] = []
        self.surprise = ""
        self._tag = b""
        self.transcript: list[str] = []

    def __enter__(self) -> Peer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._listener.close()
        self._thread.join(5)
        assert kind is not None or not self.surprise, self.surprise

    def wire(self, protocol: str, security: Security, deadline_s: float) -> Wire:
        """Connect to this peer, with a transcript."""
        server = Server(protocol, "127.0.0.1", self.port, security, Trust(), TIMEOUT_S)
        addresses = [(socket.AF_INET, ("127.0.0.1", self.port))]

        def record(target: str, at_s: float, who: str, text: str) -> None:
            self.transcript.append(f"{who}: {text}")

        return connect(server, addresses, Deadline(deadline_s), Masker([SECRET], [USER]), record)

    def smtp(self, security: Security = Security.PLAIN, deadline_s: float = 5.0) -> SmtpClient:
        """Return an SMTP client that is connected and has said nothing yet."""
        return SmtpClient(self.wire("smtp", security, deadline_s), TlsContexts())

    def imap(self, security: Security = Security.PLAIN, deadline_s: float = 5.0) -> ImapClient:
        """Return an IMAP client that is connected and has said nothing yet."""
        return ImapClient(self.wire("imap", security, deadline_s), TlsContexts())

    def pop3(self, security: Security = Security.PLAIN, deadline_s: float = 5.0) -> Pop3Client:
        """Return a POP3 client that is connected and has said nothing yet."""
        return Pop3Client(self.wire("pop3", security, deadline_s), TlsContexts())

    @property
    def target(self) -> str:
        """Return how messages call this peer."""
        return f"127.0.0.1:{self.port}"

    def _play(self) -> None:
        with contextlib.suppress(OSError):
            sock, _ = self._listener.accept()
            with sock, sock.makefile("rb") as lines:
                for expected, answer in self._script:
                    if expected is not None and not self._hear(lines.readline(), expected):
                        return
                    self._say(sock, answer.removesuffix(CLOSE))
                    if answer.endswith(CLOSE):
                        return
                self._over.wait(10)

    def _hear(self, line: bytes, expected: bytes) -> bool:
        self.received.append(line)
        if expected.startswith(b"TAG "):
            self._tag = line.partition(b" ")[0]  # what goes on behind a command has no tag of its own
        words = line if not expected.startswith(b"TAG ") else b"TAG " + line.partition(b" ")[2]
        if line and not words.startswith(expected):
            self.surprise = f"expected {expected!r}, got {line!r}"
        return bool(line) and not self.surprise

    def _say(self, sock: socket.socket, answer: bytes) -> None:
        tag = self._tag or (self.received[-1].partition(b" ")[0] if self.received else b"")
        data = answer.replace(b"TAG", tag)
        if not self._drip_s:
            sock.sendall(data)
            return
        for number in range(len(data)):
            sock.sendall(data[number : number + 1])
            if self._over.wait(self._drip_s):
                return

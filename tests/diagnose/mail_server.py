"""A small SMTP server on loopback whose TLS is the test's to choose, and which can limit its connections."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.diagnose.issuing import Issued, server_context

REPLIES = {b"QUIT": b"221 bye\r\n", b"RCPT": b"554 5.7.1 Relay access denied\r\n", b"VRFY": b"502 5.5.1 no\r\n"}
REPLIES[b"STAR"] = b"454 4.7.0 TLS not available due to local problem\r\n"


class MailServer:
    """Listens at `host` on a free port. TLS comes first (`is_implicit`), or STARTTLS is as `starttls` says.

    With `max_clients` more are hung up on; with `lingers_s` one that has gone is counted for a while yet, as a process
    that has not ended.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        is_implicit: bool = False,
        starttls: str = "offered",
        max_clients: int = 100,
        lingers_s: float = 0.0,
    ) -> None:
        self._context, self.is_implicit = context, is_implicit
        self._starttls = starttls
        self._max_clients, self._lingers_s = max_clients, lingers_s
        self._lock, self._over = threading.Lock(), threading.Event()
        self._clients = self.connections = self.turned_away = 0
        self._listener = socket.create_server((host, port))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(10)
        with self._lock:
            self.connections += 1
            is_let_in = self._clients < self._max_clients
            self._clients += is_let_in
            self.turned_away += not is_let_in
        with contextlib.suppress(OSError), sock:
            if is_let_in:
                self._talk(sock)
        if is_let_in:
            self._over.wait(self._lingers_s)
            with self._lock:
                self._clients -= 1

    def _talk(self, sock: socket.socket) -> None:
        if self.is_implicit:
            sock = self._begin_tls(sock)
        current: socket.socket | None = sock
        try:
            sock.sendall(b"220 mx.mail.test ESMTP\r\n")
            while current:
                sock = current
                current = self._obey(sock, _line(sock))
        finally:
            sock.close()

    def _begin_tls(self, sock: socket.socket) -> socket.socket:
        return self._context.wrap_socket(sock, server_side=True)

    def _obey(self, sock: socket.socket, line: bytes) -> socket.socket | None:
        """Answer one line; return the socket that goes on, None at the end."""
        verb = line[:4].upper().strip()
        if not line:
            return None
        if verb == b"EHLO":
            offers = [] if isinstance(sock, ssl.SSLSocket) or self._starttls == "missing" else [b"STARTTLS"]
            lines = [b"mx.mail.test", b"PIPELINING", b"SIZE 1000000", b"8BITMIME", b"SMTPUTF8", *offers]
            sock.sendall(b"".join(b"250-" + one + b"\r\n" for one in lines) + b"250 DSN\r\n")
        elif verb == b"STAR" and self._starttls == "offered":
            sock.sendall(b"220 go\r\n")
            return self._begin_tls(sock)
        else:
            sock.sendall(REPLIES.get(verb, b"250 2.0.0 ok\r\n"))
        return None if verb == b"QUIT" else sock


def _line(sock: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (byte := sock.recv(1)):
        line += byte
    return line


@contextlib.contextmanager
def mail_server(context: ssl.SSLContext, **more: object) -> Iterator[MailServer]:
    """Run a server."""
    server = MailServer(context, **more)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def pool(folder: Path, *chains: tuple[Issued, ...], **more: object) -> Iterator[list[MailServer]]:
    """Run servers at addresses of their own, on the same port."""
    with contextlib.ExitStack() as stack:
        servers: list[MailServer] = []
        for number, chain in enumerate(chains, 1):
            where = {"host": f"127.0.0.{number}", "port": servers[0].port if servers else 0}
            servers.append(stack.enter_context(mail_server(server_context(folder, chain), **where, **more)))
        yield servers

"""What lies between mailmon and a server: a TCP link on loopback that can be cut, silenced, closed or made slow."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
from dataclasses import dataclass, field

_NOTHING = b""


@dataclass
class Link:
    """Forwards a port of its own to `target`. Its fields may be changed while it runs; `port` never changes.

    `delay_s` is added in each direction, so that a round trip takes twice as long.
    """

    target: int
    delay_s: float = 0.0
    is_silent: bool = False
    cut_after_s: float | None = None
    port: int = 0
    host: str = "127.0.0.1"
    connections: int = 0
    _listener: socket.socket | None = field(default=None, repr=False)
    _open: list[socket.socket] = field(default_factory=list, repr=False)

    def __enter__(self) -> Link:
        self.listen()
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()
        self.cut()

    def listen(self) -> None:
        """Take connections, on the same port as before."""
        if self._listener is None:
            listener = socket.create_server((self.host, self.port), family=self._family, backlog=64)
            self.port = listener.getsockname()[1]
            self._listener = listener
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    @property
    def _family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    def refuse(self) -> None:
        """Let new connections be refused; open ones go on."""
        listener, self._listener = self._listener, None
        if listener is not None:
            # shutdown wakes the thread that waits in accept(), close alone does not.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def cut(self) -> None:
        """Break all connections that are open now; one that is opened meanwhile in their place stays."""
        broken, self._open = self._open, []
        for sock in broken:
            _break(sock)

    def heal(self, target: int | None = None) -> None:
        """Be a good link again."""
        self.is_silent, self.cut_after_s = False, None
        self.target = target or self.target
        self.listen()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(client)
            if self.is_silent:
                continue
            server = socket.create_connection(("127.0.0.1", self.target), 10)
            server.settimeout(None)
            self._open.append(server)
            for source, sink in ((client, server), (server, client)):
                _pump(source, sink, self.delay_s)
            if self.cut_after_s is not None:
                # What is cut does not come back: the server is gone.
                threading.Timer(self.cut_after_s, self._vanish).start()

    def _vanish(self) -> None:
        self.refuse()
        self.cut()


def _pump(source: socket.socket, sink: socket.socket, delay_s: float) -> None:
    sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    chunks: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(source, chunks, delay_s), daemon=True).start()
    threading.Thread(target=_write, args=(sink, chunks), daemon=True).start()


def _read(source: socket.socket, chunks: queue.SimpleQueue[tuple[float, bytes]], delay_s: float) -> None:
    while True:
        try:
            chunk = source.recv(65536)
        except OSError:
            chunk = _NOTHING
        chunks.put((time.monotonic() + delay_s, chunk))
        if not chunk:
            return


def _write(sink: socket.socket, chunks: queue.SimpleQueue[tuple[float, bytes]]) -> None:
    while True:
        due_s, chunk = chunks.get()
        time.sleep(max(due_s - time.monotonic(), 0))
        try:
            if not chunk:
                sink.shutdown(socket.SHUT_WR)
                return
            sink.sendall(chunk)
        except OSError:
            return


def _break(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()

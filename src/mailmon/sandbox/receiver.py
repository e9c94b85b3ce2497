"""A web server in the place of ntfy, a webhook or a ping URL, which keeps the notifications it receives."""

import json
import socket
import threading
import time
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

_BODY_LIMIT_BYTES = 16 * 1024 * 1024
_CLIENT_TIMEOUT_S = 30.0


class Received(NamedTuple):
    """One request; its headers can be asked in any case, and the time is time.monotonic().

    `status` is what it was, or will be, answered; None where the answer never leaves.
    """

    method: str
    path: str
    headers: Message
    body: bytes
    at: float
    status: int | None = None


class Receiver:
    """A web server on 127.0.0.1, a context manager; its attributes may be changed while it runs."""

    def __init__(self) -> None:
        self.status = 200
        self.body = b'{"id":"sandbox00001","event":"message"}'  # as ntfy answers
        self.headers: Mapping[str, str] = {}  # added to each answer, e.g. Retry-After
        self.hang = False  # requests are recorded and never answered until stop()
        self.lose_answer = False  # requests are recorded, then the connection is closed without an answer
        self.delay_s = 0.0  # from a request to its answer
        self.script: list[int] = []  # statuses of the next answers, before status is used
        self.redirect_to: str | None = None  # answers with 307 and this Location
        self.requests: list[Received] = []
        self.stopping = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Return the address of the server, without a slash at its end."""
        assert self._server is not None, "the receiver is not running"
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Receiver":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start to listen."""
        self.stopping.clear()
        server = self._server = _Server(self)
        self._thread = threading.Thread(target=lambda: server.serve_forever(0.02), name="mailmon-receiver", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Cut off all connections and end the threads."""
        if self._server is None or self._thread is None:
            return
        self.stopping.set()
        self._server.shutdown()
        self._server.cut_off()
        self._server.server_close()
        self._thread.join()
        self._server = self._thread = None

    def ntfy_messages(self) -> list[dict[str, object]]:
        """Return the JSON objects that were posted to / (ntfy: publish as JSON)."""
        decoded = [json.loads(request.body) for request in self.requests if request[:2] == ("POST", "/")]
        return [each for each in decoded if isinstance(each, dict)]

    def next_status(self) -> int:
        """Return the status of the next answer."""
        if self.redirect_to is not None:
            return 307
        return self.script.pop(0) if self.script else self.status


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # only threads that are no daemons are waited for in server_close()

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Exchange)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for our name, which may take seconds.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = self.socket.accept()
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: object) -> None:
        assert isinstance(request, socket.socket)
        self._connections.discard(request)
        super().shutdown_request(request)

    def cut_off(self) -> None:
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that have gone."""


class _Exchange(BaseHTTPRequestHandler):
    timeout = _CLIENT_TIMEOUT_S
    server: _Server

    def do_GET(self) -> None:
        receiver = self.server.receiver
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _BODY_LIMIT_BYTES:
            self.send_error(400)
            return
        body = self.rfile.read(int(length))
        status = None if receiver.hang or receiver.lose_answer else receiver.next_status()
        receiver.requests.append(Received(self.command, self.path, self.headers, body, time.monotonic(), status))
        if status is None:
            self.close_connection = True
            receiver.stopping.wait(None if receiver.hang else 0.0)
            return
        receiver.stopping.wait(receiver.delay_s)
        self.send_response(status)
        if receiver.redirect_to is not None:
            self.send_header("Location", receiver.redirect_to)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(receiver.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(receiver.body)

    do_DELETE = do_HEAD = do_PATCH = do_POST = do_PUT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet; paths may be secrets."""

"""Connections for examination: the wire of the mail checks, but any TLS is accepted and judged afterwards."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

from mailmon.clients.connectivity import open_socket
from mailmon.clients.deadline import Deadline
from mailmon.clients.server import Security, Server, tls_name
from mailmon.clients.wire import Wire
from mailmon.diagnose.plan import Options
from mailmon.errors import Stage, StageError
from mailmon.model.diagnosis import Endpoint, Line, Transcript
from mailmon.text import Masker

# Time to wait for a TLS alert that a server may have sent before it hung up, in seconds.
LAST_WORDS_S = 0.2
MAX_TRANSCRIPT_LINES = 400
MAX_HANDSHAKE_BYTES = 256 * 1024
# The first byte of a record that is no alert (RFC 5246 section 6.2.1).
HANDSHAKE_RECORD = b"\x16"


class Connection(Wire):
    """One connection to an endpoint. Raises what Wire raises; `handshake` raises OSError as it comes."""

    def handshake(self, context: ssl.SSLContext, timeout_s: float | None = None) -> ssl.SSLSocket:
        """Begin TLS within `timeout_s`, by default that of each step."""
        self.begin(Stage.TLS, timeout_s)
        self._sock.settimeout(self._time_left())
        self._sock = context.wrap_socket(self._sock, server_hostname=tls_name(self.server.host))
        secured = self._tls_socket()
        if self._record:
            self._show("server", f"({secured.version()}, {(secured.cipher() or ('?',))[0]})")
        return secured

    def send(self, data: bytes, shown: str | None = None) -> None:
        """Send bytes. If the server is gone, read its last alert: in TLS 1.3 it says why the client was refused."""
        try:
            super().send(data, shown)
        except StageError as exc:
            if not self.is_encrypted or exc.is_silence:
                raise
            try:
                self._sock.settimeout(LAST_WORDS_S)
                self._sock.recv(1)
            except ssl.SSLError as last:
                raise self._translate(last) from exc
            except OSError:
                raise exc from None
            raise

    def watched_handshake(self, context: ssl.SSLContext) -> bytes:
        """Do a TLS handshake and return all bytes that the server sent in it, at most MAX_HANDSHAKE_BYTES.

        The connection is unusable afterwards. A handshake that fails after the server's first message is good enough.
        Raises OSError if the server sent nothing but an alert, or closed the connection.
        """
        self.begin(Stage.TLS)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=tls_name(self.server.host))
        received = bytearray()
        while len(received) < MAX_HANDSHAKE_BYTES:
            try:
                tls.do_handshake()
                is_over = True
            except ssl.SSLWantReadError:
                is_over = False
            except ssl.SSLError:
                if received[:1] != HANDSHAKE_RECORD:
                    raise
                break
            self._sock.settimeout(self._time_left())
            self._sock.sendall(outgoing.read())
            if is_over:
                break
            more = self._sock.recv(65536)
            received += more
            if more:
                incoming.write(more)
            elif received[:1] == HANDSHAKE_RECORD:
                break
            else:
                raise ConnectionResetError("the server closed the connection")
        return bytes(received)

    @property
    def has_more(self) -> bool:
        """Return whether bytes were received that are not read yet."""
        return bool(self._buffer)


class Dialer:
    """Opens connections to one endpoint and keeps their transcripts."""

    def __init__(self, endpoint: Endpoint, options: Options, deadline: Deadline) -> None:
        self.endpoint, self.options, self.deadline = endpoint, options, deadline
        self.transcripts: list[Transcript] = []
        self.connect_s = 0.0
        security = Security.TLS if endpoint.is_implicit_tls else Security.STARTTLS
        self.server = Server(endpoint.protocol, endpoint.host, endpoint.port, security, timeout_s=options.timeout_s)

    def dial(self, purpose: str) -> Connection:
        """Connect. Raises OSError."""
        family = socket.AF_INET6 if ":" in self.endpoint.address else socket.AF_INET
        begun = time.monotonic()
        timeout_s = max(self.deadline.bound_s(self.options.timeout_s), 0.001)
        sock = open_socket(family, (self.endpoint.address, self.endpoint.port), timeout_s)
        self.connect_s = time.monotonic() - begun
        masker = Masker((self.options.password,), {self.options.username}) if self.options.password else Masker()
        return Connection(sock, self.server, self.deadline, masker, self._recorder(purpose))

    def _recorder(self, purpose: str) -> Callable[[str, float, str, str], None]:
        lines: list[Line] = []
        at = len(self.transcripts)
        self.transcripts.append(Transcript(self.endpoint.target, purpose, ()))

        def record(_target: str, at_s: float, who: str, text: str) -> None:
            if len(lines) < MAX_TRANSCRIPT_LINES:
                lines.append(Line(round(at_s, 3), who, text))
                self.transcripts[at] = self.transcripts[at]._replace(lines=tuple(lines))

        return record

"""A conversation that is only looked at: the same wire as the cycle's, but TLS is taken as it is and then judged."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

from mailmon.clients.deadline import Deadline
from mailmon.clients.reach import open_socket
from mailmon.clients.server import Security, Server, tls_name
from mailmon.clients.wire import Wire
from mailmon.diagnose.plan import Options
from mailmon.errors import Stage
from mailmon.mail.text import Masker
from mailmon.model.diagnosis import Endpoint, Line, Transcript

MAX_TRANSCRIPT_LINES = 400


class OpenLine(Wire):
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

    @property
    def has_more(self) -> bool:
        """Say whether something was received that nobody has asked for yet."""
        return bool(self._buffer)


class Dialer:
    """Opens connections to one endpoint and keeps their transcripts."""

    def __init__(self, endpoint: Endpoint, options: Options, deadline: Deadline) -> None:
        self.endpoint, self.options, self.deadline = endpoint, options, deadline
        self.transcripts: list[Transcript] = []
        self.connect_s = 0.0
        security = Security.TLS if endpoint.is_implicit_tls else Security.STARTTLS
        self.server = Server(endpoint.protocol, endpoint.host, endpoint.port, security, timeout_s=options.timeout_s)

    def dial(self, purpose: str) -> OpenLine:
        """Connect. Raises OSError."""
        family = socket.AF_INET6 if ":" in self.endpoint.address else socket.AF_INET
        begun = time.monotonic()
        timeout_s = max(self.deadline.bound_s(self.options.timeout_s), 0.001)
        sock = open_socket(family, (self.endpoint.address, self.endpoint.port), timeout_s)
        self.connect_s = time.monotonic() - begun
        masker = Masker((self.options.password,), {self.options.username}) if self.options.password else Masker()
        return OpenLine(sock, self.server, self.deadline, masker, self._recorder(purpose))

    def _recorder(self, purpose: str) -> Callable[[str, float, str, str], None]:
        lines: list[Line] = []
        at = len(self.transcripts)
        self.transcripts.append(Transcript(self.endpoint.target, purpose, ()))

        def record(_target: str, at_s: float, who: str, text: str) -> None:
            if len(lines) < MAX_TRANSCRIPT_LINES:
                lines.append(Line(round(at_s, 3), who, text))
                self.transcripts[at] = self.transcripts[at]._replace(lines=tuple(lines))

        return record

"""One connection to a mail server: lines and bytes, each command with its own deadline, everything on record.

Server bytes go no further than here undecided; every failure leaves as a StageError that says where and whose it was.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mailmon.clients.connectivity import is_ours, is_silence, open_socket
from mailmon.clients.deadline import Deadline
from mailmon.clients.server import Server, tls_name
from mailmon.clients.tls import CLOSED, PeerCertificate, TlsContexts, peer_certificate, verify_pin
from mailmon.errors import Stage, StageError
from mailmon.mail.caps import MAX_REPLY_CHARS
from mailmon.text import Masker, fit_characters, visible

MAX_LINE_BYTES = 65536
MAX_SAID, MAX_SHOWN = 500, 2000
# Servers delay the answer to a wrong password (Dovecot's penalty: 15 s at most): less would call it a time-out.
LOGIN_TIMEOUT_S = 20.0
MAX_LITERAL_BYTES, MAX_SKIPPED_BYTES = 4 * 1024 * 1024, 64 * 1024 * 1024
# All that may come in answer to one command: memory is bounded although a server never stops talking.
MAX_COMMAND_BYTES = 8 * 1024 * 1024

# (seconds since the connection began, "client" or "server", text)
Record = Callable[[str, float, str, str], None]


class Wire:
    """A socket to `server` that is read line by line. Not for use by two threads at once.

    Only `close` may come from another thread, at any moment. A socket that is in use is shut down then, and closed by
    whoever uses it: its number could belong to another connection while a call on it goes on.
    """

    def __init__(
        self, sock: socket.socket, server: Server, deadline: Deadline, masker: Masker, record: Record | None
    ) -> None:
        self._sock = sock
        self.server = server
        self._run_deadline = deadline
        self._mask = masker
        self._record = record
        self._buffer = bytearray()
        self._started_s = deadline.monotonic()
        self.stage = Stage.CONNECT
        self._timeout_s = server.timeout_s
        self._until_s = deadline.at_s
        self._budget = MAX_COMMAND_BYTES
        self._gate = threading.Lock()
        self._is_in_use = self._is_closed = False

    def begin(self, stage: Stage, timeout_s: float | None = None) -> None:
        """Start a new command: all that follows up to the next call must end within `timeout_s`."""
        self.stage = stage
        wanted = self.server.timeout_s if timeout_s is None else timeout_s
        self._timeout_s = self._run_deadline.bound_s(wanted)
        self._until_s = self._run_deadline.monotonic() + self._timeout_s
        self._budget = MAX_COMMAND_BYTES

    def read_line(self) -> bytes:
        """Return the next line with its line ending. Raises StageError; a line is at most MAX_LINE_BYTES long."""
        while True:
            end = self._buffer.find(b"\n")
            if end >= 0:
                return self._take(end + 1)
            if len(self._buffer) > MAX_LINE_BYTES:
                raise self.error("protocol_error", f"a line of more than {MAX_LINE_BYTES} bytes")
            self._fill()

    def read_piece(self) -> bytes:
        """Return the next line with its line ending, or MAX_LINE_BYTES of a longer one. Raises StageError."""
        while True:
            end = self._buffer.find(b"\n")
            if 0 <= end < MAX_LINE_BYTES:
                return self._take(end + 1)
            if len(self._buffer) > MAX_LINE_BYTES:
                return self._take(MAX_LINE_BYTES)
            self._fill()

    def read_start(self, size: int, keep: int) -> bytes:
        """Read exactly `size` bytes and return the first `keep` of them. Raises StageError; at most MAX_SKIPPED_BYTES.

        What is not kept is not counted: memory is bounded all the same.
        """
        if size > MAX_SKIPPED_BYTES:
            raise self.error("protocol_error", f"the server announces {size} bytes, more than is taken")
        kept = min(size, keep)
        while len(self._buffer) < kept:
            self._fill()
        taken = self._take(kept, is_shown=False)
        left = size - kept
        while left:
            if not self._buffer:
                self._fill()
            skipped = min(left, len(self._buffer))
            del self._buffer[:skipped]
            self._budget += skipped
            left -= skipped
        return taken

    def send(self, data: bytes, shown: str | None = None) -> None:
        """Send bytes; `shown` stands for them on the record where they hold a credential or a message."""
        if self._record:
            self._show("client", visible(data.rstrip(b"\r\n"), MAX_REPLY_CHARS) if shown is None else shown)
        try:
            with self._used():
                self._sock.settimeout(self._time_left())
                self._sock.sendall(data)
        except OSError as exc:
            raise self._translate(exc) from exc

    def start_tls(self, contexts: TlsContexts) -> None:
        """Begin TLS on this connection, check the pinned certificate, and forget nothing that came before in clear.

        Raises StageError at the stages tls and certificate. Bytes that the server sent in clear behind its answer to
        STARTTLS are an injection (CVE-2011-0411) and end the conversation.
        """
        if self._buffer:
            raise self.error("starttls_injection", "the server sent more in clear behind its answer to STARTTLS")
        self.begin(Stage.TLS)
        name = tls_name(self.server.host)
        try:
            with self._used():
                self._sock.settimeout(self._time_left())
                self._sock = contexts.get(self.server.trust).wrap_socket(self._sock, server_hostname=name)
        except OSError as exc:
            from mailmon.clients.failure import tls_error

            raise tls_error(exc, self.server) or self._translate(exc) from exc
        tls = self._tls_socket()
        verify_pin(self.certificate_bytes(), self.server)
        if self._record:
            self._show("server", f"({tls.version()}, {(tls.cipher() or ('?',))[0]})")

    def certificate(self) -> PeerCertificate | None:
        """Return the server's certificate, None where it was not verified by its chain."""
        return peer_certificate(self._sock)

    def certificate_bytes(self) -> bytes:
        """Return the server's certificate (DER), whether it was verified or not."""
        return self._tls_socket().getpeercert(binary_form=True) or b""

    def close(self) -> None:
        """Close the connection, or end it where another thread uses it; never raises."""
        with self._gate:
            self._is_closed = True
            is_in_use = self._is_in_use
        with contextlib.suppress(OSError):
            if is_in_use:
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # of an SSLSocket, this leaves its state alone
            else:
                self._sock.close()

    @contextlib.contextmanager
    def _used(self) -> Iterator[None]:
        """Use the socket, alone. Raises OSError where it is closed or another thread uses it."""
        with self._gate:
            if self._is_closed or self._is_in_use:
                raise OSError(errno.EBADF, "it is closed" if self._is_closed else "it is in use")
            self._is_in_use = True
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        """End the use of the socket; close it where that was asked for in the meantime."""
        with self._gate:
            self._is_in_use = False
            if self._is_closed:
                self._sock.close()

    def now_s(self) -> float:
        """Return the monotonic clock."""
        return self._run_deadline.monotonic()

    def error(self, problem: str, said: str, advice: str = "", *, lost: bool = False, **more: bool) -> StageError:
        """Return a StageError at the present stage, credentials masked."""
        finding_id = problem if "." in problem else f"{self.server.protocol}.{problem}"
        words, named = self.masked(said), self.server.keys.named(advice, self.server.protocol)
        return StageError(finding_id, self.stage, self.server.target, words, named, lost=lost, **more)

    def masked(self, said: str) -> str:
        """Return words of the server as they may be shown: no credential in them, and at most MAX_SAID characters."""
        # Masked before it is cut: half a credential is one too.
        return fit_characters(self._mask(said), MAX_SAID)

    @property
    def local_address(self) -> str:
        """Return our own address on this connection."""
        return str(self._sock.getsockname()[0])

    @property
    def is_encrypted(self) -> bool:
        """Return whether TLS protects the connection."""
        return isinstance(self._sock, ssl.SSLSocket)

    def _tls_socket(self) -> ssl.SSLSocket:
        assert isinstance(self._sock, ssl.SSLSocket)
        return self._sock

    def _take(self, size: int, *, is_shown: bool = True) -> bytes:
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        if self._record:
            self._show("server", visible(taken.rstrip(b"\r\n"), MAX_REPLY_CHARS) if is_shown else f"({size} bytes)")
        return taken

    def _fill(self) -> None:
        try:
            with self._used():
                self._sock.settimeout(self._time_left())
                received = self._sock.recv(65536)
        except OSError as exc:
            raise self._translate(exc) from exc
        self._budget -= len(received)
        if self._budget < 0:
            raise self.error("protocol_error", f"an answer of more than {MAX_COMMAND_BYTES} bytes")
        if not received:
            raise self.error("connection_lost", "the server closed the connection", lost=True)
        self._buffer += received

    def _time_left(self) -> float:
        left = self._until_s - self._run_deadline.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _translate(self, exc: OSError) -> StageError:
        if isinstance(exc, TimeoutError):
            if self._run_deadline.remaining_s() <= 0:
                said = "no answer before the run's deadline"
                return self.error("timeout", said, "Raise deadline_s.", is_silence=True)
            advice = ""
            if self.stage is Stage.GREETING:
                advice = "If this port expects TLS from the first byte, set `security` to tls."
            return self.error("timeout", f"no answer within {self._timeout_s:.0f} s", advice, is_silence=True)
        if isinstance(exc, CLOSED):
            return self.error("connection_lost", "the server closed the connection", lost=True)
        if isinstance(exc, ssl.SSLError):
            return self._explain_break(exc)
        said = f"the connection broke: {exc.strerror or 'without a reason'}"
        return self.error("connection_lost", said, lost=True, is_silence=is_silence(exc))

    def _explain_break(self, exc: ssl.SSLError) -> StageError:
        """Tell why TLS broke after the handshake; only there TLS 1.3 has a server say that it wants our certificate."""
        from mailmon.clients.failure import explain_tls
        from mailmon.mail.tls_words import PLAINTEXT, REASONS

        words = explain_tls(exc, self.server.host)
        if words.finding_id == "tls.client_cert_required":
            return self.error(words.finding_id, words.said, words.advice)
        if words.finding_id == PLAINTEXT:  # as OpenSSL calls a record that makes no sense
            words = REASONS["DECRYPTION_FAILED_OR_BAD_RECORD_MAC"]
        return self.error("connection_lost", f"the connection broke: {words.said}", words.advice, lost=True)

    def _show(self, who: str, text: str) -> None:
        assert self._record is not None
        elapsed_s = self._run_deadline.monotonic() - self._started_s
        self._record(self.server.target, elapsed_s, who, fit_characters(self._mask(text), MAX_SHOWN))


def connect(
    server: Server,
    addresses: list[tuple[socket.AddressFamily, tuple[str, int]]],
    deadline: Deadline,
    masker: Masker,
    record: Record | None = None,
) -> Wire:
    """Connect to the first of a server's addresses that answers. Raises StageError at the stage connect."""
    failures: list[_Failure] = []
    until_s = deadline.monotonic() + deadline.bound_s(server.timeout_s)
    for number, (family, address) in enumerate(addresses):
        share_s = (until_s - deadline.monotonic()) / (len(addresses) - number)
        try:
            sock = open_socket(family, address, max(share_s, 0.001))
        except OSError as exc:
            failures.append(_Failure(exc, is_ours(exc, family, address)))
        else:
            return Wire(sock, server, deadline, masker, record)
    raise _unreachable(server, failures) from failures[0].exc


class _Failure(NamedTuple):
    """Why one address was not reached."""

    exc: OSError
    is_ours: bool

    @property
    def rank(self) -> int:
        """Return how little it tells: an address family that this machine lacks must not hide the other one."""
        return 2 if self.is_ours else 1 if self.exc.errno == errno.ENETUNREACH else 0


def _unreachable(server: Server, failures: list[_Failure]) -> StageError:
    """Tell of the failure that says most; it was silence only where no address gave any reply."""
    exc, ours = min(failures, key=lambda failure: failure.rank)
    said, advice = exc.strerror or "it cannot be connected to", ""
    if isinstance(exc, TimeoutError):
        said = f"no answer within {server.timeout_s:.0f} s"
        advice = "A firewall may drop the packets, or the host is down."
    elif isinstance(exc, ConnectionRefusedError):
        said, advice = "connection refused", "Nothing listens on this port: is the mail server running?"
    if ours:
        advice = "This machine has no way to that address: look at its own network first."
    silence = not ours and all(failure.is_ours or is_silence(failure.exc) for failure in failures)
    return StageError("tcp.unreachable", Stage.CONNECT, server.target, said, advice, ours=ours, is_silence=silence)

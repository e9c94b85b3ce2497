"""TLS contexts, pins and the server's certificate (RFC 8314, RFC 9525)."""

from __future__ import annotations

import hashlib
import math
import socket
import ssl
import threading
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mailmon import safe
from mailmon.clients.server import Server, Trust
from mailmon.errors import MailmonError, Stage, StageError
from mailmon.text import visible

MAX_CA_BYTES = 16 * 1024 * 1024
# A connection that was closed during TLS; which of the two depends on the version of Python.
CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
# Where the failure of a verification keeps what the server sent.
SENT = "mailmon_sent"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Sent(NamedTuple):
    """The certificates of a server (DER, its own first) with which a handshake came to nothing, and our context."""

    chain: tuple[bytes, ...]
    context: ssl.SSLContext


class TellingSocket(ssl.SSLSocket):
    """A TLS socket whose failed handshake carries the certificates that the server sent, for clients/failure.py."""

    def do_handshake(self, block: bool = False) -> None:
        """Do the handshake. Raises OSError; an SSLError has the certificates that were sent as an attribute."""
        try:
            super().do_handshake(block)
        except ssl.SSLError as exc:
            setattr(exc, SENT, Sent(sent_chain(self), self.context))
            raise


class TlsContexts:
    """The TLS contexts of one run: reading a bundle of certificates takes longer than a connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._contexts: dict[Trust, ssl.SSLContext] = {}

    def get(self, trust: Trust) -> ssl.SSLContext:
        """Return the context for a trust. A pin replaces chain and name; the caller then checks it (verify_pin).

        Without `ca_file` OpenSSL's default places are used, SSL_CERT_FILE and SSL_CERT_DIR included.
        """
        with self._lock:
            if trust not in self._contexts:
                self._contexts[trust] = _make_context(trust)
            return self._contexts[trust]


def _make_context(trust: Trust) -> ssl.SSLContext:
    if trust.insecure or trust.tls_sha256:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.sslsocket_class = TellingSocket
        return context
    try:
        if trust.ca_file:
            safe.must_be_regular(trust.ca_file, MAX_CA_BYTES)
        context = ssl.create_default_context(cafile=trust.ca_file)
        # Python 3.13 began to refuse certificates without key identifiers, which many own CAs lack: an upgrade of
        # Python must not look like an outage (docs/decisions/0006-certificates.md).
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.sslsocket_class = TellingSocket
        return context
    except OSError as exc:
        raise MailmonError(f"ca_file {trust.ca_file}: {why_unusable(exc)}") from exc


def why_unusable(exc: OSError) -> str:
    """Return why a file with CA certificates cannot be used."""
    return "holds no CA certificate in PEM form" if isinstance(exc, ssl.SSLError) else exc.strerror or "cannot be read"


def sent_chain(sock: ssl.SSLSocket) -> tuple[bytes, ...]:
    """Return the certificates (DER) that a server sent; before Python 3.13 only the inner object knows them."""
    return _chain(sock, "get_unverified_chain")


def verified_chain(sock: ssl.SSLSocket) -> tuple[bytes, ...]:
    """Return the path (DER) from a server's certificate to the one that is trusted; () where nothing was verified."""
    return _chain(sock, "get_verified_chain")


def _chain(sock: ssl.SSLSocket, method: str) -> tuple[bytes, ...]:
    inner: Any = sock if hasattr(sock, method) else getattr(sock, "_sslobj", None)
    try:
        found = getattr(inner, method)() or ()
    except (AttributeError, ValueError, OSError):
        return ()
    return tuple(one if isinstance(one, bytes) else one.public_bytes(2) for one in found)  # 2: _ssl.ENCODING_DER


def verify_pin(certificate: bytes, server: Server) -> None:
    """Compare a leaf certificate (DER) with the pinned SHA-256 digests. Raises StageError before any credential."""
    pins = server.trust.tls_sha256
    digest = hashlib.sha256(certificate).hexdigest()
    if pins and digest not in pins:
        raise StageError(
            "tls.pin_mismatch",
            Stage.CERTIFICATE,
            server.target,
            f"the certificate's SHA-256 is {digest}, which is not pinned",
            f"If the certificate was renewed on purpose, pin the new one: {server.keys.pin(digest, pins)}",
        )


class PeerCertificate(NamedTuple):
    """What is known of a certificate that was verified by its chain: a name of it, and its validity in Unix time."""

    name: str
    until_s: float
    since_s: float = -math.inf

    def days(self, now_s: float) -> float:
        """Return the days that are left."""
        return (self.until_s - now_s) / 86400

    @property
    def lifetime_days(self) -> float:
        """Return the days that it is valid in all, infinite where its beginning is not known."""
        return (self.until_s - self.since_s) / 86400


def peer_certificate(sock: socket.socket) -> PeerCertificate | None:
    """Return the certificate of a connection, None where there is none or nothing was verified."""
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not shown or "notAfter" not in shown:
        return None
    fields: Any = shown
    common = [value for part in fields.get("subject", ()) for kind, value in part if kind == "commonName"]
    # The common name is on its way out; of the others the order may be another one after each renewal.
    names = common or sorted(value for _, value in fields.get("subjectAltName", ()))
    since_s = _unix_time(fields["notBefore"]) if "notBefore" in fields else -math.inf
    return PeerCertificate(visible((names or ["?"])[0], 200), _unix_time(fields["notAfter"]), since_s)


def _unix_time(expires: str) -> float:
    """Return the Unix time of `Jun  1 12:00:00 2030 GMT`; ssl.cert_time_to_seconds would import strptime for it."""
    month, day, clock, year, _ = expires.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()

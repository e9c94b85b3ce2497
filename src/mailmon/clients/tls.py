"""Is this really the server, as far as its certificate tells? (RFC 8314, RFC 9525)"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mailmon import safe
from mailmon.clients.server import Server, Trust
from mailmon.errors import MailmonError, Stage, StageError
from mailmon.mail.text import visible

# OpenSSL's verification results: (finding, what to say, what to do). x509_vfy.h
_VERIFY_CODES: dict[int, tuple[str, str, str]] = {
    9: ("tls.cert_not_yet_valid", "the certificate is not valid yet", "Compare the clocks of both machines."),
    10: ("tls.cert_expired", "the certificate has expired", "Renew it and reload the mail server."),
    18: ("tls.cert_self_signed", "the certificate is self-signed", "Set ca_file to it, or pin it with tls_sha256."),
    19: ("tls.cert_untrusted", "the chain ends in an unknown self-signed certificate", "Set ca_file to its CA."),
    20: ("tls.cert_untrusted", "the issuer of the certificate is unknown", "Set ca_file, or serve the whole chain."),
    21: ("tls.cert_chain_incomplete", "the issuer of the certificate is missing", "Serve the whole chain."),
    62: ("tls.cert_name", "the certificate is for another name", "Check the host name, or get a certificate for it."),
    64: ("tls.cert_name", "the certificate is not for this address", "Use the name that the certificate is for."),
}
MAX_CA_BYTES = 16 * 1024 * 1024
# A connection that was closed during TLS; which of the two depends on the version of Python.
CLOSED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PLAINTEXT_REASONS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG")


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
        return context
    try:
        if trust.ca_file:
            safe.must_be_regular(trust.ca_file, MAX_CA_BYTES)
        context = ssl.create_default_context(cafile=trust.ca_file)
        # Python 3.13 began to refuse certificates without key identifiers, which many own CAs lack: an upgrade of
        # Python must not look like an outage (docs/decisions/0006-certificates.md).
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context
    except (OSError, ssl.SSLError) as exc:
        raise MailmonError(f"ca_file {trust.ca_file}: {exc.strerror or exc}") from exc


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
            "If the certificate was renewed on purpose, put this digest into tls_sha256.",
        )


class PeerCertificate(NamedTuple):
    """What is known of a certificate that was verified by its chain: a name of it, and its end in Unix time."""

    name: str
    until_s: float

    def days(self, now_s: float) -> float:
        """Return the days that are left."""
        return (self.until_s - now_s) / 86400


def peer_certificate(sock: socket.socket) -> PeerCertificate | None:
    """Return the certificate of a connection, None where there is none or nothing was verified."""
    shown = sock.getpeercert() if isinstance(sock, ssl.SSLSocket) else None
    if not shown or "notAfter" not in shown:
        return None
    fields: Any = shown
    common = [value for part in fields.get("subject", ()) for kind, value in part if kind == "commonName"]
    # The common name is on its way out; of the others the order may be another one after each renewal.
    names = common or sorted(value for _, value in fields.get("subjectAltName", ()))
    return PeerCertificate(visible((names or ["?"])[0], 200), _unix_time(fields["notAfter"]))


def _unix_time(expires: str) -> float:
    """Return the Unix time of `Jun  1 12:00:00 2030 GMT`; ssl.cert_time_to_seconds would import strptime for it."""
    month, day, clock, year, _ = expires.split()
    hour, minute, second = map(int, clock.split(":"))
    return datetime(int(year), _MONTHS.index(month) + 1, int(day), hour, minute, second, tzinfo=UTC).timestamp()


def tls_error(exc: OSError, server: Server) -> StageError | None:
    """Return what a failed handshake means, None when it was the connection that broke."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        finding_id, said, advice = _VERIFY_CODES.get(
            exc.verify_code, ("tls.cert_untrusted", visible(exc.verify_message or "not trusted"), "")
        )
        return StageError(finding_id, Stage.CERTIFICATE, server.target, said, advice)
    if not isinstance(exc, ssl.SSLError) or isinstance(exc, CLOSED):
        return None
    if exc.reason in _PLAINTEXT_REASONS:
        return StageError(
            f"{server.protocol}.plaintext_on_tls_port",
            Stage.TLS,
            server.target,
            "the server speaks plain text where TLS is expected",
            "Set the security of this port to starttls, or use the TLS port.",
        )
    reason = visible((exc.reason or str(exc)).replace("_", " ").lower())
    return StageError("tls.handshake_failed", Stage.TLS, server.target, f"the TLS handshake failed: {reason}")

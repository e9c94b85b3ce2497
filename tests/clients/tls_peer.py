"""Real TLS servers on loopback, with certificates that are made here: good ones, and ones with each of their faults."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PEM = serialization.Encoding.PEM
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Made(NamedTuple):
    """A certificate with its key and those above it that a server sends along."""

    certificate: x509.Certificate
    key: Key
    above: tuple[x509.Certificate, ...] = ()

    @property
    def pem(self) -> bytes:
        """Return the certificate alone."""
        return self.certificate.public_bytes(PEM)


def make(
    name: str,
    issuer: Made | None = None,
    *,
    names: tuple[str, ...] = (),
    days: tuple[int, int] = (-10, 90),
    is_ca: bool = False,
    key: Key | None = None,
) -> Made:
    """Return a certificate; without an issuer it is signed by itself. `days` are its begin and end from now."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
    certificate = builder.sign(issuer.key if issuer else own, hashes.SHA256())
    above = (
        (issuer.certificate, *issuer.above)
        if issuer and issuer.certificate.issuer != issuer.certificate.subject
        else ()
    )
    return Made(certificate, own, above)


@cache
def root() -> Made:
    """Return a CA that is good."""
    return make("Test Root", is_ca=True)


def context_for(made: Made, directory: Path) -> ssl.SSLContext:
    """Return a server's context that shows a certificate and sends those above it, but not the root."""
    file = directory / f"{made.certificate.serial_number}.pem"
    private = made.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + made.pem + b"".join(one.public_bytes(PEM) for one in made.above))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None, answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """Serve on loopback until the block ends; yield the port. Without a context no TLS is spoken."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(5)
            if context:
                sock = context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
            with sock, contextlib.suppress(OSError, ValueError):
                if isinstance(sock, ssl.SSLSocket):
                    sock.do_handshake()
                answer(sock)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)

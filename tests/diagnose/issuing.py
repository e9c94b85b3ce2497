"""Certificates made for one test: CAs, what they issue, cross-signed or expired, and the files that servers read."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Issued(NamedTuple):
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def issue(
    name: str,
    by: Issued | None = None,
    *,
    names: Iterable[str] | None = None,
    is_ca: bool = False,
    age_days: float = 30,
    left_days: float = 60,
    key: Key | None = None,
) -> Issued:
    """Issue a certificate, self-signed without `by`; of a leaf `names` are by default its own."""
    own, now = key or ec_key(), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=age_days))
        .not_valid_after(now + timedelta(days=left_days))
        .add_extension(x509.BasicConstraints(is_ca, None), critical=True)
    )
    if not is_ca:
        listed = [x509.DNSName(one) for one in (names if names is not None else (name,))]
        built = built.add_extension(x509.SubjectAlternativeName(listed), critical=False) if listed else built
    signer = by.key if by else own
    return Issued(built.sign(signer, hashes.SHA256()), own)


def signed_with_sha1(issued: Issued, by: Issued | None = None) -> Issued:
    """Return a self-signed certificate signed anew with SHA-1, which only the openssl command still does."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cert").write_bytes(issued.pem)
        (folder / "ca").write_bytes((by or issued).pem)
        (folder / "key").write_bytes(private((by or issued).key))
        command = ["openssl", "x509", "-in", "cert", "-sha1", "-days", "60", "-set_serial", "5"]
        command += ["-CA", "ca", "-CAkey", "key"] if by else ["-signkey", "key"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return issued._replace(certificate=x509.load_pem_x509_certificate(done.stdout))


def private(key: Key) -> bytes:
    """Return a key in PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def server_context(folder: Path, *chains: tuple[Issued, ...]) -> ssl.SSLContext:
    """Return a server's context that shows chains, the leaf of each first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    for number, chain in enumerate(chains):
        file = folder / f"chain{number}-{id(chain)}.pem"
        secret = private(chain[0].key)
        file.write_bytes(secret + b"".join(one.pem for one in chain))
        context.load_cert_chain(file)
    return context


def ca_file(folder: Path, *trusted: Issued) -> str:
    """Write certificates to a file that can be given as --ca-file."""
    file = folder / "trusted.pem"
    file.write_bytes(b"".join(one.pem for one in trusted))
    return str(file)

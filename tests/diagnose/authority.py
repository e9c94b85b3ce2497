"""Certificates for the servers of tests: of a public CA, of private ones, self-signed, of any age."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.diagnose.healthy import Certificate

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Signer(NamedTuple):
    """A CA: its certificate and key."""

    certificate: x509.Certificate
    key: Key


class Issued(NamedTuple):
    """A certificate as it was issued: the chain and its key (.key beside it) as files, the leaf, and the top of it."""

    chain: Path
    leaf: x509.Certificate
    top: x509.Certificate


class Authority:
    """Issues certificates into a directory; `ca_file` is what clients have to trust."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._issued: dict[tuple[Certificate, str], Issued] = {}
        self._root = _ca("Test Root", None)
        self._private = _ca("Private Root", None)
        self._public = _ca("Test Intermediate", self._root)
        self._lets_encrypt = _ca("R11", self._root, organisation="Let's Encrypt")
        self._old = _ca("Old Root", None)
        self.ca_file = directory / "ca.pem"
        self.ca_file.write_bytes(self._root.certificate.public_bytes(Encoding.PEM))

    def issue(self, wanted: Certificate, host: str) -> Issued:
        """Issue a certificate for a host, the same one each time."""
        if (wanted, host) not in self._issued:
            self._issued[wanted, host] = self._make(wanted, host)
        return self._issued[wanted, host]

    def _make(self, wanted: Certificate, host: str) -> Issued:
        signer = {"public": self._public, "lets-encrypt": self._lets_encrypt, "private": self._private}.get(
            wanted.issuer
        )
        key: Key = _rsa_key() if wanted.key == "rsa" else ec.generate_private_key(ec.SECP256R1())
        names = [name.format(host=host) for name in wanted.names]
        leaf = _leaf(names, key, signer, timedelta(days=wanted.age_days), timedelta(days=wanted.left_days))
        chain = [leaf, *([signer.certificate] if signer else [])]
        if wanted.with_sha1_root:
            chain.append(_crossed(self._root, self._old, self._directory))
        path = self._directory / f"{len(self._issued)}.crt"
        path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.with_suffix(".key").write_bytes(private)
        return Issued(path, leaf, chain[-1])


def tlsa_words(issued: Sequence[Issued]) -> dict[str, str]:
    """Return what fills {leaf}, {leaf_certificate}, {leaf_sha512}, {ca}, {ca_certificate}, {leaf2} of a TLSA record."""
    first, last = issued[0], issued[-1]
    return {
        "leaf": hashlib.sha256(_public(first.leaf)).hexdigest(),
        "leaf2": hashlib.sha256(_public(last.leaf)).hexdigest(),
        "leaf_certificate": hashlib.sha256(first.leaf.public_bytes(Encoding.DER)).hexdigest(),
        "leaf_sha512": hashlib.sha512(_public(first.leaf)).hexdigest(),
        "ca": hashlib.sha256(_public(first.top)).hexdigest(),
        "ca_certificate": hashlib.sha256(first.top.public_bytes(Encoding.DER)).hexdigest(),
    }


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _name(common: str, organisation: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(attributes)


def _builder(name: x509.Name, issuer: x509.Name, key: Key) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
    )


def _ca(common: str, signer: Signer | None, organisation: str = "Tests") -> Signer:
    key, name, now = ec.generate_private_key(ec.SECP256R1()), _name(common, organisation), datetime.now(UTC)
    by = signer or Signer(None, key)  # type: ignore[arg-type]
    issuer = signer.certificate.subject if signer else name
    built = (
        _builder(name, issuer, key)
        .not_valid_before(now - timedelta(days=900))
        .not_valid_after(now + timedelta(days=900))
    )
    return Signer(_as_ca(built, key).sign(by.key, hashes.SHA256()), key)


def _as_ca(built: x509.CertificateBuilder, key: Key) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    return (
        built.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _leaf(names: list[str], key: Key, signer: Signer | None, age: timedelta, left: timedelta) -> x509.Certificate:
    name, now = _name(names[0], ""), datetime.now(UTC)
    issuer = signer.certificate.subject if signer else name
    built = _builder(name, issuer, key).not_valid_before(now - age).not_valid_after(now + left)
    return (
        built.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key((signer.key if signer else key).public_key()),
            critical=False,
        )
        .sign(signer.key if signer else key, hashes.SHA256())
    )


def _crossed(root: Signer, old: Signer, directory: Path) -> x509.Certificate:
    """Return the root's certificate as an older root has signed it with SHA-1, which `cryptography` does not do."""
    for name, one in (("root", root), ("old", old)):
        key = one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / f"{name}.pem").write_bytes(one.certificate.public_bytes(Encoding.PEM) + key)
    asked = _openssl("req", "-new", "-key", str(directory / "root.pem"), "-subj", "/O=Tests/CN=Test Root")
    signer = ("-CA", str(directory / "old.pem"), "-CAkey", str(directory / "old.pem"), "-set_serial", "7")
    return x509.load_pem_x509_certificate(_openssl("x509", "-req", "-sha1", "-days", "200", *signer, stdin=asked))


def _openssl(*arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, timeout=60, check=True).stdout

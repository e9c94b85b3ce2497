"""The certificates of the sandbox."""

import hashlib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_NAMES = ("localhost", "127.0.0.1")


class Certificates:
    """A throw-away CA and the certificates made by it, each made when it is first shown."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="mailmon sandbox")
        self._good = self._issue("good")
        self._contexts = {"good": _context_of(self._good)}

    @property
    def ca_pem(self) -> bytes:
        """Return the certificate of the CA."""
        return self._ca.cert_pem.bytes()

    @property
    def sha256(self) -> str:
        """Return the fingerprint of the good certificate: hex digits of SHA-256 over its DER form."""
        der = ssl.PEM_cert_to_DER_cert(self._good.cert_chain_pems[0].bytes().decode())
        return hashlib.sha256(der).hexdigest()

    def context(self, wanted: Callable[[], str]) -> ssl.SSLContext:
        """Return a server context that asks in each handshake which certificate is wanted."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._good.configure_cert(context)

        # OpenSSL calls this for each ClientHello, with or without a server name, early enough to change the context.
        def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            connection.context = self._context_for(wanted())

        context.sni_callback = choose
        return context

    def _context_for(self, kind: str) -> ssl.SSLContext:
        if kind not in self._contexts:
            self._contexts[kind] = _self_signed() if kind == "self_signed" else _context_of(self._issue(kind))
        return self._contexts[kind]

    def _issue(self, kind: str) -> trustme.LeafCert:
        now = datetime.now(UTC)
        first, last = {
            "good": (now - timedelta(days=1), now + timedelta(days=90)),
            "wrong_name": (now - timedelta(days=1), now + timedelta(days=90)),
            "expired": (now - timedelta(days=60), now - timedelta(days=2)),
            # An hour more, so that a count of whole days says 5.
            "soon": (now - timedelta(days=60), now + timedelta(days=5, hours=1)),
        }[kind]
        names = ("wrong.example.net",) if kind == "wrong_name" else _NAMES
        return self._ca.issue_cert(*names, not_before=first, not_after=last)


def _context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _self_signed() -> ssl.SSLContext:
    # trustme makes no self-signed leaf, and one of a second CA would give a client another error than this does.
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=90))
        .add_extension(alternatives, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory(prefix="mailmon-sandbox-") as directory:  # ssl loads a key from files only
        path = Path(directory, "leaf.pem")
        path.touch(mode=0o600)
        path.write_bytes(private + certificate.public_bytes(pem))
        context.load_cert_chain(path)
    return context

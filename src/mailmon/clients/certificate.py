"""A certificate's digest, name and expiry."""

from __future__ import annotations

import hashlib
import ssl
import warnings
from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.tls import PeerCertificate
from mailmon.safe import read_regular
from mailmon.text import visible

if TYPE_CHECKING:  # only who looks at files loads it
    from cryptography import x509

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_MAX_BYTES = 1024 * 1024


class Leaf(NamedTuple):
    """A server's own certificate: its SHA-256 digest; a name and its end, where they can be read."""

    digest: str
    about: PeerCertificate | None


def read_leaf(certificate: bytes) -> Leaf:
    """Return what a certificate (DER) is. Never raises."""
    return Leaf(hashlib.sha256(certificate).hexdigest(), _about(certificate))


def read_leaf_file(file: str) -> Leaf:
    """Return what the first certificate in a PEM file is. Raises OSError, ValueError."""
    text = read_regular(file, _MAX_BYTES).decode("ascii", "replace")
    _, found, rest = text.partition(_BEGIN)
    if not found or _END not in rest:
        raise ValueError("contains no certificate")
    leaf = read_leaf(ssl.PEM_cert_to_DER_cert(_BEGIN + rest.partition(_END)[0] + _END))
    if leaf.about is None:
        raise ValueError("contains no valid certificate")
    return leaf


def _about(certificate: bytes) -> PeerCertificate | None:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = x509.load_der_x509_certificate(certificate)
            names = [str(one.value) for one in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            names = names or sorted(_other_names(parsed))
            # As peer_certificate() has it: one certificate is one, wherever it was seen.
            until_s, since_s = parsed.not_valid_after_utc.timestamp(), parsed.not_valid_before_utc.timestamp()
            return PeerCertificate(visible((names or ["?"])[0], 200), until_s, since_s)
    except (ValueError, TypeError, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        return None


def _other_names(parsed: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in names]

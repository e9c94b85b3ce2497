"""Which key record belongs to a key on disk? The signer's own record, or a PEM file, private or public."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from mailmon.diagnose.certificate import UNREADABLE
from mailmon.errors import MailmonError
from mailmon.mail.records.dkim import read_key
from mailmon.mail.records.tags import Mistake

MAX_BYTES = 65536
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def read_key_file(path: Path) -> str:
    """Return the record of a key; of a private key only the public half is ever looked at. Raises MailmonError."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES)
    except OSError as exc:
        raise MailmonError(f"{path}: cannot be read: {exc.strerror}", "Run as a user that may read it.") from exc
    if b"-----BEGIN" in raw:
        return _of_pem(raw, path)
    text = raw.decode("latin-1")
    # What opendkim-genkey and rspamadm write: strings in a zone-file line.
    record = "".join(_STRING.findall(text)) or text.strip()
    try:
        read_key(record)
    except Mistake as exc:
        raise MailmonError(f"{path}: no DKIM key record: {exc}", "Name the .txt file or a PEM file.") from exc
    return record


def _of_pem(raw: bytes, path: Path) -> str:
    try:
        key = load_pem_private_key(raw, None).public_key() if b"PRIVATE" in raw else load_pem_public_key(raw)
    except UNREADABLE:
        raise MailmonError(f"{path}: this key cannot be read", "It must be PEM, without a password.") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        kind, data = "ed25519", key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    elif isinstance(key, rsa.RSAPublicKey):
        kind, data = "rsa", key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        raise MailmonError(f"{path}: DKIM knows RSA and Ed25519 keys only")
    return f"v=DKIM1; k={kind}; p={base64.b64encode(data).decode()}"

"""DKIM signatures are verified only with keys that take little time."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailmon.clients.signatures import is_quick_key, signature_check

MESSAGE = (
    b"DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=example.net; s=s1; h=from:subject;\r\n"
    b" bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=%s\r\nFrom: a@example.net\r\nSubject: x\r\n\r\n"
)


def integer(number: int) -> bytes:
    raw = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return b"\x02\x82" + len(raw).to_bytes(2, "big") + raw


def record(modulus: int, exponent: int) -> bytes:
    """Return a key record with an RSAPublicKey (RFC 8017 appendix A.1.1)."""
    body = integer(modulus) + integer(exponent)
    return b"v=DKIM1; k=rsa; p=" + b64encode(b"\x30\x82" + len(body).to_bytes(2, "big") + body)


def test_a_key_as_people_use_it_is_verified_with() -> None:
    key = rsa.generate_private_key(65537, 2048).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert is_quick_key(b"v=DKIM1; p=" + b64encode(der))
    assert is_quick_key(record(key.public_numbers().n, 65537))


@pytest.mark.parametrize(("modulus_bits", "exponent"), [(20_000, 65537), (4096, 1 << 4000), (2048, 0)])
def test_a_key_that_would_take_minutes_is_not_even_tried(modulus_bits: int, exponent: int) -> None:
    """Anybody can sign a bounce with a key of his own: its size must not hold up a run."""
    modulus = 1 << (modulus_bits - 1)
    published = record(modulus + 1, exponent + 1 if exponent else 0)
    signature = MESSAGE % b64encode(b"\x7f" * (modulus.bit_length() // 8))
    begun = time.thread_time()
    assert not is_quick_key(published)
    assert not signature_check(lambda _name: published)(signature, 0)
    assert time.thread_time() - begun < 0.2


@pytest.mark.parametrize(
    "published", [b"", b"v=DKIM1; p=", b"v=DKIM1; p=AAAA", b"v=DKIM1; p=\xff", b"p=" + b"A" * 70_000]
)
def test_what_is_no_key_is_not_tried(published: bytes) -> None:
    assert not is_quick_key(published)

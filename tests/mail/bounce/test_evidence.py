"""A stranger's Cc is believed only if a signature of an own domain shows that the message was ours."""

from __future__ import annotations

import base64

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mailmon.clients.signatures import signature_check
from mailmon.mail.bounce import classify
from mailmon.mail.bounce.notice_recipients import NoticeRules, choose_recipients
from mailmon.mail.bounce.ownership import find_evidence
from tests.mail.samples import dsn

KEY = rsa.generate_private_key(65537, 1024)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)
DER = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
RECORD = b"v=DKIM1; k=rsa; p=" + base64.b64encode(DER)
ORIGINAL = (
    b"From: alice@example.org\r\nTo: bob@example.net\r\nCc: boss@example.org, outsider@example.com, bob@example.net\r\n"
    b"Subject: Minutes\r\nMessage-ID: <1@example.org>\r\nDate: Sun, 01 Mar 2026 12:00:00 +0000\r\n\r\nHello\r\n"
)
FIELDS = "Final-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\n"
HEADERS = [b"from", b"to", b"cc", b"subject", b"date", b"message-id"]
RULES = NoticeRules(("office@example.org",), True, ("example.org",), 5, ("monitor@example.org",))


def signed(domain: bytes = b"example.org", message: bytes = ORIGINAL, **more: object) -> bytes:
    options = {"include_headers": HEADERS, **more}
    return bytes(dkim.sign(message, b"s1", domain, PEM, **options)) + message


def told(original: bytes, record: bytes | None = RECORD, rules: NoticeRules = RULES) -> tuple[str, ...]:
    raw = dsn(FIELDS, returned=original).replace(b"text/rfc822-headers", b"message/rfc822")

    def look_up(name: str) -> bytes | None:
        return record if name.rstrip(".") == "s1._domainkey.example.org" else None

    found = classify(raw)
    return choose_recipients(
        found, rules, find_evidence(raw, found, rules.cc_domains, signature_check(look_up))
    ).recipients


def test_a_signature_of_an_own_domain_lets_own_addresses_in_cc_be_told() -> None:
    assert told(signed()) == ("office@example.org", "boss@example.org")


@pytest.mark.parametrize(
    "original",
    [
        ORIGINAL,
        signed(b"example.com"),
        signed(b"mail.example.org"),
        signed().replace(b"boss@", b"chief@"),
        signed().replace(b"Hello", b"Goodbye"),
        signed(include_headers=[b"from", b"subject"]),
        signed(length=True),
        signed(signature_algorithm=b"rsa-sha1"),
        signed() + b"Cc: x\r\n",
        b"Cc: victim@example.org\r\n" + signed(),
    ],
    ids=[
        *("unsigned", "another domain", "a subdomain", "changed Cc", "changed body"),
        *("Cc not covered", "length tag", "SHA-1", "longer", "a second Cc"),
    ],
)
def test_a_forged_bounce_has_nobody_in_cc_told(original: bytes) -> None:
    assert told(original) == ("office@example.org",)


@pytest.mark.parametrize(
    "record", [None, b"v=DKIM1; p=", RECORD + b"; t=y", RECORD + b"; s=tlsrpt", RECORD + b"; h=sha1", b"\xff;;="]
)
def test_a_key_that_is_missing_revoked_or_for_something_else_proves_nothing(record: bytes | None) -> None:
    assert told(signed(), record) == ("office@example.org",)


def test_cc_is_off_unless_it_is_configured_and_has_a_limit() -> None:
    assert told(signed(), rules=RULES._replace(cc=False)) == ("office@example.org",)
    many = ORIGINAL.replace(b"Cc: ", b"Cc: " + b"".join(b"u%d@example.org, " % number for number in range(9)))
    assert told(signed(message=many)) == ("office@example.org", *(f"u{number}@example.org" for number in range(5)))


def test_a_message_that_is_only_partly_returned_proves_nothing() -> None:
    raw = dsn(FIELDS, returned=signed())
    found = classify(raw)
    evidence = find_evidence(raw, found, ("example.org",), signature_check(lambda _name: RECORD))
    assert not evidence.is_verified
    assert "not complete" in evidence.why_not

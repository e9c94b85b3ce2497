"""A notification counts as genuine only if an outsider could not have made it."""

from __future__ import annotations

import pytest

from mailmon.clients.signatures import signature_check
from mailmon.mail.auth.dkim import IsSigned
from mailmon.mail.bounce import classify
from mailmon.mail.bounce.provenance import Own, Proof, is_made_here, own_names, prove
from tests.mail.bounce.test_evidence import ORIGINAL, RECORD, signed
from tests.mail.samples import dsn

HOSTS = own_names(["example.org"], ["mail.example.org"]).hosts
OWN = Own(frozenset({"example.org"}), HOSTS)
POSTFIX = "Received: by mx1.example.org (Postfix)\n\tid 4XyZ12abcD; Sun,  1 Mar 2026 12:00:06 +0000 (UTC)\n"
LMTP = (
    "Received: from mx1.example.org ([127.0.0.1])\n\tby mx1.example.org with LMTP\n\tid abc (envelope-from <>)\n"
    "\tfor <a@example.org>; Sun, 01 Mar 2026 12:00:06 +0000\n"
)
CYRUS = (
    "Received: from mx1.example.org (mx1.example.org [unix socket])\n\t by mx1.example.org (Cyrus 3.6.1) with LMTPA;\n"
    "\t Sun, 01 Mar 2026 12:00:06 +0000\n"
)
EXIM = "Received: from Debian-exim by mail.example.org with local (Exim 4.96)\n\tid 1abc for a@example.org\n"
SENDMAIL = "Received: from localhost (localhost)\n\tby mail.example.org (8.17.1/8.17.1) id 4A; Sun, 1 Mar 2026\n"
OUTSIDE = (
    "Received: from evil.example (unknown [203.0.113.5])\n\tby mx1.example.org (Postfix) with ESMTP id 4X\n"
    "\tfor <a@example.org>; Sun,  1 Mar 2026 12:00:06 +0000 (UTC)\n"
)
PATH = "Return-Path: <>\n"


def message(*lines: str) -> bytes:
    return ("".join(lines) + "From: MAILER-DAEMON@mx1.example.org\nSubject: Undelivered\n\nx\n").encode()


@pytest.mark.parametrize(
    "lines",
    [
        (PATH, POSTFIX),
        (PATH, "Delivered-To: a@example.org\n", LMTP, POSTFIX),
        (PATH, LMTP.replace("127.0.0.1", "172.22.1.250"), POSTFIX),
        (PATH, CYRUS, POSTFIX),
        (PATH, EXIM),
        (PATH, SENDMAIL),
        (PATH, "Received: (qmail 4711 invoked for bounce); 1 Mar 2026 12:00:06 -0000\n"),
    ],
    ids=["Postfix", "Dovecot", "containers", "Cyrus", "Exim", "Sendmail", "qmail"],
)
def test_what_the_own_server_made_has_no_line_of_a_client(lines: tuple[str, ...]) -> None:
    assert is_made_here(message(*lines), HOSTS)


@pytest.mark.parametrize(
    "lines",
    [
        (PATH,),
        (PATH, OUTSIDE),
        (PATH, OUTSIDE, POSTFIX),
        (PATH, LMTP, OUTSIDE, POSTFIX),
        (PATH, LMTP, OUTSIDE, LMTP, POSTFIX),
        (PATH, POSTFIX, OUTSIDE),
        (PATH, OUTSIDE.replace("203.0.113.5", "172.22.1.1"), POSTFIX),
        (PATH, OUTSIDE.replace("203.0.113.5", "127.0.0.1"), POSTFIX),
        (PATH, LMTP.replace("127.0.0.1", "203.0.113.5"), POSTFIX),
        (PATH, OUTSIDE.replace("evil.example", "x by mx1.example.org with LMTP"), POSTFIX),
        (PATH, POSTFIX.replace("(Postfix)", "(Postfix, from userid 33)")),
        (PATH, POSTFIX.replace("mx1.example.org", "mx1.evil.example")),
        (PATH, EXIM.replace("Debian-exim", "www-data")),
        ("Return-Path: <jo@example.org>\n", POSTFIX),
        (PATH, *[LMTP] * 9, POSTFIX),
        (PATH, SENDMAIL.replace("(localhost)", "(localhost [203.0.113.5])")),
    ],
)
def test_what_an_outsider_or_a_local_program_wrote_is_not_made_here(lines: tuple[str, ...]) -> None:
    assert not is_made_here(message(*lines), HOSTS)


FIELDS = "Final-Recipient: rfc822; %s\nAction: failed\nStatus: 5.7.26\nDiagnostic-Code: smtp; 550 5.7.26 no\n"


def check(domain: str = "example.org") -> IsSigned:
    return signature_check(lambda name: RECORD if name.rstrip(".") == f"s1._domainkey.{domain}" else None)


def bounce(
    returned: bytes, recipient: str = "bob@example.net", sender: str = "MAILER-DAEMON@mail.example.org"
) -> bytes:
    raw = dsn(FIELDS % recipient, returned=returned, sender=sender)
    return raw.replace(b"text/rfc822-headers", b"message/rfc822")


def test_our_signature_on_what_came_back_is_evidence_for_those_it_went_to() -> None:
    raw = bounce(signed())
    assert prove(raw, classify(raw), OWN, check()) is Proof.SIGNED
    raw = bounce(signed(b"lists.example.org"))
    assert prove(raw, classify(raw), OWN, check("lists.example.org")) is Proof.SIGNED


@pytest.mark.parametrize(
    "raw",
    [
        bounce(ORIGINAL),
        bounce(signed(), "bob@gmail.com"),
        bounce(signed().replace(b"To: bob@example.net", b"To: bob@gmail.com"), "bob@gmail.com"),
        bounce(signed(b"example.com")),
        bounce(signed(include_headers=[b"from", b"cc", b"subject"])),
        dsn(FIELDS % "bob@example.net", returned=signed()),
    ],
    ids=["unsigned", "another recipient", "a changed To", "another domain", "To not covered", "headers only"],
)
def test_a_letter_of_ours_in_a_stranger_s_hand_proves_nothing_about_others(raw: bytes) -> None:
    assert prove(raw, classify(raw), OWN, check()) is Proof.NONE


def test_without_anybody_to_ask_there_is_no_evidence() -> None:
    raw = bounce(signed())
    assert prove(raw, classify(raw), OWN) is Proof.NONE
    assert prove(raw, classify(raw), OWN, signature_check(lambda _name: None)) is Proof.NONE


def test_a_copy_in_sent_mail_is_evidence_for_those_it_went_to() -> None:
    raw = bounce(ORIGINAL)
    assert prove(raw, classify(raw), OWN, None, lambda original: original.message_id == "<1@example.org>") is Proof.SENT
    raw = bounce(ORIGINAL, "bob@gmail.com")
    assert prove(raw, classify(raw), OWN, None, lambda _original: True) is Proof.NONE


@pytest.mark.parametrize(
    ("sender", "recipient", "domain", "proof"),
    [
        ("mailer-daemon@gmail.com", "bob@gmail.com", b"gmail.com", Proof.REPORTER),
        ("mailer-daemon@googlemail.com", "bob@gmail.com", b"googlemail.com", Proof.REPORTER),
        ("postmaster@mx.example.net", "bob@example.net", b"example.net", Proof.REPORTER),
        ("postmaster@evil.example", "bob@gmail.com", b"evil.example", Proof.NONE),
        ("postmaster@gmail.com", "bob@gmail.com", b"evil.example", Proof.NONE),
        ("postmaster@evil.example", "bob@evil.example", b"gmail.com", Proof.NONE),
    ],
)
def test_a_report_is_believed_that_the_refusing_domain_itself_has_signed(
    sender: str, recipient: str, domain: bytes, proof: Proof
) -> None:
    headers = [b"from", b"to", b"subject"]
    raw = signed(domain, bounce(b"From: a@example.org\r\n\r\n", recipient, sender), include_headers=headers)
    assert prove(raw, classify(raw), OWN, check(domain.decode())) is proof
    changed = raw.replace(b"5.7.26", b"5.7.25")
    assert prove(changed, classify(changed), OWN, check(domain.decode())) is Proof.NONE

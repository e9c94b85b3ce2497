"""The queue id in a 250 after DATA: all of it, or none."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.reply import Reply, find_queue_id

UUID = "065C3B10-9D1E-4C5B-8A4E-0F6E5D2C1B3A"
SES = "0100018c2d3e4f50-1a2b3c4d-0000-1111-2222-333344445555-000000"
EXCHANGE = "<a1@mx.example.org> [InternalId=7219, Hostname=EX1.example.org] 1234 bytes in 0.105, 11.5 KB/sec"

# What servers say behind the 250, in the form in which each of them says it, and the queue id in it.
REPLIES = [
    # Postfix, short and long, and what stands before it
    ("2.0.0 Ok: queued as 6F3A9C0D2E", "6F3A9C0D2E"),
    ("2.0.0 Ok: queued as 4XyZ12abcDz1Kw", "4XyZ12abcDz1Kw"),
    ("2.0.0 Ok: 1234 bytes queued as 4XyZ12abcD", "4XyZ12abcD"),
    ("2.6.0 Ok, id=12345-06, from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 6F3A9C0D2E", "6F3A9C0D2E"),
    ("2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4BQ9Xk1234567", "4BQ9Xk1234567"),
    # Others that say "queued as"
    ("Ok: queued as v5Ev7Q_UpS", "v5Ev7Q_UpS"),  # SendGrid
    ("Ok: queued as -v5Ev7QUpSabcDEFghIJKLm", "-v5Ev7QUpSabcDEFghIJKLm"),
    ("Ok: queued as aBcDeFgHiJkLmNoPqRsTuw", "aBcDeFgHiJkLmNoPqRsTuw"),
    ("Ok: queued as Wd3oPl0_Yw=@mailhog.example", "Wd3oPl0_Yw=@mailhog.example"),  # MailHog
    ("2.0.0 OK: queued as <202311150000.1234567@relay.example.net>", "202311150000.1234567@relay.example.net"),
    ("Mail OK queued as gzsmtp1,PykvCgDn2T8_SElmXyYtAA--.12345S2 1716078400",
     "gzsmtp1,PykvCgDn2T8_SElmXyYtAA--.12345S2"),  # Coremail (163.com)
    ("2.0.0 Ok: queued on mxfront1j.mail.example.net as 1479829472-tKMm2ZvwHw-BC0KfQZY",
     "1479829472-tKMm2ZvwHw-BC0KfQZY"),  # Yandex
    ("OK queued as 9f8e7d6c-1111-2222-3333-444455556666", "9f8e7d6c-1111-2222-3333-444455556666"),  # Mailjet
    ("Message queued as 1890abcd12300001ab", "1890abcd12300001ab"),  # ZoneMTA
    ("queued as z1b2c3xAABCDE1Ab.", "z1b2c3xAABCDE1Ab"),
    ("OK: queued as.", ""),  # Tencent
    ("Ok: queued as requested", ""),
    ("Ok: queued as SPAM", ""),
    ("2.0.0 OK: queued", ""),  # maddy
    # Exim, old and long ids, and others that say "id="
    ("OK id=1rAbCd-0001Xy-2Z", "1rAbCd-0001Xy-2Z"),
    ("OK id=1tKLmN-000000001Ab-3cDe", "1tKLmN-000000001Ab-3cDe"),
    ("Requested mail action okay, completed: id=1MzQfh-1qXy0z0abc-00vPyZ", "1MzQfh-1qXy0z0abc-00vPyZ"),  # GMX
    ("2.0.0 Message accepted (id=5F3A9C0D2E)", "5F3A9C0D2E"),
    ("Accepted [id=abc-123-def]", "abc-123-def"),
    ("OK msgid=12345678", ""),
    ("OK id=1rAbCd*0001", ""),
    ("OK id=", ""),
    # "Message accepted for delivery"
    ("2.0.0 4BQ9Xk1234567 Message accepted for delivery", "4BQ9Xk1234567"),  # Sendmail
    ("2.0.0 a1b2c3d4 Message accepted for delivery", "a1b2c3d4"),  # OpenSMTPD
    ("2.0.0: a1b2c3d4 Message accepted for delivery", "a1b2c3d4"),  # OpenSMTPD 5
    ("2.0.0 3t1abcd2ef-1 Message accepted for delivery", "3t1abcd2ef-1"),  # Proofpoint
    ("2.0.0 5f0c12ab-00000001 Message accepted for delivery", "5f0c12ab-00000001"),  # Kerio
    ("12345678 message accepted for delivery", "12345678"),  # CommuniGate
    ("Message accepted for delivery", ""),  # Domino
    ("2.0.0 Message accepted for delivery", ""),
    ("OK, message accepted for delivery", ""),
    ("mx1.example.org Message accepted for delivery", ""),
    ("2.6.0 <a1@mx2.example.org> Message accepted for delivery", ""),
    # Exchange and IIS
    (f"2.6.0 {EXCHANGE} Queued mail for delivery", "7219"),
    ("2.6.0 <EX1abcd@mx.example.org> Queued mail for delivery", ""),
    ("2.6.0 <a1@b> [InternalId=7219x, Hostname=EX1] Queued mail for delivery", ""),
    # An id in words of the server's own
    (f"Message Queued ({UUID})", UUID),  # Haraka
    (f"Message Queued ({UUID}.1)", f"{UUID}.1"),
    ("Queued (0.123 seconds)", ""),  # hMailServer
    ("2.0.0 Message queued with id 1a2b3c4d5e6f.", "1a2b3c4d5e6f"),  # Stalwart
    ("Ok. 000000006B0CC8C4.00000135", "000000006B0CC8C4.00000135"),  # Courier
    (f"Ok {SES}", SES),
    ("2.0.0 OK 87/65-12345-1A2B3C4D", "87/65-12345-1A2B3C4D"),  # Momentum
    ("OK <S9C58A>", "S9C58A"),  # XMail
    ("ok:  Message 12345678 accepted", "12345678"),  # Cisco
    # Several numbers, of which none is the id: the whole reply is quoted
    ("ok 1700000000 qp 12345", ""),  # qmail
    ("Queued! 1700000000 qp 12345 <a1@mx.example.org>", ""),  # qpsmtpd
    ("2.0.0 OK  1700000000 x1si2345 - gsmtp", ""),  # Gmail
    ("SmtpThread-12345-1700000000000@uk-mta-1.uk.example.net Received OK [AbCd-1234efGH.uk123]", ""),  # Mimecast
    # No id at all
    ("Requested mail action okay, completed", ""),  # MailEnable
    ("2.6.0 Ok, message saved <Message-ID: a1@mx.example.org>", ""),  # MDaemon
    ("OK , completed", ""),  # Yahoo
    ("ok dirdel", ""),
    ("2.5.0 Ok, and delivered", ""),  # iCloud
    ("2.0.0 Remember to be nice to your server", ""),  # chasquid
    ("Mail queued for delivery", ""),  # Axigen
    ("Great success", ""),
    ("Message received", ""),
    ("Ok: queued as ****", ""),
    ("Ok: queued as 4XyZ\\x1b[1m", ""),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "queue_id"), REPLIES)
def test_the_queue_id_is_the_whole_one_or_none(said: str, queue_id: str) -> None:
    assert Reply(250, (said.encode(),)).queue_id == queue_id


def test_an_id_behind_a_line_of_words_is_found() -> None:
    assert Reply(250, (b"2.0.0 Thank you", b"2.0.0 Ok: queued as 4XyZ12abcD")).queue_id == "4XyZ12abcD"


def test_an_id_that_is_cut_off_is_none() -> None:
    assert find_queue_id("x" * 980 + " queued as 4XyZ12abcD") == ""
    assert find_queue_id("x" * 970 + " queued as 4XyZ12abcD " + "x" * 90) == "4XyZ12abcD"


WORDS = st.sampled_from(
    ["queued", "as", "on", "with", "id", "id=", "(id=", "Ok:", "OK", "Message", "accepted", "for", "delivery",
     "[InternalId=", "InternalId=1,", "2.0.0", "qp", "-", "gsmtp", "v5Ev7Q_UpS", "<1a2b3c>", "(1a2b3c)", "1a2b3c,",
     "4XyZ12.", "\n"]
) | st.text("abAB01._-=+/@,;:!?<>()[]\"' ", max_size=12)  # fmt: skip


@given(st.lists(WORDS, max_size=14).flatmap(lambda words: st.sampled_from([" ".join(words), "".join(words)])))
def test_an_id_is_never_a_part_of_a_longer_word(said: str) -> None:
    queue_id = Reply(250, (said.encode(),)).queue_id
    words = [
        re.sub(r"^(.*[(\[,;])?(id|internalid)=", "", word.strip(".,;:!"), flags=re.IGNORECASE) for word in said.split()
    ]
    whole = {form for word in words for form in (word, word.rstrip(".,;:!)]>"), word.strip(".,;:!<>()[]\"'"))}
    assert queue_id == "" or queue_id in whole


@pytest.mark.parametrize(
    "piece", ["queued ", "queued on x ", "id=", "[InternalId=1", "message ", "a", " ", "ok ", "1.", "with id ", "a,id="]
)
def test_a_reply_that_is_an_attack_takes_no_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    started_s = time.process_time()
    find_queue_id(text)
    assert time.process_time() - started_s < 0.05

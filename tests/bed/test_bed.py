"""The bed does what its package says."""

import imaplib
import poplib
import smtplib
import ssl
import time
from collections.abc import Iterator
from email import message_from_bytes

import pytest

from . import Bed, BedError, missing_programs
from .clients import delivery_of, eventually, imap_session, only_mail, send, trust

_MISSING = missing_programs()
pytestmark = [
    pytest.mark.bed,
    pytest.mark.skipif(bool(_MISSING), reason=f"no mail server to test with; missing: {', '.join(_MISSING)}"),
]


@pytest.fixture
def clean_bed(bed: Bed) -> Iterator[Bed]:
    bed.reset()
    yield bed
    bed.reset()


def test_a_mail_is_submitted_delivered_read_and_deleted(clean_bed: Bed) -> None:
    message_id = send(clean_bed, clean_bed.user)
    assert len(eventually(lambda: clean_bed.mails("monitor"))) == 1
    with imap_session(clean_bed) as imap:
        imap.select("INBOX")
        _, (numbers,) = imap.search(None, "HEADER", "Message-ID", message_id)
        assert len(numbers.split()) == 1
        imap.store(numbers.decode(), "+FLAGS.SILENT", r"(\Deleted)")
        imap.expunge()
    assert clean_bed.mails("monitor") == []
    delivery = delivery_of(clean_bed, message_id)
    assert (delivery.recipient, delivery.status) == (clean_bed.user, "sent")
    assert 0 < delivery.after_accept_s < 2


def test_pop3_and_implicit_tls_submission_work_with_the_same_password(clean_bed: Bed) -> None:
    with smtplib.SMTP_SSL("127.0.0.1", clean_bed.ports["smtps"], context=trust(clean_bed), timeout=10) as smtp:
        assert smtp.login(clean_bed.user, clean_bed.password)[0] == 235
    pop3 = poplib.POP3_SSL(clean_bed.host, clean_bed.ports["pop3s"], context=trust(clean_bed), timeout=10)
    pop3.user(clean_bed.user)
    assert pop3.pass_(clean_bed.password).startswith(b"+OK")
    pop3.quit()


def test_a_delay_holds_the_mail_back_for_its_milliseconds(clean_bed: Bed) -> None:
    delivery = delivery_of(clean_bed, send(clean_bed, "monitor+d300@mail.test"))
    assert 0.3 <= delivery.after_accept_s < 1.3
    assert len(clean_bed.mails("monitor")) == 1


def test_the_blackhole_takes_mail_and_delivers_nothing(clean_bed: Bed) -> None:
    assert delivery_of(clean_bed, send(clean_bed, "monitor+blackhole@mail.test")).status == "sent"
    assert clean_bed.mails("monitor") == []


def test_dup_delivers_twice(clean_bed: Bed) -> None:
    assert delivery_of(clean_bed, send(clean_bed, "monitor+dup@mail.test")).status == "sent"
    assert len(clean_bed.mails("monitor")) == 2


def test_defer_leaves_the_mail_in_the_queue(clean_bed: Bed) -> None:
    assert delivery_of(clean_bed, send(clean_bed, "monitor+defer@mail.test")).status == "deferred"
    assert clean_bed.mails("monitor") == []


def test_grey_refuses_for_now_at_rcpt(clean_bed: Bed) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(clean_bed, "monitor+grey@mail.test")
    code, words = refused.value.recipients["monitor+grey@mail.test"]
    assert code == 450
    assert words.startswith(b"4.2.0")


def test_greyd_refuses_for_now_after_the_data(clean_bed: Bed) -> None:
    with pytest.raises(smtplib.SMTPDataError) as refused:
        send(clean_bed, "monitor+greyd@mail.test")
    assert refused.value.smtp_code == 451


def test_reject_refuses_for_good_at_rcpt(clean_bed: Bed) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        send(clean_bed, "reject@mail.test")
    assert refused.value.recipients["reject@mail.test"][0] == 550


@pytest.mark.parametrize(("account", "status_code"), [("bounce", "5.2.2"), ("bounce-unknown", "5.1.1")])
def test_a_bounce_comes_back_as_a_dsn(clean_bed: Bed, account: str, status_code: str) -> None:
    message_id = send(clean_bed, f"{account}@mail.test")
    dsn = message_from_bytes(only_mail(clean_bed))
    assert dsn.get_content_type() == "multipart/report"
    assert f"Status: {status_code}".encode() in dsn.as_bytes()
    assert delivery_of(clean_bed, message_id).status == "bounced"


@pytest.mark.parametrize(
    ("recipient", "account"),
    [
        ("postmaster", "monitor"),
        ("abuse", "monitor"),
        ("alias1", "monitor"),
        ("nobody", "catchall"),
        ("u0001", "u0001"),
    ],
)
def test_aliases_and_unknown_addresses_end_in_their_mailbox(clean_bed: Bed, recipient: str, account: str) -> None:
    message_id = send(clean_bed, f"{recipient}@mail.test")
    assert message_id.encode() in only_mail(clean_bed, account)


def test_a_mail_over_the_loop_has_two_hops_and_a_verified_signature(clean_bed: Bed) -> None:
    message_id = send(clean_bed, "monitor@loop.test")
    mail = message_from_bytes(only_mail(clean_bed))
    assert "dkim=pass" in " ".join(mail.get_all("Authentication-Results", []))

    def both_hops() -> list[str]:
        # Each is logged by a process of its own: the second hop's line may be the first.
        hops = [one.transport for one in clean_bed.deliveries() if one.message_id == message_id]
        return hops if len(hops) > 1 else []

    assert sorted(eventually(both_hops)) == ["lmtp", "smtp"]


def test_each_certificate_fails_or_passes_as_its_name_says(bed: Bed) -> None:
    reasons = {"expired": "expired", "wronghost": "Hostname mismatch", "selfsigned": "self-signed"}
    try:
        for name, reason in reasons.items():
            bed.use_certificate(name)
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                imap_session(bed)
            with pytest.raises(ssl.SSLCertVerificationError, match=reason):
                send(bed, bed.user)
        bed.use_certificate("soon")
        with imap_session(bed) as imap:
            dates = imap.socket().getpeercert() or {}  # type: ignore[attr-defined]
        assert 0 < ssl.cert_time_to_seconds(str(dates["notAfter"])) - time.time() < 6 * 86_400
    finally:
        bed.use_certificate("server")
    send(bed, bed.user)


def test_deliver_puts_a_mail_straight_into_the_mailbox(clean_bed: Bed) -> None:
    clean_bed.deliver("u0003", b"Subject: here\n\n.a line with a dot\n")
    mail = only_mail(clean_bed, "u0003")
    assert b"Subject: here\n" in mail
    assert b"\n.a line with a dot\n" in mail
    with pytest.raises(BedError, match="u9999"):
        clean_bed.deliver("u9999", b"Subject: lost\r\n\r\n")


def test_reset_empties_folders_and_queue_and_drops_what_is_on_its_way(clean_bed: Bed) -> None:
    clean_bed.deliver("monitor", b"Subject: old\r\n\r\n")
    with imap_session(clean_bed) as imap:
        imap.append("Junk", "", "", b"Subject: junk\r\n\r\n")
    send(clean_bed, "monitor+defer@mail.test")
    held_back = send(clean_bed, "monitor+d1500@mail.test")
    assert len(clean_bed.mails("monitor")) == 2
    time.sleep(0.3)  # until the proxy has it
    clean_bed.reset()
    assert clean_bed.mails("monitor") == []
    assert delivery_of(clean_bed, held_back).status == "deferred"
    time.sleep(1.5)
    assert clean_bed.mails("monitor") == []


def test_a_wrong_password_does_not_slow_down_later_logins(bed: Bed) -> None:
    connection = imaplib.IMAP4_SSL(bed.host, bed.ports["imaps"], ssl_context=trust(bed), timeout=10)
    with connection, pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        connection.login(bed.user, "wrong")
    began = time.monotonic()
    imap_session(bed).logout()
    assert time.monotonic() - began < 1


def test_dns_answers_and_every_server_is_well(bed: Bed) -> None:
    assert bed.problems() == []

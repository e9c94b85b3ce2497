"""The sandbox as a submission server, and its injected faults."""

import base64
import re
import smtplib
import time
from collections.abc import Iterator

import pytest

from mailmon.sandbox import Sandbox
from tests.sandbox.clients import MONITOR, PROBE, SECOND, TIMEOUT_S, smtp_client, submit, trusting


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[smtplib.SMTP]:
    with smtp_client(sandbox) as client:
        client.login(MONITOR, sandbox.users[MONITOR])
        yield client


def test_auth_is_not_offered_before_tls(sandbox: Sandbox) -> None:
    with smtplib.SMTP(sandbox.host, sandbox.smtp_port, "c.example.org", TIMEOUT_S) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.has_extn("starttls")
        assert client.docmd("MAIL FROM:<monitor@example.org>")[0] == 530
        client.starttls(context=trusting(sandbox))
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["LOGIN", "PLAIN"]
        assert client.has_extn("size")
        assert client.has_extn("8bitmime")


def test_mail_needs_a_login(sandbox: Sandbox) -> None:
    with smtp_client(sandbox) as client:
        assert client.docmd("MAIL FROM:<monitor@example.org>")[0] == 530


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("port", ["smtp_port", "smtps_port"])
def test_both_mechanisms_work_on_both_ports(sandbox: Sandbox, mechanism: str, port: str) -> None:
    if port == "smtp_port":
        client = smtp_client(sandbox)
    else:
        client = smtplib.SMTP_SSL(sandbox.host, sandbox.smtps_port, "c.example.org", context=trusting(sandbox))
        client.ehlo()
    with client:
        client.user, client.password = MONITOR, sandbox.users[MONITOR]
        method = getattr(client, f"auth_{mechanism.lower()}")
        assert client.auth(mechanism, method)[0] == 235


def test_a_wrong_password_is_refused(sandbox: Sandbox) -> None:
    with smtp_client(sandbox) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.login(MONITOR, "sentinel")
        assert caught.value.smtp_code == 535
        assert caught.value.smtp_error == b"5.7.8 Authentication credentials invalid"


def test_a_right_password_is_refused_on_request(sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    with pytest.raises(smtplib.SMTPAuthenticationError):
        submit(sandbox)


def test_a_hostile_server_quotes_the_credentials(sandbox: Sandbox) -> None:
    sandbox.faults.echo_credentials = True
    with smtp_client(sandbox) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.login(MONITOR, "sentinel")
        assert "sentinel" in str(caught.value)
        assert base64.b64encode(b"sentinel").decode() in str(caught.value)


def test_the_reply_names_the_queue_id_and_the_mail_is_delivered_with_its_trace(
    sandbox: Sandbox, client: smtplib.SMTP
) -> None:
    client.mail(MONITOR)
    client.rcpt(SECOND)
    code, text = client.data(PROBE)
    match = re.fullmatch(rb"2\.0\.0 Ok: queued as ([0-9A-F]+)", text)
    assert code == 250
    assert match is not None
    [message] = sandbox.store.mailbox(SECOND).messages
    assert message.raw.startswith(b"Return-Path: <monitor@example.org>\r\nReceived: from client.example.org ")
    assert b"id " + match[1] in message.raw
    assert message.raw.endswith(b"\r\n" + PROBE)
    [mail] = sandbox.accepted
    assert (mail.sender, mail.recipients, mail.raw) == (MONITOR, (SECOND,), PROBE)
    assert mail.delivered_at is not None
    assert mail.accepted_at <= mail.delivered_at <= time.monotonic()


def test_mail_for_a_detail_of_a_user_is_the_user_s(sandbox: Sandbox) -> None:
    submit(sandbox, sender="monitor+in@example.org", recipient="Second+probe@Example.org")
    assert len(sandbox.store.mailbox(SECOND).messages) == 1


def test_an_unknown_recipient_is_refused(client: smtplib.SMTP) -> None:
    client.mail(MONITOR)
    assert client.rcpt("nobody@example.org")[0] == 550
    assert client.rcpt("second@elsewhere.example.net")[1].startswith(b"5.1.1 ")


@pytest.mark.parametrize("sender", [SECOND, "stranger@example.net", ""])
def test_another_s_sender_is_refused_at_rcpt(client: smtplib.SMTP, sender: str) -> None:
    assert client.mail(sender)[0] == 250
    code, text = client.rcpt(SECOND)
    assert code == 553
    assert text.startswith(b"5.7.1 ")


@pytest.mark.parametrize("greeting", ["421 4.3.2 too busy", "554 5.7.1 go away"])
def test_another_greeting_ends_the_connection(sandbox: Sandbox, greeting: str) -> None:
    sandbox.faults.greeting = greeting
    with pytest.raises(smtplib.SMTPConnectError) as caught:
        smtplib.SMTP(sandbox.host, sandbox.smtp_port, "c.example.org", TIMEOUT_S)
    code, _, text = greeting.partition(" ")
    assert (caught.value.smtp_code, caught.value.smtp_error) == (int(code), text.encode())


def test_mail_rcpt_and_data_can_have_other_replies(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    sandbox.faults.mail_reply = "451 4.3.0 later"
    assert client.mail(MONITOR) == (451, b"4.3.0 later")
    sandbox.faults.mail_reply = None
    sandbox.faults.rcpt_reply = "450 4.2.0 greylisted"
    client.mail(MONITOR)
    assert client.rcpt(SECOND) == (450, b"4.2.0 greylisted")
    sandbox.faults.rcpt_reply = None
    sandbox.faults.data_reply = "554 5.7.1 spam"
    client.rset()
    with pytest.raises(smtplib.SMTPDataError, match="spam"):
        client.sendmail(MONITOR, [SECOND], PROBE)
    assert sandbox.accepted == []


def test_a_reply_421_ends_the_connection(sandbox: Sandbox, client: smtplib.SMTP) -> None:
    sandbox.faults.mail_reply = "421 4.3.2 shutting down"
    assert client.mail(MONITOR)[0] == 421
    with pytest.raises(smtplib.SMTPServerDisconnected):
        client.noop()


def test_a_positive_reply_may_have_other_words(sandbox: Sandbox) -> None:
    sandbox.faults.data_reply = "250 thanks"
    submit(sandbox)
    assert len(sandbox.accepted) == 1


def test_a_client_that_vanishes_in_the_middle_of_data_leaves_nothing(sandbox: Sandbox) -> None:
    client = smtp_client(sandbox)
    client.login(MONITOR, sandbox.users[MONITOR])
    client.mail(MONITOR)
    client.rcpt(SECOND)
    client.docmd("DATA")
    client.send("Subject: half")
    client.close()
    submit(sandbox)
    assert len(sandbox.accepted) == 1

"""Accepted mail meets the fate that was asked for."""

import email
import email.policy
import time

import pytest

from mailmon.sandbox import Sandbox
from tests.sandbox.clients import MONITOR, PROBE, SECOND, submit, wait_until


def test_mail_can_be_lost(sandbox: Sandbox) -> None:
    sandbox.faults.lose_mail = True
    submit(sandbox)
    assert sandbox.store.mailbox(SECOND).messages == []
    assert [mail.delivered_at for mail in sandbox.accepted] == [None]


def test_delivery_can_be_late_and_the_true_time_is_known(sandbox: Sandbox) -> None:
    sandbox.faults.delivery_delay_s = 0.15
    submit(sandbox)
    inbox = sandbox.store.mailbox(SECOND)
    assert inbox.messages == []
    wait_until(lambda: inbox.messages)
    [mail] = sandbox.accepted
    assert mail.delivered_at is not None
    assert 0.15 <= mail.delivered_at - mail.accepted_at < 1.0


def test_mail_can_come_twice(sandbox: Sandbox) -> None:
    sandbox.faults.duplicate = True
    submit(sandbox)
    first, second = sandbox.store.mailbox(SECOND).messages
    assert first.raw.endswith(PROBE)
    assert second.raw.endswith(PROBE)


def test_the_second_copy_can_come_later(sandbox: Sandbox) -> None:
    sandbox.faults.duplicate = True
    sandbox.faults.duplicate_delay_s = 0.15
    submit(sandbox)
    inbox = sandbox.store.mailbox(SECOND)
    assert len(inbox.messages) == 1
    started_at = time.monotonic()
    wait_until(lambda: len(inbox.messages) == 2)
    assert time.monotonic() - started_at < 1.0


def test_mail_can_land_in_another_folder(sandbox: Sandbox) -> None:
    sandbox.faults.folder = "Junk"
    submit(sandbox)
    assert sandbox.store.mailbox(SECOND).messages == []
    assert len(sandbox.store.mailbox(SECOND, "Junk").messages) == 1


@pytest.mark.parametrize("headers_only", [False, True])
def test_a_bounce_is_a_delivery_status_notification_to_the_sender(sandbox: Sandbox, headers_only: bool) -> None:
    sandbox.faults.bounce = "5.2.2 mailbox full"
    sandbox.faults.bounce_headers_only = headers_only
    submit(sandbox)
    assert sandbox.store.mailbox(SECOND).messages == []
    [message] = sandbox.store.mailbox(MONITOR).messages
    bounce = email.message_from_bytes(message.raw, policy=email.policy.default)
    assert bounce["Return-Path"] == "<>"
    assert bounce["Auto-Submitted"] == "auto-replied"
    assert bounce["To"] == MONITOR
    assert bounce.get_content_type() == "multipart/report"
    assert bounce["Content-Type"].params["report-type"] == "delivery-status"
    assert bounce.defects == []
    human, status, returned = bounce.iter_parts()
    assert "mailbox full" in human.get_content()
    _, about_recipient = status.iter_parts()
    assert about_recipient["Status"] == "5.2.2"
    assert about_recipient["Action"] == "failed"
    assert about_recipient["Final-Recipient"] == f"rfc822; {SECOND}"
    assert returned.get_content_type() == ("text/rfc822-headers" if headers_only else "message/rfc822")
    assert b"Message-ID: <probe-1@example.org>" in returned.as_bytes()
    assert (b"Hello." in message.raw) == (not headers_only)


def test_private_header_fields_can_be_removed(sandbox: Sandbox) -> None:
    sandbox.faults.strip_headers = True
    submit(sandbox, PROBE.replace(b"X-Probe: one\r\n", b"X-Probe: one\r\n\tfolded\r\nx-other: 1\r\n"))
    [message] = sandbox.store.mailbox(SECOND).messages
    assert message.raw.endswith(b"\r\n" + PROBE.replace(b"X-Probe: one\r\n", b""))


def test_text_can_be_glued_onto_the_last_header_line(sandbox: Sandbox) -> None:
    sandbox.faults.glue = True
    submit(sandbox)
    [message] = sandbox.store.mailbox(SECOND).messages
    assert message.raw.endswith(b"\r\nX-Probe: oneList-Unsubscribe: <x>\r\n\r\nHello.\r\n")


def test_a_footer_can_be_added_to_the_body(sandbox: Sandbox) -> None:
    sandbox.faults.footer = True
    submit(sandbox)
    [message] = sandbox.store.mailbox(SECOND).messages
    assert PROBE in message.raw
    assert message.raw.endswith(b"This message was scanned by sandbox.\r\n")

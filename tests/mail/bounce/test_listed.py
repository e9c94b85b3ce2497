"""Words and the address they belong to: what follows it, else what precedes it."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import classify

HEAD = (
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nTo: news@lists.example.net\nSubject: Undeliverable\n"
    "Content-Type: text/plain; charset=utf-8\n\nDelivery failed.\n\n"
)
FATES = {"bob@example.org": ("userunknown", True), "cid@example.org": ("mailboxfull", False)}


@pytest.mark.parametrize(
    "text",
    [
        "User unknown:\n   bob@example.org\nMailbox full:\n   cid@example.org\n",
        "550 5.1.1 unknown user:\n   bob@example.org\n\n552 5.2.2 mailbox full:\n   cid@example.org\n",
        "bob@example.org: User unknown\ncid@example.org: Mailbox full\n",
        "<bob@example.org>:\n  host mx.example.org said:\n  550 User unknown\n\n<cid@example.org>:\n  Mailbox full\n",
    ],
)
def test_a_reason_above_its_addresses_does_not_slide_to_the_next(text: str) -> None:
    found = classify(f"{HEAD}{text}".encode())
    assert {one.address: (one.reason, one.is_hard) for one in found.recipients} == FATES


def test_a_reason_stands_for_all_addresses_below_it() -> None:
    text = "These are over quota:\n  cid@example.org\n\nThese do not exist:\n  bob@example.org\n  ben@example.org\n"
    found = classify(f"{HEAD}{text}".encode())
    assert {one.address: one.is_hard for one in found.recipients} == {
        "cid@example.org": False,
        "bob@example.org": True,
        "ben@example.org": True,
    }

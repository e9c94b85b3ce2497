"""The beginning of the returned message: found by its header, whatever the line above it says."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import classify
from mailmon.mail.bounce.prose import cut

HEADER = """From: Example News <news@lists.example.net>
To: bob@example.org
Subject: 550 5.1.1 user unknown
 and no such mailbox
Date: Mon, 12 May 2025 09:00:00 +0200
Message-ID: <20250512.1234@lists.example.net>
MIME-Version: 1.0
"""
BELOW = f"{HEADER}\n<eve@example.com>: 550 5.1.1 user unknown\n"


@pytest.mark.parametrize(
    "marker", ["", "--- Mesajul original ---", "----- Alkuperäinen viesti -----", "*** 元のメール"]
)
def test_a_newsletter_that_speaks_of_unknown_users_makes_no_hard_bounces(marker: str) -> None:
    said = "Viestiäsi ei voitu toimittaa:\n\n  bob@example.org\n    552 5.2.2 Postilaatikko on täynnä.\n\n"
    head = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nTo: news@lists.example.net\n"
        "Subject: Delivery failure\nContent-Type: text/plain; charset=utf-8\n\n"
    )
    found = classify(f"{head}{said}{marker}\n{BELOW}".encode())
    assert [(one.address, one.is_hard) for one in found.recipients] == [("bob@example.org", False)]
    assert found.original.message_id == "<20250512.1234@lists.example.net>"


def test_what_a_notification_says_below_its_summary_of_the_message_is_read() -> None:
    summary = "Your message\n\nFrom: news@lists.example.net\nTo: bob@example.org\nSubject: Hello\nDate: today\n\n"
    assert cut(f"{summary}could not be delivered: 550 unknown") == (f"{summary}could not be delivered: 550 unknown", "")


def test_a_header_of_which_nothing_is_said_before_is_no_returned_message() -> None:
    assert cut(f"{HEADER}\n<bob@example.org>: 550 unknown") == (f"{HEADER}\n<bob@example.org>: 550 unknown", "")


def test_fields_of_a_status_report_are_no_header_of_a_message() -> None:
    fields = "Reporting-MTA: dns; mx.example.org\nX-Queue: 1\nFinal-Recipient: rfc822; bob@example.org\nStatus: 5.1.1\n"
    assert cut(f"<bob@example.org>\n{fields}")[1] == ""

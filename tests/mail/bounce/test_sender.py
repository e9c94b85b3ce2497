"""Senders that are believed to report on returned mail: by address, return path and subject."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import Classification, Kind, classify

RETURNED = (
    "From: Example News <news@lists.example.net>\nTo: bob@example.org\nSubject: {subject}\n"
    "Message-ID: <1@lists.example.net>\nMIME-Version: 1.0\n\nHello.\n"
)
FAILED = (
    "I was not able to deliver your message to the following addresses.\n\nbob@example.org\n\n550 5.1.1 unknown user\n"
)


def read(text: str, subject: str, *, sender: str = "postmaster@mail.example.net", more: str = "") -> Classification:
    path = "" if "Return-Path" in more else "Return-Path: <>\n"
    head = f"{path}{more}From: {sender}\nTo: news@lists.example.net\nSubject: {subject}\nContent-Type: text/plain\n\n"
    return classify(f"{head}{text}".encode())


@pytest.mark.parametrize(
    "subject", ["Newsletter for May", "Weekly digest", "Vacation plans", "Spam report", "Statistik Mai"]
)
def test_a_notification_that_answers_with_the_subject_of_the_message_is_read(subject: str) -> None:
    found = read(f"{FAILED}\n{RETURNED.format(subject=subject)}", f"Re: {subject}")
    assert [(one.address, one.is_hard) for one in found.recipients] == [("bob@example.org", True)]


def test_the_same_subject_from_a_person_is_an_answer() -> None:
    text = f"{FAILED}\n{RETURNED.format(subject='Weekly digest')}"
    assert read(text, "Re: Weekly digest", sender="Ann <ann@example.org>").kind is Kind.OTHER


@pytest.mark.parametrize(
    ("subject", "more", "text"),
    [
        (
            "Your mail to unknown users",
            "Return-Path: <postmaster@example.org>\n",
            "These do not exist here:\n\nb@e.org",
        ),
        ("Postmaster news: rejected mail", "Return-Path: <b@e.org>\nList-Unsubscribe: <https://x.example>\n", FAILED),
        ("[#12345] Re: problem with delivery", "Auto-Submitted: auto-replied\n", f"Please include the error: {FAILED}"),
    ],
)
def test_letters_and_tickets_of_a_postmaster_are_no_bounces(subject: str, more: str, text: str) -> None:
    assert read(text, subject, sender="postmaster@example.org", more=more).kind is Kind.OTHER


def test_an_address_that_a_letter_greets_is_not_one_of_those_that_the_field_names() -> None:
    text = "ann@example.org,\n\nyou have no permission to write to this group.\n\n550 5.7.1 members only\n"
    more = "X-Failed-Recipients: news@example.org\n"
    found = read(text, "Delivery failed", sender="mailer-daemon@googlemail.com", more=more)
    assert [one.address for one in found.recipients] == ["news@example.org"]

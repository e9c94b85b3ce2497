"""Notifications in words, of many systems."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import Form, Kind, classify
from tests.mail.bounce.letters import LETTERS, Letter

by_system = pytest.mark.parametrize("letter", LETTERS, ids=[letter.system for letter in LETTERS])


@by_system
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
def test_the_recipient_and_the_reason_are_found(letter: Letter, line_end: str) -> None:
    found = classify(letter.raw.replace(b"\n", line_end.encode()))
    assert (found.kind, found.form) == (letter.kind, Form.TEXT)
    [recipient] = found.recipients
    assert recipient[:2] + recipient[3:5] == (letter.address, letter.status, letter.reason, letter.hard)
    assert recipient.action == ("delayed" if letter.kind == "delayed" else "failed")


@by_system
def test_the_same_words_of_a_person_are_no_notification(letter: Letter) -> None:
    raw = letter.raw.replace(b"Return-Path: <>", b"Return-Path: <carol@example.com>")
    raw = raw.replace(letter.sender.encode(), b"Carol <carol@example.com>").replace(b"X-Failed-Recipients", b"X-None")
    for prefix in (b"", b"Fwd: ", b"Re: "):
        found = classify(raw.replace(b"Subject: ", b"Subject: " + prefix, 1))
        assert (found.kind, found.recipients) == (Kind.OTHER, ())


def test_several_recipients_keep_their_own_words() -> None:
    text = (
        "I wasn't able to deliver your message to the following addresses.\n\n<bob@example.org>:\n192.0.2.7"
        " does not like"
        " recipient.\nRemote host said: 550 5.1.1 No such user\n\n<dora@example.org>:\nRemote host said: 552"
        " 5.2.2 Mailbox"
        " full\n"
    )
    found = classify(Letter("qmail", "failure notice", text).raw)
    assert [(one.address, one.status, one.reason) for one in found.recipients] == [
        ("bob@example.org", "5.1.1", "userunknown"),
        ("dora@example.org", "5.2.2", "mailboxfull"),
    ]


def test_a_session_of_sendmail_gives_each_address_the_answer_before_it() -> None:
    text = (
        "   ----- Transcript of session follows -----\nWhile talking to mx.example.org:\n>>> MAIL"
        " From:<alice@example.com>\n"
        "<<< 550 blocked by our blacklist\n554 <bob@example.org>... Remote protocol error\nWhile talking to"
        " mx.example.net:\n>>> RCPT To:<dora@example.net>\n<<< 550 User unknown\n550 <dora@example.net>... User"
        " unknown\n"
    )
    found = classify(Letter("Sendmail 5", "Returned mail: User unknown", text).raw)
    assert [(one.address, one.reason) for one in found.recipients] == [
        ("bob@example.org", "blocked"),
        ("dora@example.net", "userunknown"),
    ]


def test_what_came_back_is_told() -> None:
    found = classify(LETTERS[0].raw)
    original = found.original
    assert original.message_id == "<1@example.com>"
    assert (original.subject, original.to, original.cc) == ("Minutes", ("bob@example.org",), ())
    assert original.envelope_sender == "alice@example.com"


def test_html_alone_is_read() -> None:
    text = "<style>p{}</style><p>It wasn&#39;t delivered to</p><p>bob@example.org</p><p>550 5.1.1 User unknown"
    raw = Letter("", "Delivery failure", text).raw.replace(b"text/plain", b"text/html")
    [recipient] = classify(raw).recipients
    assert recipient[:2] == ("bob@example.org", "5.1.1")


def test_a_notification_below_the_words_of_another_system_is_read() -> None:
    text = "We could not handle this. See below.\n\n" + LETTERS[0].raw.decode()
    [recipient] = classify(Letter("a gateway", "Undelivered mail", text).raw).recipients
    assert recipient[:2] == ("bob@example.org", "5.1.1")


SESSION = (
    "Transcript of session follows.\n\n Out: 220 mx.example.net ESMTP\n In:  MAIL FROM:<alice@example.com>\n"
    " Out: 250 2.1.0"
    " Ok\n In:  RCPT TO:<bob@example.org>\n Out: 250 2.1.5 Ok\n In:  DATA\n Out: 354 End data\n Out: 451 4.3.0"
    " Error: queue"
    " file write error\n"
)


def test_a_session_that_lost_a_message_is_a_bounce() -> None:
    found = classify(Letter("Postfix", "Postfix SMTP server: errors from host[192.0.2.1]", SESSION).raw)
    assert [(one.address, one.status, one.reason) for one in found.recipients] == [
        ("bob@example.org", "4.3.0", "systemerror")
    ]
    assert found.original.envelope_sender == "alice@example.com"


def test_a_session_that_only_tried_addresses_is_none() -> None:
    tried = SESSION.replace("250 2.1.5 Ok", "550 5.1.1 User unknown").partition(" In:  DATA")[0]
    found = classify(Letter("Postfix", "Postfix SMTP server: errors from host[192.0.2.1]", tried).raw)
    assert found.kind is Kind.OTHER

"""Decisions without a known phrase: by the command, the host, the kind of address, the subject of a code."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import Recipient, classify
from tests.mail.bounce.notifications import dsn, report

HEAD = (
    "Return-Path: <>\nFrom: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>\nTo: alice@example.com\n"
    "Subject: Returned mail: User unknown\nContent-Type: text/plain; charset=utf-8\n"
)
RETURNED = (
    "\n   ----- Unsent message follows -----\nReturn-Path: <alice@example.com>\nReceived: from a.example.com by"
    " mx.example.net\nFrom: alice@example.com\nTo: bob@example.org\nSubject: Minutes\n\nHi\n"
)


def of(text: str, head: str = HEAD) -> dict[str, Recipient]:
    """Return the recipients of a notification in words, by address."""
    return {one.address: one for one in classify(f"{head}\n{text}{RETURNED}".encode()).recipients}


@pytest.mark.parametrize("mailer", ["smtp", "esmtp", "TCP", "uucp"])
def test_what_one_host_answered_is_not_said_of_the_recipients_of_the_next(mailer: str) -> None:
    found = of(
        "   ----- Transcript of session follows -----\nWhile talking to mx.example.net:\n>>> DATA\n"
        "<<< 550 Your mail is redundant\n554 <ann@example.net>... Remote protocol error\n"
        f"550 nowhere.example ({mailer})... 550 Host unknown\n"
        "554 <bob@nowhere.example>... 550 Host unknown (Authoritative answer from name server)\n"
        f"550 neverwhere.example ({mailer})... 550 Host unknown\n"
        "554 <cid@neverwhere.example>... 550 Host unknown (Authoritative answer from name server)\n"
    )
    assert {address: (one.reason, one.is_hard) for address, one in found.items() if "where" in address} == {
        "bob@nowhere.example": ("hostunknown", True),
        "cid@neverwhere.example": ("hostunknown", True),
    }
    assert not found["ann@example.net"].is_hard


def test_what_the_host_answered_that_was_talked_to_is_said_of_its_recipient() -> None:
    found = of(
        "   ----- Transcript of session follows -----\nWhile talking to mx.example.org:\n"
        ">>> RCPT To:<bob@example.org>\n"
        "<<< 550 mailbox full\n421 mx.example.org (smtp)... Deferred\n554 <bob@example.org>... Remote protocol error\n"
        "554 <cid@example.org>... Remote protocol error\n"
    )
    assert found["bob@example.org"].reason == "mailboxfull"


REFUSED = {
    "MAIL FROM:<alice@example.com>": "rejected",
    "MAIL FROM:<alice@example.com> SIZE=1024": "rejected",
    "EHLO a.example.com": "blocked",
    "initial connection": "blocked",
}


@pytest.mark.parametrize("command", REFUSED)
@pytest.mark.parametrize("words", ["450 zopik drom", "550 zopik drom", "450 4.0.0 ちょっと"])
def test_a_refused_command_tells_what_is_meant_where_the_words_are_not_known(command: str, words: str) -> None:
    head = HEAD.replace("Returned mail: User unknown", "Warning: message delayed 24 hours")
    text = (
        "A message that you sent has not yet been delivered to one or more of its recipients.\n\n  bob@example.org\n"
        f"    host mx.example.org [192.0.2.9]\n    Delay reason: SMTP error from remote mail server after {command}:\n"
        f"    {words}\n\nDelivery attempts will continue for some time.\n"
    )
    assert of(text, head)["bob@example.org"].reason == REFUSED[command]


PROGRAMS = [
    "Final-Recipient: rfc822;|/usr/local/bin/sort bob@example.org /home/bob/.rules",
    'Final-Recipient: rfc822; "|/usr/bin/autoresponse bob@example.org"',
    "Final-Recipient: RFC822; bob@example.org\nX-Actual-Recipient: RFC822; |/usr/bin/filter -a",
    "Original-Recipient: rfc822;bob@example.org\nFinal-Recipient: rfc822;|exec filter #bob@example.org",
]


@pytest.mark.parametrize("fields", PROGRAMS)
def test_mail_that_a_program_did_not_take_is_an_error_of_that_program(fields: str) -> None:
    raw = report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}\nAction: failed\nStatus: 5.0.0")
    [found] = classify(raw).recipients
    assert (found.address, found.reason, found.is_hard) == ("bob@example.org", "mailererror", False)


def test_a_reason_that_is_told_counts_more_than_that_a_program_was_asked() -> None:
    fields = f"{PROGRAMS[0]}\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full"
    assert classify(report(f"Reporting-MTA: dns; mx.example.net\n\n{fields}")).recipients[0].reason == "mailboxfull"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.6.0", "552 5.6.0 Headers too large (3 max)"),
        ("5.6.0", "554 5.6.0 error in processing"),
        ("5.6.1", "550 5.6.1 unable to process this"),
        ("5.6.6", "554 5.6.6 internal problem, cannot create a copy"),
    ],
)
def test_a_code_of_the_content_says_more_than_general_words_of_trouble(status: str, words: str) -> None:
    assert classify(dsn(status, words)).recipients[0].reason in ("contenterror", "mesgtoobig")


@pytest.mark.parametrize(
    "words",
    [
        "Refused due to recipient preferences",
        "found in our denylist",
        "rejected by the user's filter",
        "sending limit reached",
    ],
)
def test_a_code_of_an_unknown_user_is_outweighed_by_rarer_words_of_a_refusal(words: str) -> None:
    assert not classify(dsn("5.1.1", f"550 5.1.1 {words}")).recipients[0].is_hard


LISTS = ["friends@lists.example.org", "team@groups.example.org", "team@ourgroups.example", "a@listserv.example.edu"]


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("words", ["Die Gruppe nimmt das nicht.", "グループに投稿できません。", "zopik drom"])
def test_a_list_that_refuses_without_a_known_word_refuses_the_sender(address: str, words: str) -> None:
    head = HEAD.replace("Returned mail: User unknown", "Undeliverable")
    text = f"{words}\n"
    [found] = classify(f"{head}X-Failed-Recipients: {address}\n\n{text}{RETURNED}".encode()).recipients
    assert (found.reason, found.is_hard) == ("rejected", False)


@pytest.mark.parametrize("address", ["bob@group.example.org", "lists@example.org", "bob@checklists-example.org"])
def test_a_person_is_no_list(address: str) -> None:
    head = HEAD.replace("Returned mail: User unknown", "Undeliverable")
    [found] = classify(f"{head}X-Failed-Recipients: {address}\n\nzopik drom\n{RETURNED}".encode()).recipients
    assert found.reason == "undefined"


@pytest.mark.parametrize(
    "words", ["553 example.com zopik", "550 <alice@example.com> zopik", "554 zopik (alice@example.com)"]
)
def test_an_answer_that_names_nobody_but_the_sender_refuses_the_sender(words: str) -> None:
    [found] = classify(
        report(
            "Reporting-MTA: dns; mx.example.net\nX-Postfix-Sender: rfc822; alice@example.com\n\n"
            f"Final-Recipient: rfc822; bob@example.org\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {words}"
        )
    ).recipients
    assert (found.reason, found.is_hard) == ("rejected", False)

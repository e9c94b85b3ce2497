"""Replies of many systems are understood, and an address is given up only if it should be."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import classify
from tests.mail.bounce import answers, answers_of_others
from tests.mail.bounce.answers import Answer
from tests.mail.bounce.notifications import dsn

ALL = [
    answer
    for table in (answers.PROVIDERS, answers_of_others.PROVIDERS, answers_of_others.SERVERS)
    for answer in answers.read(table)
]


@pytest.mark.parametrize("answer", ALL, ids=lambda answer: answer.words[:50])
def test_the_reason_of_an_answer_and_whether_it_is_hard(answer: Answer) -> None:
    found = classify(dsn(answer.status, answer.words, remote=answer.host)).recipients[0]
    assert (found.reason, found.is_hard) == (answer.reason, answer.is_hard)


ELSEWHERE = [
    ("5.5.1", "550 Mailbox unavailable or access denied (in reply to RCPT TO command)", "speeding"),
    ("5.0.0", "550 transaction _416 failed", "userunknown"),
    ("5.0.0", "550 corp: rp is not what it was", "speeding"),
    ("5.0.0", "554 delivery error: this user doesn't have a licence", "userunknown"),
    ("4.0.0", "421 bl000 and ptr1 are rooms here", "requireptr"),
]


@pytest.mark.parametrize(("status", "words", "reason"), ELSEWHERE)
def test_what_a_provider_means_by_its_words_counts_only_there(status: str, words: str, reason: str) -> None:
    assert classify(dsn(status, words)).recipients[0].reason != reason


def test_words_of_two_texts_make_no_phrase_together() -> None:
    words = "<bob@example.org>: host mx.example.org said: 550 no (in reply to end of DATA command)"
    assert classify(dsn("5.0.0", "550 message unknown", text=words)).recipients[0].reason != "hostunknown"

"""Titles claim nothing that no run found."""

from __future__ import annotations

import pytest

from mailmon.alerting.wording import MAX_LABELS
from mailmon.model import Health
from mailmon.run.subjects import unit_outcome
from tests.alerting.sequences import QUARTER, START
from tests.alerting.test_own_words import own
from tests.alerting.test_wording import FAILURE, RECOVERY, alert, merged, told

HOST = "mail.example.org:587: "
LABELS = ("IMAP Auth", "SMTP Auth", "Send Test", "Receive Test", "Cleanup")


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ("owo", "warned and recovered after 15 min (13:15-13:30 +0100)"),
        ("ouuuo", "could not be checked and can be checked again after 45 min (13:15-14:00 +0100)"),
        ("owuuuo", "could not be checked and recovered at 14:15 +0100"),
        ("ofo", "failed and recovered after 15 min (13:15-13:30 +0100)"),
        ("ofwo", "failed and recovered at 13:45 +0100"),
        ("ofuuuo", "failed and recovered at 14:15 +0100"),
        ("ofofo", "failed 2 times and recovered at 14:00 +0100"),
        ("offofoffo", "failed 3 times and recovered at 15:00 +0100"),
        ("owowo", "warned 2 times and recovered at 14:00 +0100"),
        ("owofowo", "failed and recovered at 14:30 +0100"),
    ],
)
def test_what_nobody_heard_of_is_called_by_its_worst(runs: str, words: str) -> None:
    assert alert(merged(*runs)).title == f"{HOST}SMTP Auth {words}"


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ("fo", "recovered after 15 min"),
        ("fw", "recovered with a warning at 13:15 +0100: login: 535 5.7.8 no"),
        ("wo", "recovered after 15 min"),
        ("wf", "failing since 13:15 +0100: login: 535 5.7.8 no"),
        ("ouuuo", "can be checked again after 45 min"),
        ("fuuuo", "recovered after 1 h"),
        ("wuuuo", "recovered after 1 h"),
        ("ouuuf", "failing since 14:00 +0100: login: 535 5.7.8 no"),
    ],
)
def test_an_end_is_called_by_what_ends(runs: str, words: str) -> None:
    assert alert(told(*runs)[-1]).title == f"{HOST}SMTP Auth {words}"


def test_the_end_of_not_knowing_says_how_long_it_lasted() -> None:
    change = told("o", "u", "u", "u", "o")[-1]
    assert change.before is Health.UNKNOWN
    assert "45 min" in alert(change).title
    assert "0.0 s" not in alert(change).body


def test_what_could_not_be_checked_names_its_server() -> None:
    (change,) = told("o", "f", "o", "u", "u", "u")[2:]
    assert alert(change).title.startswith("mail.example.org")


def test_accounts_that_failed_at_different_times_are_not_told_with_one_time() -> None:
    first = FAILURE._replace(subject="a")
    second = FAILURE._replace(id="smtp_auth:b", subject="b", at=FAILURE.at + QUARTER)
    assert "13:15 +0100" in alert(first, second).body
    assert "13:30 +0100" in alert(first, second).body


def test_accounts_that_were_down_for_different_times_are_not_told_with_one_duration() -> None:
    first = RECOVERY._replace(subject="a")
    second = RECOVERY._replace(id="smtp_auth:b", subject="b", since=START - 4 * QUARTER)
    assert "1 h 30 min" in alert(first, second).body


def test_accounts_of_which_one_has_failed_before_do_not_share_its_history() -> None:
    flapping = merged("o", "f", "o", "f")._replace(subject="a")
    steady = flapping._replace(id="smtp_auth:b", subject="b", history=())
    paragraphs = alert(flapping, steady).body.split("\n\n")
    assert ["Before: " in paragraph for paragraph in paragraphs] == [True, False]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "IMAP Auth failing"),
        (2, "IMAP Auth and SMTP Auth failing"),
        (3, "IMAP Auth, SMTP Auth and 1 more check failing"),
        (4, "IMAP Auth, SMTP Auth and 2 more checks failing"),
        (5, "IMAP Auth, SMTP Auth and 3 more checks failing"),
    ],
)
def test_the_title_counts_the_failing_checks_of_a_host_that_it_does_not_name(number: int, words: str) -> None:
    changes = [FAILURE._replace(id=label, label=label, causes=(label,)) for label in LABELS[:number]]
    assert alert(*changes).title.startswith(f"{HOST}{words} since 13:15 +0100: ")
    assert MAX_LABELS == 2


def test_a_title_about_several_hosts_and_checks_still_shows_the_time_on_a_phone() -> None:
    changes = [FAILURE._replace(id=label, label=label, causes=(label,)) for label in LABELS[:3]]
    other = FAILURE._replace(id="smtp_auth:b", target="mx.example.net:587")
    title = alert(*changes, other).title
    assert " since 13:15" in title[:80]
    assert " (and 1 more): login: 535" in title


def test_what_recovered_in_other_words_than_another_step_is_counted() -> None:
    unasked = told("o", "u", "u", "u", "o")[1]._replace(id="imap_auth:main", label="IMAP Auth")
    assert alert(RECOVERY, unasked).title == f"{HOST}SMTP Auth recovered after 15 min (and 1 more)"


def test_what_only_warned_recovers_in_the_same_words_as_what_failed() -> None:
    warned = told("o", "w", "o")[1]._replace(id="imap_auth:main", label="IMAP Auth")
    assert alert(RECOVERY, warned).title == f"{HOST}SMTP Auth and IMAP Auth recovered after 15 min"


def test_what_recovered_after_another_time_does_not_share_it_in_the_title() -> None:
    longer = RECOVERY._replace(id="imap_auth:main", label="IMAP Auth", since=START - 4 * QUARTER)
    assert alert(RECOVERY, longer).title == f"{HOST}SMTP Auth recovered after 15 min (and 1 more)"


def test_two_units_that_ended_have_run_to_their_end() -> None:
    units = ("mailmon.service", "mailmon-report.service")
    failed = [unit_outcome(unit, "exit code 70", is_failed=True) for unit in units]
    ended = [unit_outcome(unit, "", is_failed=False) for unit in units]
    title = alert(*own(failed, ended)[2:]).title
    assert " completed again " in title


def test_a_failure_that_goes_on_is_told_in_the_present() -> None:
    (_, cause) = told("f535", "f454")
    assert "still failing" in alert(cause).title
    another = cause._replace(id="imap_auth:main", label="IMAP Auth")
    assert "IMAP Auth and SMTP Auth still failing since" in alert(another, cause).title


def test_a_warning_that_goes_on_is_told_in_the_present() -> None:
    (_, cause) = told("w535", "w454")
    assert "still warning" in alert(cause).title


def test_a_flapping_step_does_not_look_like_one_short_failure_in_its_title() -> None:
    title = alert(merged("o", "f", "f", "f", "f", "o", "f", "o")).title
    assert "after 15 min (from" not in title


def test_a_step_that_is_seen_again_but_fails_otherwise_does_not_still_fail() -> None:
    """The reader was told that it cannot be checked: that it can be again is the news."""
    change = told("f535", "u", "u", "u", "f454")[-1]
    assert "still" not in alert(change).title


def test_what_cannot_be_checked_has_no_advice_of_an_older_failure() -> None:
    change = told("f535", "u", "u", "u")[-1]
    assert "Check the password" not in alert(change).body


def test_a_step_that_failed_once_and_then_only_warned_has_not_failed_many_times() -> None:
    title = alert(merged("o", "f", "o", *["w", "o"] * 12)).title
    assert "failed and recovered" in title


def test_a_failure_has_one_beginning_though_it_could_not_be_checked_for_a_while() -> None:
    *_, seen_again, recovery = told("f", "u", "u", "u", "f", "o")
    assert recovery.since == seen_again.at
    assert " since 13:00 +0100: " in alert(seen_again).title
    assert alert(recovery).title.endswith(" recovered after 1 h 15 min")


def test_a_step_that_flapped_for_long_failed_again_and_again() -> None:
    title = alert(merged("o", *["f", "o"] * 20)).title
    assert "SMTP Auth failed again and again and recovered at " in title

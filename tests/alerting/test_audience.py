"""Channels of an alert: severities, channels that come and go, states of earlier programs."""

from __future__ import annotations

import pytest

from mailmon.model import EVERYBODY, Announced, Change, CheckState, Health, Policy, Severity, Status
from tests.alerting.sequences import (
    START,
    STATUS_BY_LETTER,
    CheckSequence,
    described,
    described_for,
    outcome,
    policy_for,
)

FAILED, WARNING, OK = Status.FAILED, Status.WARNING, Status.OK
ERROR, CRITICAL = Severity.ERROR, Severity.CRITICAL
BY_SEVERITY = policy_for(critical=["phone"], error=["team"], warning=["mail"])
Found = tuple[Status, Severity | None]


def tell_story(policy: Policy, *found: Found) -> list[Change]:
    """Tell a sequence whose runs have findings of these severities; each run has a cause of its own."""
    sequence = CheckSequence(policy)
    changes = []
    for number, (status, severity) in enumerate(found):
        changes += sequence.step(outcome(status, code=str(400 + number), severity=severity))
    return changes


def heard(changes: list[Change], *channels: str) -> dict[str, list[str]]:
    """Return what each channel is told, without those that are told nothing."""
    return {name: told for name in channels or ("phone", "team", "mail") if (told := described_for(changes, name))}


def tell_by(sequence: CheckSequence, *runs: tuple[str, str]) -> list[Change]:
    """Tell the flips of runs: a letter for the status, and the initials of the channels that there are."""
    names = {"p": "phone", "t": "team", "m": "mail"}
    changes = []
    for letter, initials in runs:
        sequence.channels = tuple(names[initial] for initial in initials)
        changes += sequence.step(outcome(STATUS_BY_LETTER[letter]))
    return changes


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(FAILED, ERROR), (OK, None)], {"team": ["new>down", "down>up"]}),
        ([(FAILED, CRITICAL), (OK, None)], {"phone": ["new>down", "down>up"]}),
        ([(WARNING, None), (OK, None)], {"mail": ["new>degraded", "degraded>up"]}),
        (
            [(WARNING, None), (FAILED, ERROR)],
            {"mail": ["new>degraded", "degraded>down"], "team": ["degraded>down"]},
        ),
        (
            [(WARNING, None), (FAILED, ERROR), (OK, None)],
            {"mail": ["new>degraded", "degraded>down", "down>up"], "team": ["degraded>down", "down>up"]},
        ),
        (
            [(FAILED, CRITICAL), (FAILED, ERROR), (OK, None)],
            {"phone": ["new>down", "cause", "down>up"], "team": ["cause", "down>up"]},
        ),
        (
            [(FAILED, ERROR), (WARNING, None), (OK, None)],
            {"team": ["new>down", "down>degraded", "degraded>up"], "mail": ["down>degraded", "degraded>up"]},
        ),
        # a new sequence begins with its own audience
        (
            [(FAILED, CRITICAL), (OK, None), (FAILED, ERROR), (OK, None)],
            {"phone": ["new>down", "down>up"], "team": ["up>down", "down>up"]},
        ),
    ],
)
def test_who_heard_of_a_failure_hears_how_it_goes_on(found: list[Found], expected: dict[str, list[str]]) -> None:
    assert heard(tell_story(BY_SEVERITY, *found)) == expected


def test_a_severity_without_channels_of_its_own_goes_to_all() -> None:
    (change,) = tell_story(policy_for(critical=["phone"]), (FAILED, ERROR))
    assert change.channels == ("phone", "team", "mail")


def test_a_severity_may_be_told_to_nobody() -> None:
    changes = tell_story(policy_for(warning=[]), (WARNING, None), (WARNING, None), (OK, None))
    assert [change.channels for change in changes] == [(), (), ()]


def test_who_heard_that_mailmon_cannot_tell_hears_what_it_found_then() -> None:
    sequence = CheckSequence(policy_for(error=["team"]))
    changes = [change for letter in "ouuufo" for change in sequence.step(outcome(STATUS_BY_LETTER[letter]))]
    assert described_for(changes, "mail") == ["up>unknown", "unknown>down", "down>up"]


def test_who_heard_of_a_failure_hears_that_it_cannot_be_checked() -> None:
    sequence = CheckSequence(policy_for(error=["team"], warning=["mail"]))
    changes = [change for letter in "ofuuuo" for change in sequence.step(outcome(STATUS_BY_LETTER[letter]))]
    assert heard(changes) == {"team": ["up>down", "down>unknown", "unknown>up"], "mail": ["down>unknown", "unknown>up"]}


def test_what_failed_without_any_channel_is_told_once_there_is_one() -> None:
    sequence = CheckSequence()
    changes = tell_by(sequence, ("o", ""), ("f", ""), ("f", ""), ("f", "p"), ("f", "p"), ("o", "p"))
    assert heard(changes) == {"phone": ["down>down", "down>up"]}
    assert changes[1].at == changes[0].at


def test_what_failed_and_recovered_without_any_channel_is_told_to_nobody() -> None:
    assert heard(tell_by(CheckSequence(), ("o", ""), ("f", ""), ("o", ""), ("o", "p"), ("f", "p"))) == {
        "phone": ["up>down"]
    }


def test_what_could_not_be_checked_without_any_channel_is_told_once_there_is_one() -> None:
    runs = [("o", ""), ("u", ""), ("u", ""), ("u", ""), ("u", "p"), ("u", "p")]
    assert [words.partition(">")[2] for words in described_for(tell_by(CheckSequence(), *runs), "phone")] == ["unknown"]


def test_a_channel_that_was_renamed_while_down_hears_of_it_and_of_its_end() -> None:
    changes = tell_by(CheckSequence(), ("f", "p"), ("f", "t"), ("f", "t"), ("o", "t"))
    assert described_for(changes, "team") == ["down>down", "down>up"]


def test_a_channel_that_is_renamed_in_the_run_that_recovers_hears_of_it() -> None:
    changes = tell_by(CheckSequence(), ("f", "p"), ("o", "t"))
    assert heard(changes) == {"phone": ["new>down", "down>up"], "team": ["down>up"]}


def test_a_channel_that_is_renamed_while_it_cannot_be_checked_hears_of_the_end() -> None:
    changes = tell_by(CheckSequence(), ("o", "p"), ("u", "p"), ("u", "p"), ("u", "p"), ("u", "t"), ("o", "t"))
    assert described_for(changes, "team")[-1:] == ["unknown>up"]


def test_a_channel_that_is_missing_from_one_run_is_not_told_twice() -> None:
    changes = tell_by(CheckSequence(), ("f", "p"), ("f", ""), ("f", "p"), ("o", "p"))
    assert described_for(changes, "phone") == ["new>down", "down>up"]


def test_a_channel_that_is_added_while_down_hears_the_next_news_only() -> None:
    sequence = CheckSequence(Policy(reminder_interval_s=2700))
    changes = tell_by(sequence, ("f", "p"), ("f", "pt"), ("f", "pt"), ("f", "pt"), ("o", "pt"))
    assert heard(changes) == {"phone": ["new>down", "reminder", "down>up"], "team": ["reminder", "down>up"]}


@pytest.mark.parametrize(
    "runs",
    [
        # it cannot be checked
        [("f", "pt"), ("u", "t"), ("u", "t"), ("u", "t"), ("o", "pt")],
        # it works with a warning
        [("f", "pt"), ("w", "t"), ("o", "pt")],
        # its end is told to the others, or to nobody
        [("f", "pt"), ("o", "t"), ("o", "pt")],
        [("f", "p"), ("o", ""), ("o", "p")],
    ],
)
def test_a_channel_that_is_missing_when_something_is_told_hears_the_end(runs: list[tuple[str, str]]) -> None:
    changes = tell_by(CheckSequence(), *runs)
    assert described_for(changes, "phone")[-1].endswith(">up")


def test_a_story_of_another_program_is_gone_on_with_for_everybody() -> None:
    known = CheckState(
        Health.DOWN, START, "535", announced=Announced(Health.DOWN, START, START, "535", channels=(EVERYBODY,))
    )
    changes = tell_by(CheckSequence(BY_SEVERITY, known), ("f", "ptm"), ("o", "ptm"), ("f", "ptm"))
    assert [described(change) for change in changes] == ["down>up", "up>down"]
    assert [change.channels for change in changes] == [("phone", "team", "mail"), ("team",)]


def test_that_all_was_well_for_another_program_makes_no_audience() -> None:
    known = CheckState(Health.UP, START, announced=Announced(Health.UP, START, channels=(EVERYBODY,)))
    (change,) = tell_by(CheckSequence(BY_SEVERITY, known), ("f", "ptm"))
    assert change.channels == ("team",)

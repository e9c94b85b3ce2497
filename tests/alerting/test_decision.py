"""The decision to alert: causes, reminders, UNKNOWN, silences, severities."""

from __future__ import annotations

import pytest

from mailmon.alerting import evaluate
from mailmon.model import EVERYBODY, Announced, CheckState, Health, Policy, Status
from tests.alerting.sequences import QUARTER, START, STEP, CheckSequence, described, outcome

HOURLY = Policy(reminder_interval_s=3600)
NAGGING = Policy(reminder_interval_s=900)


def told_of(sequence: CheckSequence, *found: tuple[Status, str]) -> list[list[str]]:
    """Return what each run tells; its reply code is the second word."""
    return [[described(change) for change in sequence.step(outcome(status, code=code))] for status, code in found]


def test_another_cause_is_told_once() -> None:
    codes = ["535", "454", "535", "454", "535"]
    told = told_of(CheckSequence(), *((Status.FAILED, code) for code in codes))
    assert told == [["new>down"], ["cause"], [], [], []]


def test_another_finding_is_another_cause() -> None:
    sequence = CheckSequence()
    sequence.step(outcome(Status.FAILED))
    (change,) = sequence.step(outcome(Status.FAILED, finding_id="tls.handshake_failed"))
    assert (change.news, change.causes, change.alert) == ("cause", ("tls.handshake_failed 535",), "run-1")
    assert change.since == change.at == START


def test_the_same_reply_in_other_words_is_no_other_cause() -> None:
    sequence = CheckSequence()
    sequence.step(outcome(Status.FAILED))
    again = outcome(Status.FAILED)
    again = again._replace(findings=(again.findings[0]._replace(evidence="535 5.7.8 no (queue 4XyZ)"),), message="535")
    assert sequence.step(again) == []


def test_after_a_recovery_an_old_cause_is_news_again() -> None:
    found = [(Status.FAILED, "535"), (Status.OK, ""), (Status.FAILED, "535")]
    assert told_of(CheckSequence(), *found) == [["new>down"], ["down>up"], ["up>down"]]


def test_a_failure_announced_by_an_earlier_monitor_is_no_new_cause() -> None:
    known = CheckState(
        Health.DOWN, START, "535", announced=Announced(Health.DOWN, START, START, "535", channels=(EVERYBODY,))
    )
    assert CheckSequence(state=known).announced("ffo") == ["3: down>up"]


def test_another_cause_in_a_run_below_the_threshold_is_part_of_the_failure() -> None:
    sequence = CheckSequence(Policy(failure_threshold=2))
    assert told_of(sequence, (Status.FAILED, "454"), (Status.FAILED, "535")) == [[], ["new>down"]]
    assert sequence.state.causes == ("smtp.login_refused 535",)


@pytest.mark.parametrize(
    ("policy", "runs", "told"),
    [
        (HOURLY, "ffffffffff", ["1: new>down", "5: reminder", "9: reminder"]),
        (HOURLY, "wwwww", ["1: new>degraded", "5: reminder"]),
        (HOURLY, "ooooooooo", []),
        (Policy(), "fffffffff", ["1: new>down"]),
        # nobody is reminded during a silence, nor while mailmon is blind
        (HOURLY, "fffFFFf", ["1: new>down", "7: reminder"]),
        (HOURLY, "fffbbbf", ["1: new>down", "7: reminder"]),
        # of what was skipped, or begins to work, nobody is reminded
        (HOURLY, "fssss", ["1: new>down"]),
        (HOURLY, "fssssf", ["1: new>down", "6: reminder"]),
        (HOURLY, "wsssssw", ["1: new>degraded", "7: reminder"]),
        (Policy(success_threshold=3, reminder_interval_s=3600), "fffoof", ["1: new>down", "6: reminder"]),
        (Policy(success_threshold=3, reminder_interval_s=900), "fooo", ["1: new>down", "4: down>up"]),
        # that it is seen again is told, and puts the reminder off
        (HOURLY, "fuuuffff", ["1: new>down", "4: down>unknown", "5: unknown>down"]),
        (HOURLY, "fuuufffff", ["1: new>down", "4: down>unknown", "5: unknown>down", "9: reminder"]),
    ],
)
def test_a_reminder_comes_when_its_interval_has_passed(policy: Policy, runs: str, told: list[str]) -> None:
    assert CheckSequence(policy).announced(runs) == told


def test_another_cause_puts_the_reminder_off() -> None:
    found = [(Status.FAILED, code) for code in ("535", "535", "454", "454", "454", "454", "454")]
    assert told_of(CheckSequence(HOURLY), *found) == [["new>down"], [], ["cause"], [], [], [], ["reminder"]]


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ("ouuo", []),
        ("ouuuuuuuo", ["4: up>unknown", "9: unknown>up"]),
        ("uuuo", ["3: new>unknown", "4: unknown>up"]),
        ("ouuuf", ["4: up>unknown", "5: unknown>down"]),
        ("fuuuuuf", ["1: new>down", "4: down>unknown", "7: unknown>down"]),
        ("fuuuo", ["1: new>down", "4: down>unknown", "5: unknown>up"]),
        ("ouuuoou", ["4: up>unknown", "5: unknown>up"]),
        ("ouusuuuo", ["5: up>unknown", "8: unknown>up"]),
        ("ouufuu", ["4: up>down"]),
        # a blind run is told of once, and not by every step
        ("obbbbbbo", []),
        ("oxxxo", []),
        ("obbubuuo", ["7: up>unknown", "8: unknown>up"]),
    ],
)
def test_several_runs_that_could_not_tell_are_told_once_and_so_is_their_end(runs: str, told: list[str]) -> None:
    assert CheckSequence().announced(runs) == told


def test_the_end_of_not_knowing_waits_for_what_is_known_then() -> None:
    sequence = CheckSequence(Policy(failure_threshold=2, unknown_threshold=2))
    assert sequence.announced("ouuf") == ["3: up>unknown"]
    assert sequence.announced("f") == ["5: unknown>down"]


@pytest.mark.parametrize("runs", ["fuuuuuuuuu", "fuu"])
def test_nobody_is_reminded_of_a_failure_while_mailmon_cannot_tell(runs: str) -> None:
    assert [words for words in CheckSequence(NAGGING).announced(runs) if "reminder" in words] == []


def test_with_reminders_too_not_knowing_is_told_once() -> None:
    told = CheckSequence(HOURLY).announced("f" + "u" * 12)
    assert [words for words in told if "unknown" in words] == ["4: down>unknown"]


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        # down when the silence ends: told
        ("oFFf", ["4: up>down"]),
        ("oFFs", ["4: up>down"]),
        ("oFFb", []),
        # down and up again within it: nothing to tell
        ("oFOo", []),
        ("FOo", []),
        # a recovery of what was known
        ("ofOo", ["2: up>down", "4: down>up"]),
        ("ofOOs", ["2: up>down", "5: down>up"]),
        # up and down again within it
        ("ofOFf", ["2: up>down"]),
        # it began while down, and what goes on is no news
        ("ofFFf", ["2: up>down"]),
        ("oWWw", ["4: up>degraded"]),
        ("oUUUUu", ["6: up>unknown"]),
        ("oUUUUo", []),
        ("ouuuUo", ["4: up>unknown", "6: unknown>up"]),
        ("ouuuOo", ["4: up>unknown", "6: unknown>up"]),
    ],
)
def test_during_a_silence_nothing_is_told_and_afterwards_what_still_matters(runs: str, told: list[str]) -> None:
    assert CheckSequence().announced(runs) == told


@pytest.mark.parametrize(
    ("runs", "told"), [("Ouuuuuu", ["4: new>unknown"]), ("Ouuuuo", ["4: new>unknown", "6: unknown>up"])]
)
def test_not_knowing_is_told_once_of_a_step_that_was_first_seen_during_a_silence(runs: str, told: list[str]) -> None:
    assert CheckSequence().announced(runs) == told


def test_what_a_silence_held_back_is_told_though_the_step_was_not_asked() -> None:
    sequence = CheckSequence()
    sequence.announced("oF")
    assert [described(change) for change in sequence.step(None)] == ["up>down"]


def test_a_failure_during_a_silence_is_told_with_its_own_time() -> None:
    sequence = CheckSequence()
    sequence.announced("oFF")
    (change,) = sequence.step(outcome(Status.FAILED))
    assert change.at == START + QUARTER


def test_of_a_step_that_is_no_longer_configured_nothing_is_told() -> None:
    states, changes, _ = evaluate({STEP: CheckState(Health.DOWN, START)}, [], {}, START)
    assert (list(states), changes) == ([STEP], [])

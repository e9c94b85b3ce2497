"""The state of a step after each run, and the changes to announce."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailmon.alerting import TRANSITIONS, evaluate, evaluate_step, overall
from mailmon.alerting.decision import Announce
from mailmon.model import Announced, CheckState, Health, Policy, Quiet, QuietReason, Status
from tests.alerting.sequences import QUARTER, START, STEP, TARGET, CheckSequence, outcome, subject

TABLE = {
    ("new", "ok"): "up",
    ("new", "warning"): "degraded",
    ("new", "failed"): "failing",
    ("up", "ok"): "up",
    ("up", "warning"): "degraded",
    ("up", "failed"): "failing",
    ("degraded", "ok"): "up",
    ("degraded", "warning"): "degraded",
    ("degraded", "failed"): "failing",
    ("failing", "ok"): "up",
    ("failing", "warning"): "degraded",
    ("failing", "failed"): "failing",
    ("down", "ok"): "up",
    ("down", "warning"): "degraded",
    ("down", "failed"): "down",
}


def test_the_table_is_this_one() -> None:
    assert {(before.value, status.value): after.value for (before, status), after in TRANSITIONS.items()} == TABLE


@pytest.mark.parametrize(("before", "status"), TABLE)
def test_with_thresholds_of_one_every_run_settles_and_every_change_is_told(before: str, status: str) -> None:
    told = Announced(Health(before), START, causes=("smtp.login_refused 535",)) if before != "failing" else Announced()
    remembered = CheckState(Health(before), START, announced=told)
    state, decision = evaluate_step(STEP, remembered, outcome(Status(status)), subject(), START + QUARTER, "1")
    change = decision.change if isinstance(decision, Announce) else None
    assert state is not None
    settled = {"failing": "down"}.get(TABLE[before, status], TABLE[before, status])
    is_told = settled != before and not (before in ("new", "failing") and settled == "up")
    assert (state.health, change is not None) == (settled, is_told)
    assert change is None or (change.after, change.alert) == (state.health, "1")


@pytest.mark.parametrize("health", [None, *Health])
def test_a_skipped_step_changes_nothing(health: Health | None) -> None:
    before = CheckState(health, START, "why", announced=Announced(health, START)) if health else None
    state, decision = evaluate_step(STEP, before, outcome(Status.SKIPPED), subject(), START + QUARTER)
    assert isinstance(decision, Quiet)
    assert (state and state._replace(skipped="", quiet=None)) == before
    assert state is None or state.skipped == outcome(Status.SKIPPED).message


@pytest.mark.parametrize("health", [health for health in Health if health is not Health.UNKNOWN])
def test_a_run_that_could_not_tell_is_counted_and_changes_nothing_else(health: Health) -> None:
    before = CheckState(health, START, "why", streak=1, turned_at=START, announced=Announced(health, START))
    state, decision = evaluate_step(STEP, before, outcome(Status.UNKNOWN), subject(), START + QUARTER)
    seen = before._replace(value="no route to any host", target=TARGET)
    why = Quiet(QuietReason.INCONCLUSIVE, 1, 3)
    assert (state, decision) == (seen._replace(unknown_runs=1, unknown_since=START + QUARTER, quiet=why), why)


@pytest.mark.parametrize("status", [Status.OK, Status.WARNING, Status.FAILED])
def test_a_health_that_only_a_hand_writes_does_not_stay_deaf(status: Status) -> None:
    state, _ = evaluate_step(STEP, CheckState(Health.UNKNOWN, START), outcome(status), subject(), START + QUARTER)
    assert state is not None
    assert state.health in (Health.UP, Health.DEGRADED, Health.DOWN)


@pytest.mark.parametrize(
    ("failures", "successes", "runs", "told"),
    [
        (1, 1, "offo", ["2: up>down", "4: down>up"]),
        (2, 1, "offo", ["3: up>down", "4: down>up"]),
        (3, 1, "offo", []),
        (3, 1, "offfo", ["4: up>down", "5: down>up"]),
        (1, 2, "ofofoo", ["2: up>down", "6: down>up"]),
        (2, 3, "offoofooo", ["3: up>down", "9: down>up"]),
        (2, 2, "ofofofof", []),
        # a run that says nothing neither breaks a streak nor is part of it
        (2, 1, "ofsfo", ["4: up>down", "5: down>up"]),
        (2, 1, "ofufo", ["4: up>down", "5: down>up"]),
        (3, 2, "ofsfufsosos", ["6: up>down", "10: down>up"]),
        (2, 1, "fosff", ["5: up>down"]),
        # at the first sight of a evaluate_step
        (1, 1, "oo", []),
        (1, 1, "ff", ["1: new>down"]),
        (2, 1, "ff", ["2: new>down"]),
        (2, 1, "foo", []),
        (1, 1, "sf", ["2: new>down"]),
        # warnings
        (2, 1, "owwo", ["2: up>degraded", "4: degraded>up"]),
        (2, 1, "owfwo", ["2: up>degraded", "5: degraded>up"]),
        (2, 1, "owffwo", ["2: up>degraded", "4: degraded>down", "5: down>degraded", "6: degraded>up"]),
        (1, 2, "ofwfwo", ["2: up>down", "6: down>up"]),
        (1, 2, "ofow", ["2: up>down", "4: down>degraded"]),
        (2, 1, "ofw", ["3: up>degraded"]),
    ],
)
def test_thresholds_count_runs_in_a_row(failures: int, successes: int, runs: str, told: list[str]) -> None:
    assert CheckSequence(Policy(failure_threshold=failures, success_threshold=successes)).announced(runs) == told


def test_a_failure_below_its_threshold_shows_as_failing_since_its_first_run() -> None:
    sequence = CheckSequence(Policy(failure_threshold=3))
    sequence.announced("off")
    assert (sequence.health, sequence.state.since, sequence.state.streak) == (Health.FAILING, START + QUARTER, 2)


def test_a_failure_and_a_recovery_are_dated_from_the_first_run_of_their_streaks() -> None:
    sequence = CheckSequence(Policy(failure_threshold=3, success_threshold=2))
    sequence.announced("of")
    (failure,) = [change for _ in range(2) for change in sequence.step(outcome(Status.FAILED))]
    assert (failure.since, failure.at) == (START, START + QUARTER)
    (recovery,) = [change for _ in range(2) for change in sequence.step(outcome(Status.OK))]
    assert (recovery.since, recovery.at) == (START + QUARTER, START + 4 * QUARTER)
    assert (recovery.reason, recovery.alert) == (failure.reason, failure.alert)


def test_a_failure_that_nobody_heard_of_does_not_make_the_time_before_shorter() -> None:
    sequence = CheckSequence(Policy(failure_threshold=2))
    sequence.announced("ofo")
    (failure,) = [change for _ in range(2) for change in sequence.step(outcome(Status.FAILED))]
    assert (failure.before, failure.since, failure.at) == (Health.UP, START, START + 3 * QUARTER)


def test_a_threshold_that_was_lowered_holds_from_the_next_failure_on() -> None:
    sequence = CheckSequence(Policy(failure_threshold=5))
    sequence.announced("off")
    sequence.subjects = {STEP: subject(Policy(failure_threshold=2))}
    assert sequence.announced("s") == []
    assert sequence.announced("f") == ["5: up>down"]
    assert sequence.state.since == START + QUARTER


def test_a_recovery_forgets_what_was_wrong() -> None:
    sequence = CheckSequence()
    sequence.announced("fo")
    state = sequence.state
    assert (state.reason, state.target, state.advice, state.severity, state.causes) == ("", "", "", None, ())
    assert state.announced == Announced(Health.UP, START + QUARTER, START + QUARTER)


def test_steps_that_are_not_asked_stay_as_they_were_remembered() -> None:
    other = CheckState(Health.DOWN, START, "gone", announced=Announced(Health.DOWN, START, START, "gone"))
    states, *_ = evaluate({"send:main": other}, [outcome(Status.OK)], {STEP: subject()}, START)
    assert states["send:main"] == other


def test_causes_are_told_before_consequences() -> None:
    ids = ("imap_auth:main", "send:main", "receive:main")
    found = [outcome(Status.FAILED, step_id) for step_id in reversed(ids)]
    _, changes, _ = evaluate({}, found, {step_id: subject() for step_id in ids}, START)
    assert [change.id for change in changes] == list(ids)


def test_a_step_that_was_checked_says_when_and_what_it_found() -> None:
    sequence = CheckSequence()
    sequence.announced("oofu")
    assert sequence.state.checked_at == START + 2 * QUARTER
    assert sequence.state.value == "no route to any host"
    assert sequence.now - sequence.state.since == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ([], Status.OK),
        ([Status.OK, Status.SKIPPED], Status.OK),
        ([Status.WARNING, Status.OK], Status.WARNING),
        ([Status.WARNING, Status.UNKNOWN], Status.UNKNOWN),
        ([Status.UNKNOWN, Status.FAILED, Status.WARNING], Status.FAILED),
    ],
)
def test_a_run_is_as_bad_as_its_worst_step(statuses: list[Status], worst: Status) -> None:
    assert overall(statuses) is worst

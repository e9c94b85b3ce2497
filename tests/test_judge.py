"""What changes, and what is a person told? The table in full, then the words, then any sequence of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.judge import MAX_CAUSES, MAX_TITLE, TRANSITIONS, compose, judge, overall, step
from mailmon.model import Alert, AlertKind, Flip, Health, Memory, Outcome, Status

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
TARGET = "mail.example.org:587"
LABELS = {"smtp_auth:main": "SMTP Auth", "send:main": "Send Test", "receive:main": "Receive Test"}


def outcome(status: Status, step_id: str = "smtp_auth:main", message: str = "", advice: str = "") -> Outcome:
    check, _, name = step_id.partition(":")
    said = message or ("OK" if status is Status.OK else f"{TARGET}: login: 535 5.7.8 authentication failed")
    return Outcome(step_id, check, name, status, said, advice, "" if status is Status.OK else TARGET)


def run_through(statuses: Sequence[Status], notes: Sequence[str] = ()) -> list[Alert]:
    """Judge one step over several runs, a quarter of an hour apart."""
    memories: dict[str, Memory] = {}
    alerts = []
    for number, status in enumerate(statuses):
        now = START + number * QUARTER
        memories, flips = judge(memories, [outcome(status)], now)
        alert = compose(flips, LABELS, now, f"run-{number}", notes)
        alerts += [alert] if alert else []
    return alerts


def flip(step_id: str, after: Health, before: Health = Health.UP, reason: str = "", advice: str = "") -> Flip:
    said = reason or f"{TARGET}: login: 535 no"
    return Flip(step_id, before, after, START - timedelta(minutes=30), START, said, advice, TARGET)


@pytest.mark.parametrize(
    ("before", "status", "after", "is_told"),
    [
        ("new", "ok", "up", False),
        ("new", "warning", "degraded", True),
        ("new", "failed", "down", True),
        ("up", "ok", "up", False),
        ("up", "warning", "degraded", True),
        ("up", "failed", "down", True),
        ("degraded", "ok", "up", True),
        ("degraded", "warning", "degraded", False),
        ("degraded", "failed", "down", True),
        ("down", "ok", "up", True),
        ("down", "warning", "degraded", True),
        ("down", "failed", "down", False),
        # A hand may have written "unknown" into the state: it must not stay deaf for ever.
        ("unknown", "ok", "up", False),
        ("unknown", "warning", "degraded", True),
        ("unknown", "failed", "down", True),
    ],
)
def test_the_table_says_what_is_remembered_and_told(before: str, status: str, after: str, is_told: bool) -> None:
    memory, told = step(Memory(Health(before), START, "why"), outcome(Status(status)), START + QUARTER)
    assert memory is not None
    assert (memory.health, told is not None) == (Health(after), is_told)


@pytest.mark.parametrize("health", [None, *Health])
@pytest.mark.parametrize("status", [Status.UNKNOWN, Status.SKIPPED])
def test_our_own_trouble_and_skipped_steps_change_nothing(health: Health | None, status: Status) -> None:
    before = Memory(health, START, "why", TARGET, START) if health else None
    assert step(before, outcome(status), START + QUARTER) == (before, None)


def test_the_table_holds_every_pair_that_says_something_about_the_server() -> None:
    spoken = (Status.OK, Status.WARNING, Status.FAILED)
    healths = (Health.NEW, Health.UP, Health.DEGRADED, Health.DOWN)
    assert {(health, status) for health in healths for status in spoken} <= set(TRANSITIONS)
    assert not [pair for pair in TRANSITIONS if pair[1] not in spoken]


def test_a_failure_of_two_runs_gives_one_problem_and_one_recovery() -> None:
    kinds = [alert.kind for alert in run_through([Status.FAILED, Status.FAILED, Status.OK, Status.OK])]
    assert kinds == [AlertKind.PROBLEM, AlertKind.RECOVERY]


def test_a_server_that_is_well_from_the_start_is_silent() -> None:
    assert run_through([Status.OK, Status.OK]) == []


def test_runs_that_could_not_tell_do_not_repeat_an_alert() -> None:
    kinds = [alert.kind for alert in run_through([Status.FAILED, Status.UNKNOWN, Status.SKIPPED, Status.FAILED])]
    assert kinds == [AlertKind.PROBLEM]


def test_since_is_kept_while_the_health_stays() -> None:
    memories, _ = judge({}, [outcome(Status.FAILED)], START)
    memories, _ = judge(memories, [outcome(Status.FAILED)], START + QUARTER)
    assert (memories["smtp_auth:main"].since, memories["smtp_auth:main"].checked_at) == (START, START + QUARTER)


def test_other_steps_stay_as_they_were_remembered() -> None:
    other = {"send:main": Memory(Health.DOWN, START, "gone")}
    assert judge(other, [outcome(Status.OK)], START)[0]["send:main"] == other["send:main"]


def test_a_recovery_names_how_long_it_lasted_and_what_it_was() -> None:
    recovery = run_through([Status.FAILED, Status.FAILED, Status.OK])[1]
    assert recovery.title == f"SMTP Auth works again: {TARGET}, after 30 min"
    assert "after 30 min" in recovery.body
    assert f"It was: {TARGET}: login: 535 5.7.8 authentication failed" in recovery.body


def test_a_recovery_tells_the_notes_of_the_run() -> None:
    recovery = run_through([Status.FAILED, Status.OK], ["the probe of 11:45 arrived late, after 7 min 32 s"])[1]
    assert recovery.body.endswith("The probe of 11:45 arrived late, after 7 min 32 s.")


def test_an_alert_says_what_failed_where_and_what_to_do() -> None:
    alert = compose([flip("smtp_auth:main", Health.DOWN, advice="Check the password file.")], LABELS, START, "1")
    assert alert is not None
    assert alert.title == f"SMTP Auth failed: {TARGET}"
    assert alert.body.startswith(f"SMTP Auth: {TARGET}: login: 535 no\n→ Check the password file.\nSince ")


def test_failures_stand_before_warnings_and_both_before_recoveries() -> None:
    flips = [
        flip("receive:main", Health.UP, Health.DOWN),
        flip("send:main", Health.DEGRADED),
        flip("smtp_auth:main", Health.DOWN),
    ]
    alert = compose(flips, LABELS, START, "1")
    assert alert is not None
    assert [alert.body.index(label) for label in ("SMTP Auth", "Send Test", "Receive Test")] == sorted(
        alert.body.index(label) for label in LABELS.values()
    )
    assert (alert.kind, alert.title) == (AlertKind.PROBLEM, f"SMTP Auth failed: {TARGET}")


def test_a_failure_that_became_a_warning_says_that_it_was_down() -> None:
    alert = compose([flip("send:main", Health.DEGRADED, Health.DOWN, "delivered twice")], LABELS, START, "1")
    assert alert is not None
    assert alert.kind is not AlertKind.PROBLEM
    assert "delivered twice" in alert.body
    assert "It was down for 30 min." in alert.body


def test_many_causes_are_capped_and_counted() -> None:
    flips = [flip(f"smtp_auth:account{number}", Health.DOWN) for number in range(MAX_CAUSES + 5)]
    alert = compose(flips, {}, START, "1")
    assert alert is not None
    assert alert.body.endswith("and 5 more")
    assert alert.body.count("535 no") == MAX_CAUSES
    assert alert.title.endswith(f"and 14 more failed: {TARGET}")


def test_a_long_title_is_cut() -> None:
    alert = compose([flip("x:" + "n" * 300, Health.DOWN)], {}, START, "1")
    assert alert is not None
    assert len(alert.title) == MAX_TITLE
    assert alert.title.endswith("…")


def test_nothing_to_tell_gives_no_alert() -> None:
    assert compose([], LABELS, START, "1", ["the probe of 11:45 is lost"]) is None


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


RUNS = st.lists(
    st.fixed_dictionaries({step_id: st.sampled_from(list(Status)) for step_id in LABELS}), min_size=1, max_size=12
)


@settings(deadline=None)
@given(RUNS)
def test_announcements_follow_from_the_outcomes_alone(runs: list[dict[str, Status]]) -> None:
    memories: dict[str, Memory] = {}
    last_told: dict[str, Health] = {}
    for number, statuses in enumerate(runs):
        now = START + number * QUARTER
        outcomes = [outcome(status, step_id) for step_id, status in statuses.items()]
        memories, flips = judge(memories, outcomes, now)
        alert = compose(flips, LABELS, now, str(number))
        assert (alert is None) == (not flips)
        assert alert is None or len(alert.title) <= MAX_TITLE
        for told in flips:
            status = statuses[told.id]
            assert status not in (Status.UNKNOWN, Status.SKIPPED)
            assert (told.after is Health.DOWN) == (status is Status.FAILED)
            # Nobody hears the same twice in a row, nor of a recovery before a failure.
            assert told.after is not last_told.get(told.id, Health.UP)
            last_told[told.id] = told.after


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Flip,
            id=st.text(max_size=50),
            before=st.sampled_from(list(Health)),
            after=st.sampled_from(list(Health)),
            since=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
            at=st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
            reason=st.text(max_size=300),
            target=st.text(max_size=50),
        ),
        max_size=20,
    ),
    st.lists(st.text(max_size=20), max_size=3),
)
def test_any_flips_can_be_told(flips: list[Flip], notes: list[str]) -> None:
    alert = compose(flips, {}, START, "1", notes)
    assert (alert is None) == (not flips)
    assert alert is None or len(alert.title) <= MAX_TITLE

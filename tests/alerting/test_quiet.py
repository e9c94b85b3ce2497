"""The reasons why no alert is sent, per run of a step, and the words for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.alerting import refresh
from mailmon.alerting.wording import explain, explain_quiet
from mailmon.model import Alert, AlertKind, Change, Health, OutboxEntry, Policy, Quiet, QuietReason
from tests.alerting.sequences import QUARTER, START, STATUS_BY_LETTER, STEP, CheckSequence, outcome

PATIENT = Policy(failure_threshold=2, success_threshold=2)
REMINDING = Policy(reminder_interval_s=3600)


def reasons(runs: str, policy: Policy | None = None, channels: tuple[str, ...] = ("phone",)) -> list[str]:
    """Return for each run, given by a letter as in CheckSequence.tell, `alert` or in words why there is none."""
    story, said = CheckSequence(policy, channels=channels), []
    for letter in runs:
        changes = run(story, letter)
        quiet = story.quiet.get(STEP)
        is_alerted = any(change.channels for change in changes)
        assert not (is_alerted and quiet)
        said.append("alert" if is_alerted else explain_quiet(quiet, story.now) if quiet else "")
    return said


def run(story: CheckSequence, letter: str) -> list[Change]:
    small = letter.lower()
    status = STATUS_BY_LETTER[{"b": "u", "x": "s"}.get(small, small)]
    return story.step(outcome(status), is_silent=letter != small, is_offline=small in "bx")


SENT, SILENCED = "alert already sent at 13:15 +0100", 'silenced until 13:30 +0100 (silence "main")'
FIRST = ["no alert yet: failure 1 of 2"]
INCONCLUSIVE = [f"no alert yet: inconclusive {number} of 3" for number in (1, 2)]


@pytest.mark.parametrize(
    ("policy", "runs", "words"),
    [
        (None, "oo", ["", ""]),
        (None, "off", ["", "alert", SENT]),
        (PATIENT, "off", ["", "no alert yet: failure 1 of 2", "alert"]),
        (PATIENT, "ffoo", ["no alert yet: failure 1 of 2", "alert", "no alert yet: recovery 1 of 2", "alert"]),
        (PATIENT, "ofo", ["", "no alert yet: failure 1 of 2", ""]),
        (None, "oF", ["", SILENCED]),
        (PATIENT, "oF", ["", "no alert yet: failure 1 of 2 (silenced until 13:30 +0100)"]),
        (PATIENT, "ffO", [*FIRST, "alert", "no alert yet: recovery 1 of 2 (silenced until 13:45 +0100)"]),
        (PATIENT, "Fo", ["no alert yet: failure 1 of 2 (silenced until 13:15 +0100)", ""]),
        (None, "U", ["no alert yet: inconclusive 1 of 3 (silenced until 13:15 +0100)"]),
        (None, "ofO", ["", "alert", 'silenced until 13:45 +0100 (silence "main")']),
        (None, "ofF", ["", "alert", SENT]),
        (None, "ouuu", ["", *INCONCLUSIVE, "alert"]),
        (
            None,
            "ouuuu",
            ["", *INCONCLUSIVE, "alert", "alert already sent at 13:45 +0100"],
        ),
        (None, "ob", ["", "no alert: no network"]),
        (None, "ofb", ["", "alert", SENT]),
        (None, "os", ["", "an earlier step failed"]),
        (None, "ofs", ["", "alert", SENT]),
        (REMINDING, "off", ["", "alert", f"{SENT}, reminder due at 14:15 +0100"]),
        (REMINDING, "offfff", ["", "alert", *[f"{SENT}, reminder due at 14:15 +0100"] * 3, "alert"]),
        (Policy(channels={"warning": ()}), "oww", ["", *["no alert: no channel for severity warning"] * 2]),
    ],
)
def test_each_run_alerts_or_says_why_not(policy: Policy | None, runs: str, words: list[str]) -> None:
    assert reasons(runs, policy) == words


def test_without_channels_nobody_is_alerted_and_the_reason_says_so() -> None:
    assert reasons("off", channels=()) == ["", *["no alert: no channel configured"] * 2]


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ((), "no alert: no channel configured"),
        (("script",), "no alert: no other channel is configured"),
        (("script", "phone"), "alert"),
    ],
)
def test_a_channel_that_fails_is_announced_by_others_or_the_reason_says_there_are_none(
    channels: tuple[str, ...], words: str
) -> None:
    story = CheckSequence(channels=channels)
    story.subjects = {STEP: story.subjects[STEP]._replace(not_by=("script",))}
    changes = run(story, "f")
    quiet = story.quiet.get(STEP)
    assert (explain_quiet(quiet, story.now) if quiet else "alert") == words
    assert [change.channels for change in changes] == [() if quiet else ("phone",)]
    run(story, "f")
    assert explain_quiet(story.quiet[STEP], story.now) == (words if quiet else SENT.replace("13:15", "13:00"))


ENDS_AT = START + QUARTER


@pytest.mark.parametrize(
    ("policy", "silenced", "words"),
    [
        (None, {"main": ENDS_AT + QUARTER}, 'silenced until 13:30 +0100 (silence "main")'),
        (None, {"all": ENDS_AT}, 'silenced until 13:15 +0100 (silence "all")'),
        (None, {"other": ENDS_AT}, "silence ended: alert due in the next run"),
        (None, {}, "silence ended: alert due in the next run"),
        (PATIENT, {}, "no alert yet: failure 1 of 2"),
        (PATIENT, {"main": ENDS_AT + QUARTER}, "no alert yet: failure 1 of 2 (silenced until 13:30 +0100)"),
    ],
)
def test_a_stored_reason_counts_with_the_silences_of_now(
    policy: Policy | None, silenced: Mapping[str, datetime], words: str
) -> None:
    story = CheckSequence(policy)
    run(story, "F")
    assert explain_quiet(refresh(story.quiet[STEP], story.subjects[STEP], silenced), story.now) == words


POLICIES = st.builds(
    Policy,
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from([None, 1800.0]),
    st.sampled_from([{}, {"warning": ()}, {"error": ("phone",), "warning": ("team",)}]),
)


@given(POLICIES, st.text("owfusbxOWFUSBX", min_size=1, max_size=25))
def test_in_any_history_a_step_that_is_not_healthy_has_one_reason_or_an_alert(policy: Policy, runs: str) -> None:
    story = CheckSequence(policy)
    for letter in runs:
        changes = run(story, letter)
        state, quiet = story.states.get(STEP), story.quiet.get(STEP)
        is_alerted = any(change.channels for change in changes)
        if letter.lower() != "o":  # not well in this run: an alert or a reason, never both
            assert is_alerted != bool(quiet)
        assert state is None or state.quiet == quiet
        if quiet and quiet.reason == QuietReason.SILENCED:
            assert letter.isupper()
        if state and not is_alerted and state.health in (Health.DOWN, Health.DEGRADED, Health.FAILING):
            assert explain(STEP, state, (), story.now)


def pending(errors: Mapping[str, str]) -> list[OutboxEntry]:
    change = Change(STEP, Health.UP, Health.DOWN, START, START, "535 no")
    alert = Alert("1", AlertKind.PROBLEM, "t", "b", START, (change,))
    return [OutboxEntry(alert, channel, error=error) for channel, error in errors.items()]


def test_what_became_of_an_alert_is_explained() -> None:
    story = CheckSequence()
    story.announced("of")
    assert explain(STEP, story.state, (), story.now) == "alert sent at 13:15 +0100"
    assert explain(STEP, story.state, pending({"ntfy": "ntfy did not answer"}), story.now) == (
        "alert pending for ntfy: ntfy did not answer"
    )
    story.announced("f")
    assert explain(STEP, story.state, (), story.now) == SENT
    story.announced("o")
    assert explain(STEP, story.state, (), story.now) == ""


def test_a_reason_of_a_later_version_is_shown_as_it_is() -> None:
    assert explain_quiet(Quiet("maintenance"), START) == "no alert: maintenance"

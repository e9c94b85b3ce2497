"""A failure lasts, or cannot be told from a success: people are reminded of it, and hear when mailmon cannot tell."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults.actions import hours_later
from tests.faults.dsl import Run, Scenario, again, pending, quiet, sent
from tests.faults.runner import Runner, assert_correct, parameters
from tests.faults.test_silences import END, SILENCE

DOWN: dict[str, Any] = {"channels": "down"}
EVERY_RUN: dict[str, Any] = {"reminder_interval": "1s"}
LATER = hours_later(7)

REMINDERS = [
    Scenario("a reminder in every run", [
        Run(expect=quiet), *again(4, f.smtp_refuses, expect=sent("problem")), Run(expect=sent("recovery")),
        Run(expect=quiet),
    ], **EVERY_RUN),
    Scenario("a reminder every six hours", [
        Run(), Run(f.smtp_refuses), *again(2, f.smtp_refuses, expect=quiet),
        Run(f.smtp_refuses, before=[LATER], expect=sent("problem")), Run(f.smtp_refuses, expect=quiet),
        Run(f.smtp_refuses, before=[LATER], expect=sent("problem")), Run(before=[LATER], expect=sent("recovery")),
        Run(before=[LATER], expect=quiet),
    ], reminder_interval="6h"),
    Scenario("reminders of a warning", [
        Run(), *again(3, f.delivers_twice, expect=sent("warning")), Run(expect=sent("recovery")),
    ], **EVERY_RUN),
    Scenario("reminders while nobody can be told are one", [
        Run(), Run(f.smtp_refuses), *again(3, f.smtp_refuses, expect=pending("problem"), **DOWN),
        Run(f.smtp_refuses, expect=sent("problem")), Run(),
    ], **EVERY_RUN),
    Scenario("a reminder that could not be told is none when it is over", [
        Run(), Run(f.smtp_refuses), *again(2, f.smtp_refuses, **DOWN), Run(expect=pending("recovery"), **DOWN),
        Run(expect=sent("recovery")), Run(),
    ], **EVERY_RUN),
    Scenario("of what was never told people need no reminder", [
        Run(), *again(3, f.smtp_refuses, expect=pending("problem"), **DOWN), Run(expect=sent("merged")), Run(),
    ], **EVERY_RUN),
    Scenario("of what was skipped nobody is reminded", [
        Run(), *again(2, f.loses_mail), *again(2, f.smtp_refuses), Run(f.loses_mail), Run(expect=sent("recovery")),
    ], **EVERY_RUN),
    Scenario("nobody is reminded within a silence", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[SILENCE], expect=quiet),
        Run(f.smtp_refuses, before=[END], expect=sent("problem")), Run(),
    ], **EVERY_RUN),
    Scenario("nobody is reminded of what begins to work", [
        Run(), Run(f.smtp_refuses), Run(expect=quiet), Run(f.smtp_refuses, expect=sent("problem")), Run(expect=quiet),
        Run(expect=sent("recovery")),
    ], success_threshold=2, **EVERY_RUN),
    Scenario("a reminder whose acknowledgement is lost", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, channels="ack lost"), Run(), Run(expect=quiet),
    ], **EVERY_RUN),
]  # fmt: skip

UNKNOWN = [
    Scenario("mailmon cannot tell for two runs", [
        Run(), *again(2, f.cannot_tell, expect=quiet), *again(2, expect=quiet),
        *again(2, f.cannot_tell, expect=quiet), Run(expect=quiet),
    ], "full"),
    Scenario("mailmon cannot tell for five runs", [
        Run(), *again(2, f.cannot_tell, expect=quiet), Run(f.cannot_tell, expect=sent("warning"), exit_code=75),
        *again(2, f.cannot_tell, expect=quiet), Run(expect=sent("recovery")), Run(expect=quiet),
    ], "full"),
    Scenario("mailmon cannot tell from the very first run", [
        *again(4, f.cannot_tell), Run(expect=sent("recovery")), Run(),
    ], "full"),
    Scenario("mailmon cannot tell whether it is still down, and it is", [
        Run(), Run(f.smtp_refuses), *again(4, f.cannot_tell), Run(f.smtp_refuses, expect=sent("problem")),
        Run(f.smtp_refuses, expect=quiet), Run(expect=sent("recovery")),
    ], "full"),
    Scenario("mailmon cannot tell whether it is still down, and it is not", [
        Run(), Run(f.smtp_refuses), *again(3, f.cannot_tell), Run(expect=sent("recovery")), Run(),
    ], "full"),
    Scenario("mailmon cannot tell for a moment whether it is still down", [
        Run(), Run(f.smtp_refuses), *again(2, f.cannot_tell, expect=quiet), Run(f.smtp_refuses, expect=quiet),
        Run(f.cannot_tell, expect=quiet), Run(expect=sent("recovery")),
    ], "full"),
    Scenario("mailmon cannot tell, and nobody can be told", [
        Run(), *again(2, f.cannot_tell), *again(2, f.cannot_tell, expect=pending("warning"), **DOWN),
        Run(expect=sent("merged")), Run(),
    ], "full"),
    Scenario("mailmon cannot tell, then mail fails, and nobody can be told", [
        Run(), *again(3, f.cannot_tell, **DOWN), Run(f.smtp_refuses, **DOWN),
        Run(f.smtp_refuses, expect=sent("merged")), Run(expect=sent("recovery")),
    ], "full"),
    Scenario("mailmon cannot tell, then mail is lost", [
        Run(), Run(f.loses_mail), *again(3, f.cannot_tell), Run(f.loses_mail), Run(f.loses_mail), Run(), Run(),
    ], "full"),
    Scenario("mailmon cannot tell by reminder", [
        Run(), *again(5, f.cannot_tell), Run(), Run(),
    ], "full", **EVERY_RUN),
]  # fmt: skip

SCENARIOS = [*REMINDERS, *UNKNOWN]


@pytest.mark.parametrize("scenario", parameters(REMINDERS))
def test_people_are_reminded_of_what_lasts(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))


@pytest.mark.parametrize("scenario", parameters(UNKNOWN))
def test_what_cannot_be_told_is_told_as_such(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))

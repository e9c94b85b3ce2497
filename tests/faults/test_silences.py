"""Nothing is told of what is silenced; afterwards everything that still matters is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults.actions import silence_ended, silenced
from tests.faults.dsl import Run, Scenario, again, quiet, sent
from tests.faults.runner import Runner, assert_correct, parameters

SILENCE, END = silenced("main"), silence_ended("main")
ALL, END_ALL = silenced("all"), silence_ended("all")
DOWN: dict[str, Any] = {"channels": "down"}

SCENARIOS = [
    Scenario("a silence that begins while down, and it stays down", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[SILENCE], expect=quiet),
        Run(f.smtp_refuses, expect=quiet),
        Run(f.smtp_refuses, before=[END], expect=quiet), Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("a silence that begins while down, and it works again meanwhile", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, before=[SILENCE]), Run(expect=quiet), Run(expect=quiet),
        Run(before=[END], expect=sent("recovery")), Run(),
    ]),
    Scenario("it fails and works again within a silence", [
        Run(), Run(before=[SILENCE]), *again(2, f.loses_mail, expect=quiet), Run(expect=quiet),
        Run(before=[END], expect=quiet),
    ]),
    Scenario("it fails within a silence and is still down after it", [
        Run(), Run(before=[SILENCE]), *again(2, f.loses_mail, expect=quiet),
        Run(f.loses_mail, before=[END], expect=sent("problem")),
        Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("the cause changes within a silence", [
        Run(), Run(f.rcpt_450), Run(f.rcpt_550, before=[SILENCE], expect=quiet),
        Run(f.rcpt_550, before=[END], expect=sent("problem")), Run(expect=sent("recovery")),
    ]),
    Scenario("it works again and fails anew within a silence", [
        Run(), Run(f.smtp_refuses), Run(before=[SILENCE], expect=quiet), Run(f.smtp_refuses, expect=quiet),
        Run(f.smtp_refuses, before=[END], expect=quiet), Run(expect=sent("recovery")),
    ]),
    Scenario("a silence begins while an alert waits", [
        Run(), Run(f.smtp_refuses, **DOWN), Run(f.smtp_refuses, before=[SILENCE]), Run(f.smtp_refuses),
        Run(f.smtp_refuses, before=[END], expect=sent("problem")), Run(expect=sent("recovery")),
    ]),
    Scenario("a silence begins while an alert waits, and it works again meanwhile", [
        Run(), Run(f.smtp_refuses, **DOWN), Run(before=[SILENCE]), Run(),
        Run(before=[END], expect=sent("merged")), Run(),
    ]),
    Scenario("the end of a silence cannot be told", [
        Run(), Run(before=[SILENCE]), Run(f.loses_mail), Run(f.loses_mail, before=[END], **DOWN),
        Run(expect=sent("merged")),
    ]),
    Scenario("everything is silenced", [
        Run(), Run(f.smtp_refuses, before=[ALL], expect=quiet), Run(f.loses_mail, expect=quiet),
        Run(f.loses_mail, before=[END_ALL], expect=sent("problem")), Run(),
    ]),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_a_silence_hides_nothing_for_ever(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))

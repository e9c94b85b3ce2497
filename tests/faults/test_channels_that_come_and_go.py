"""A channel is renamed, added, taken away, or missing from a run: who heard of a failure hears of its end, and once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults.dsl import Run, Scenario, again, pending, quiet, sent
from tests.faults.runner import Runner, assert_correct, parameters

TWO = ("webhook", "webhook2")
NONE: dict[str, Any] = {"channels": "gone"}
DOWN: dict[str, Any] = {"channels": "down"}
# Under its old name and under its new one.
OLD: dict[str, Any] = {"channels": {"webhook2": "gone"}}
NEW: dict[str, Any] = {"channels": {"webhook": "gone"}}

SCENARIOS = [
    Scenario("runs without any channel while all is well", [
        Run(), *again(2, **NONE), Run(expect=quiet), Run(f.smtp_refuses, expect=sent("problem")), Run(),
    ]),
    Scenario("it fails in a run without any channel", [
        Run(), Run(f.smtp_refuses, **NONE), Run(f.smtp_refuses, expect=sent("problem")),
        Run(f.smtp_refuses, expect=quiet), Run(expect=sent("recovery")),
    ]),
    Scenario("it fails and works again in runs without any channel", [
        Run(), *again(2, f.smtp_refuses, **NONE), Run(**NONE), Run(expect=quiet),
    ]),
    Scenario("it works again in a run without any channel", [
        Run(), Run(f.smtp_refuses), Run(**NONE), Run(expect=sent("recovery")), Run(expect=quiet),
    ]),
    Scenario("the cause changes in a run without any channel", [
        Run(), Run(f.rcpt_450), Run(f.rcpt_550, **NONE), Run(f.rcpt_550, expect=sent("problem")),
        Run(expect=sent("recovery")),
    ]),
    Scenario("an alert waits, then there is no channel", [
        Run(), Run(f.smtp_refuses, **DOWN), Run(f.smtp_refuses, **NONE), Run(f.smtp_refuses, expect=sent("problem")),
        Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("an end waits, then there is no channel", [
        Run(), Run(f.smtp_refuses), Run(expect=pending("recovery"), **DOWN), *again(2, **NONE),
        Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("there is no channel for three runs, of two", [
        Run(), *again(3, f.smtp_refuses, **NONE), Run(f.smtp_refuses, expect=sent("problem")), Run(), Run(),
    ], channels=TWO),
    Scenario("both channels are down for three runs, and mail works again", [
        Run(), *again(2, f.loses_mail, **DOWN), Run(**DOWN), Run(expect=sent("merged")), Run(expect=quiet),
    ], channels=TWO),
    Scenario("both channels are down for three runs, and only one comes back at first", [
        Run(), *again(3, f.smtp_refuses, **DOWN), *again(2, f.smtp_refuses, channels={"webhook2": "down"}),
        Run(f.smtp_refuses), Run(), Run(),
    ], channels=TWO),
    Scenario("a channel is missing from the run in which mail fails", [
        Run(), Run(f.smtp_refuses, **OLD), Run(f.smtp_refuses, expect=quiet), Run(expect=sent("recovery")), Run(),
    ], channels=TWO),
    Scenario("a channel is missing from the run in which mail works again", [
        Run(), Run(f.smtp_refuses), Run(expect=sent("recovery"), **OLD), Run(expect=quiet), Run(f.loses_mail), Run(),
    ], channels=TWO),
    Scenario("a channel is missing from a run in between", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, **OLD), Run(f.smtp_refuses, expect=quiet),
        Run(expect=sent("recovery")), Run(),
    ], channels=TWO),
    Scenario("a channel is missing from the run in which the cause changes", [
        Run(), Run(f.rcpt_450), Run(f.rcpt_550, **OLD), Run(f.rcpt_550, expect=quiet), Run(expect=sent("recovery")),
    ], channels=TWO),
    Scenario("a channel that does not take its alert is missing from a run", [
        Run(), *again(2, f.smtp_refuses, channels={"webhook2": "down"}), Run(f.smtp_refuses, **OLD),
        Run(f.smtp_refuses), Run(), Run(),
    ], channels=TWO),
    Scenario("a channel whose trouble is known is missing from a run", [
        Run(), Run(f.smtp_refuses, channels={"webhook2": "403"}), Run(f.smtp_refuses, **OLD),
        Run(f.smtp_refuses, channels={"webhook2": "403"}), Run(f.smtp_refuses), Run(), Run(),
    ], channels=TWO),
    Scenario("a channel is renamed while mail is down", [
        Run(**OLD), Run(f.smtp_refuses, **OLD), Run(f.smtp_refuses, **NEW), Run(f.smtp_refuses, expect=quiet, **NEW),
        Run(**NEW), Run(**NEW),
    ], channels=TWO),
    Scenario("a channel is renamed while its alert waits", [
        Run(**OLD), Run(f.smtp_refuses, channels={"webhook": "down", "webhook2": "gone"}), Run(f.smtp_refuses, **NEW),
        Run(f.smtp_refuses, expect=quiet, **NEW), Run(**NEW), Run(**NEW),
    ], channels=TWO),
    Scenario("a channel is renamed while an end waits for it", [
        Run(**OLD), Run(f.smtp_refuses, **OLD), Run(channels={"webhook": "down", "webhook2": "gone"}),
        *again(2, **NEW),
    ], channels=TWO),
    Scenario("a channel is added while mail is down", [
        Run(**OLD), Run(f.smtp_refuses, **OLD), Run(f.smtp_refuses, expect=quiet), Run(expect=sent("recovery")),
        Run(f.smtp_refuses), Run(),
    ], channels=TWO),
    Scenario("the other channel's trouble ends, begins and ends before it can be told", [
        Run(), Run(f.smtp_refuses, channels={"webhook2": "403"}), Run(f.smtp_refuses, channels={"webhook": "down"}),
        Run(channels={"webhook": "down", "webhook2": "403"}), Run(channels={"webhook": "down"}), Run(), Run(),
    ], channels=TWO),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_who_heard_of_it_hears_of_its_end(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))

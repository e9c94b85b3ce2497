"""The clock is set: what is remembered moves along, nothing is told because of it, and the times that are told hold."""

from __future__ import annotations

import pytest

from tests.faults import faults as f
from tests.faults.actions import hours_later
from tests.faults.clock import FAKETIME
from tests.faults.disk import MOUNTS, disk_full, no_longer_full, small_disk
from tests.faults.dsl import DAY_S, HOUR_S, MINUTE_S, Run, Scenario, again, pending, quiet, sent
from tests.faults.runner import Runner, assert_correct, parameters


def _while_down(name: str, clock_s: float) -> Scenario:
    return Scenario(f"the clock is set {name} while mail is down", [
        Run(), Run(f.smtp_refuses), *again(2, f.smtp_refuses, clock_s=clock_s, expect=quiet),
        Run(clock_s=clock_s, expect=sent("recovery")), Run(clock_s=clock_s, expect=quiet), Run(expect=quiet),
    ], needs=(FAKETIME,))  # fmt: skip


SCENARIOS = [
    *[_while_down(name, clock_s) for name, clock_s in (
        ("forward by a day", DAY_S), ("forward by a month", 30 * DAY_S), ("back by 20 hours", -20 * HOUR_S),
        ("forward by 20 seconds", 20.0), ("back by 20 seconds", -20.0),
    )],
    Scenario("the clock jumps about while all is well", [
        Run(clock_s=clock_s, expect=quiet) for clock_s in (0.0, DAY_S, -HOUR_S, 40 * DAY_S, 0.0, -20 * HOUR_S, MINUTE_S)
    ], needs=(FAKETIME,)),
    Scenario("the clock is set forward while an alert waits", [
        Run(), Run(f.loses_mail, channels="down"),
        Run(f.loses_mail, clock_s=DAY_S, channels="down", expect=pending("problem")),
        Run(f.loses_mail, clock_s=DAY_S), Run(clock_s=DAY_S), Run(clock_s=DAY_S, expect=quiet),
    ], needs=(FAKETIME,)),
    Scenario("the clock is set back while an alert waits, and mail works again", [
        Run(), Run(f.loses_mail, channels="down"), Run(clock_s=-5 * HOUR_S, expect=sent("merged")),
        Run(clock_s=-5 * HOUR_S),
    ], needs=(FAKETIME,)),
    Scenario("the clock is set between the failures that count", [
        Run(), Run(f.loses_mail, expect=quiet), Run(f.loses_mail, clock_s=3 * DAY_S, expect=sent("problem")),
        Run(clock_s=3 * DAY_S), Run(clock_s=3 * DAY_S),
    ], "full", needs=(FAKETIME,)),
    *[Scenario(f"the clock is set {way} while the disk is full", [
        Run(), Run(f.smtp_refuses), *again(2, f.smtp_refuses, disk_full, clock_s=clock_s, expect=quiet),
        Run(disk_full, clock_s=clock_s, expect=sent("recovery")), Run(disk_full, clock_s=clock_s, expect=quiet),
        Run(before=[no_longer_full], expect=quiet), Run(f.smtp_refuses, clock_s=clock_s), Run(clock_s=clock_s),
    ], setup=small_disk, needs=(FAKETIME, MOUNTS)) for way, clock_s in (("forward", DAY_S), ("back", -20 * HOUR_S))],
    *[Scenario(f"the channel asks to wait for an hour, and the clock is set {way}", [
        Run(), Run(f.smtp_refuses, channels="in an hour", expect=pending("problem")),
        Run(f.smtp_refuses, channels="resting", clock_s=clock_s, expect=pending("problem")),
        Run(f.smtp_refuses, channels="resting", clock_s=clock_s, expect=pending("problem"), exit_code=69),
        Run(f.smtp_refuses, before=[hours_later(1.1)], clock_s=clock_s, expect=sent("problem")),
        Run(channels="in an hour", expect=pending("recovery")), Run(before=[hours_later(2)], expect=sent("recovery")),
    ], needs=(FAKETIME,)) for way, clock_s in (("forward", DAY_S), ("back", -20 * HOUR_S))],
    Scenario("the clock is set while reminders are due every six hours", [
        Run(), Run(f.smtp_refuses), *again(2, f.smtp_refuses, clock_s=DAY_S, expect=quiet),
        Run(f.smtp_refuses, clock_s=DAY_S, before=[hours_later(7)], expect=sent("problem")),
        Run(f.smtp_refuses, clock_s=-HOUR_S, expect=quiet), Run(clock_s=-HOUR_S, expect=sent("recovery")), Run(),
    ], reminder_interval="6h", needs=(FAKETIME,)),
    Scenario("mail is lost while the clock jumps", [
        Run(), Run(f.is_late), Run(f.is_late, clock_s=2 * DAY_S), Run(clock_s=2 * DAY_S),
        Run(clock_s=2 * DAY_S, expect=quiet),
        Run(expect=quiet),
    ], needs=(FAKETIME,)),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_a_clock_that_is_set_tells_nothing_by_itself(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))

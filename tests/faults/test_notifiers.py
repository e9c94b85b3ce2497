"""A channel does not take its alerts: nothing is lost, what is late is told in one message, the others hear of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults.actions import pause
from tests.faults.dsl import Run, Scenario, again, pending, quiet, sent
from tests.faults.harness import Harness
from tests.faults.runner import Runner, assert_correct, parameters
from tests.full import sample

DOWN: dict[str, Any] = {"channels": "down"}
TWO = ("webhook", "webhook2")


def _down_for(count: int) -> Scenario:
    """The mail server stays down while nobody can be told of it."""
    unheard = [Run(f.smtp_refuses, channels="down", expect=pending("problem"), exit_code=69 if n >= 2 else 1)
               for n in range(count)]  # fmt: skip
    heard = [Run(f.smtp_refuses, expect=sent("problem")), Run(f.smtp_refuses, expect=quiet)]
    return Scenario(
        f"nobody can be told for {count} runs", [Run(), *unheard, *heard, Run(expect=sent("recovery")), Run()]
    )


def _over_before_it_is_told(count: int) -> Scenario:
    """The failure ends while nobody can be told: one message tells both."""
    later = again(count - 1, channels="down", expect=pending("merged"))
    runs = [Run(), Run(f.loses_mail, channels="down", expect=pending("problem")), *later, Run(expect=sent("merged"))]
    return Scenario(f"over before it is told, after {count} runs", [*runs, Run(expect=quiet)])


def _answers_slowly(harness: Harness) -> None:
    harness.monitor.config["deadline_s"] = 31.5


SCENARIOS = [
    *[_down_for(count) for count in sample(range(1, 11), 4)],
    *[_over_before_it_is_told(count) for count in sample((1, 2, 4), 2)],
    Scenario("down, up, down while nobody can be told", [
        Run(), Run(f.smtp_refuses, **DOWN), Run(**DOWN), Run(f.smtp_refuses, **DOWN),
        Run(f.smtp_refuses, expect=sent("merged")), Run(expect=sent("recovery")),
    ]),
    Scenario("flapping while nobody can be told", [
        Run(), *[run for _ in range(4) for run in (Run(f.loses_mail, **DOWN), Run(**DOWN))], Run(expect=sent("merged")),
        Run(expect=quiet),
    ]),
    *[Scenario(f"{2 * count} changes while nobody can be told", [
        Run(), *[run for _ in range(count) for run in (Run(f.smtp_refuses, **DOWN), Run(**DOWN))],
        Run(f.smtp_refuses, expect=sent("merged")), Run(f.smtp_refuses, expect=quiet), Run(expect=sent("recovery")),
    ]) for count in sample((8, 6), 1)],
    Scenario("the cause changes while nobody can be told", [
        Run(), Run(f.rcpt_450, **DOWN), Run(f.rcpt_550, **DOWN), Run(f.rcpt_550, expect=sent("problem")),
        Run(f.rcpt_450, expect=quiet), Run(expect=sent("recovery")),
    ]),
    Scenario("told, then its end cannot be told", [
        Run(), Run(f.smtp_refuses, expect=sent("problem")), Run(expect=pending("recovery"), **DOWN),
        Run(expect=pending("recovery"), **DOWN), Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("told, and the next failure begins before its end could be told", [
        Run(), Run(f.smtp_refuses), Run(**DOWN), Run(f.smtp_refuses, **DOWN),
        Run(f.smtp_refuses, expect=sent("merged")),
        Run(),
    ]),
    Scenario("one thing fails after the other while nobody can be told", [
        Run(), Run(f.loses_mail, **DOWN), Run(f.smtp_refuses, **DOWN), Run(f.both_refuse, **DOWN), Run(f.both_refuse),
        Run(),
    ]),
    Scenario("the channel answers 500", [
        Run(), Run(f.smtp_refuses, channels="500"), Run(f.smtp_refuses, channels="500"), Run(f.smtp_refuses), Run(),
    ]),
    Scenario("the channel refuses, and there is no other", [
        Run(), Run(f.smtp_refuses, channels="403", exit_code=69), Run(f.smtp_refuses, channels="404", exit_code=69),
        Run(f.smtp_refuses, expect=sent("problem"), exit_code=1), Run(expect=sent("recovery")),
    ]),
    Scenario("the channel is slow", [Run(), Run(f.smtp_refuses, channels="slow", expect=sent("problem")),
                                    Run(f.smtp_refuses), Run(channels="slow", expect=sent("recovery")), Run()]),
    Scenario("the channel says 429 and takes it a second later", [
        Run(), Run(f.smtp_refuses, channels="busy", expect=sent("problem")), Run(f.smtp_refuses),
        Run(channels="busy", expect=sent("recovery")), Run(),
    ]),
    Scenario("the channel hangs", [
        Run(), Run(f.smtp_refuses, channels="hanging", expect=pending("problem")), Run(f.smtp_refuses), Run(),
    ], setup=_answers_slowly),
    Scenario("the channel is up in every second run", [
        Run(), Run(f.loses_mail, **DOWN), Run(), Run(f.loses_mail, **DOWN), Run(f.loses_mail), Run(**DOWN), Run(),
        Run(f.smtp_refuses, **DOWN), Run(f.smtp_refuses), Run(**DOWN), Run(),
    ]),
    Scenario("the acknowledgement of a failure is lost", [
        Run(), Run(f.smtp_refuses, channels="ack lost"), Run(f.smtp_refuses), Run(f.smtp_refuses, expect=quiet),
        Run(), Run(),
    ]),
    Scenario("the acknowledgements of a failure and of its end are lost", [
        Run(), Run(f.loses_mail, channels="ack lost"), Run(channels="ack lost"), Run(), Run(expect=quiet),
    ]),
    Scenario("one of two channels is down", [
        Run(), *again(5, f.smtp_refuses, channels={"webhook2": "down"}), Run(f.smtp_refuses), Run(), Run(),
    ], channels=TWO),
    Scenario("one of two channels refuses", [
        Run(), Run(f.smtp_refuses, channels={"webhook2": "403"}, exit_code=69),
        *again(3, f.smtp_refuses, channels={"webhook2": "403"}, exit_code=69, expect=quiet), Run(f.smtp_refuses), Run(),
    ], channels=TWO),
    Scenario("one of two channels refuses until after the failure", [
        Run(), Run(f.loses_mail, channels={"webhook2": "404"}), Run(channels={"webhook2": "404"}), Run(), Run(),
    ], channels=TWO),
    Scenario("two channels fail by turns", [
        Run(), Run(f.smtp_refuses, channels={"webhook": "down"}), Run(channels={"webhook2": "down"}), Run(),
        Run(f.smtp_refuses, channels={"webhook2": "down"}), Run(f.smtp_refuses), Run(), Run(),
    ], channels=TWO),
    Scenario("both of two channels are down for long", [
        Run(), *again(4, f.smtp_refuses, **DOWN), Run(f.smtp_refuses), Run(), Run(),
    ], channels=TWO),
    Scenario("ntfy is down, the webhook is not", [
        Run(), *again(2, f.loses_mail, channels={"ntfy": "down"}), Run(channels={"ntfy": "down"}), Run(), Run(),
    ], channels=("webhook", "ntfy")),
    *[Scenario(f"ntfy, {mode}", [
        Run(), *again(count, f.smtp_refuses, channels=mode), Run(f.smtp_refuses), Run(), Run(),
    ], channels=("ntfy",))
      for mode, count in sample((("down", 3), ("500", 2), ("403", 2), ("slow", 1), ("busy", 1), ("ack lost", 1)), 3)],
    Scenario("ntfy is down while mail fails and works again", [
        Run(), Run(f.smtp_refuses, **DOWN), Run(**DOWN), Run(expect=sent("recovery")), Run(),
    ], channels=("ntfy",)),
    Scenario("the channel says when to come back", [
        Run(), Run(f.smtp_refuses, channels="later", expect=pending("problem")),
        Run(f.smtp_refuses, before=[pause(4)], expect=sent("problem")), Run(), Run(),
    ]),
    Scenario("a channel that has not taken its alert is removed", [
        Run(), *again(2, f.smtp_refuses, channels={"webhook2": "down"}),
        *[Run(*faults, channels={"webhook2": "gone"}) for faults in ((f.smtp_refuses,), (), ())],
    ], channels=TWO),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_no_alert_is_lost_on_its_way(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))

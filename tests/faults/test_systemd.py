"""systemd starts `mailmon notify unit-failed` when a run has failed: it tells what no run could tell, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults import faults as f
from tests.faults import network as n
from tests.faults.disk import MOUNTS, disk_full, no_longer_full, small_disk
from tests.faults.dsl import Kill, Run, Scenario, pending, quiet, sent
from tests.faults.runner import Runner, assert_correct, parameters
from tests.faults.test_silences import ALL, END_ALL

DOWN: dict[str, Any] = {"channels": "down"}
FOUND_IT = Run(unit="1")
KILLED = Run(kill=Kill(0.1))

SCENARIOS = [
    Scenario("OnFailure after every run that found something", [
        Run(), Run(f.smtp_refuses), FOUND_IT, Run(f.smtp_refuses, expect=quiet), FOUND_IT, Run(f.both_refuse), FOUND_IT,
        Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("OnFailure while the alert of the run waits", [
        Run(), Run(f.smtp_refuses, **DOWN), FOUND_IT, Run(f.smtp_refuses, **DOWN), FOUND_IT,
        Run(f.smtp_refuses, **DOWN), Run(unit="69"), Run(f.smtp_refuses, expect=sent("problem")), FOUND_IT,
        Run(),
    ]),
    Scenario("OnFailure after every run without a network", [
        Run(), *[run for _ in range(2) for run in (Run(n.no_network, **DOWN), Run(unit="75"))],
        Run(expect=sent("merged")), Run(),
    ], needs=(n.NAMESPACES,)),
    Scenario("OnFailure after killed runs", [
        Run(), KILLED, Run(unit="KILL", expect=sent("problem")), KILLED, Run(unit="KILL", expect=quiet),
        Run(expect=sent("recovery")), Run(expect=quiet), KILLED, Run(unit="TERM", expect=sent("problem")), Run(),
    ]),
    Scenario("OnFailure after a bug", [
        Run(), Run(unit="70", expect=sent("problem")), Run(unit="70", expect=quiet),
        Run(names=("main",), expect=quiet), Run(expect=sent("recovery")), Run(expect=quiet),
    ]),
    Scenario("OnFailure after a bug, before any run has ended", [
        Run(unit="70", expect=sent("problem")), Run(unit="70", expect=quiet), Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("OnFailure while nobody can be told", [
        Run(), Run(unit="70", expect=pending("problem"), **DOWN), Run(unit="70", expect=pending("problem"), **DOWN),
        Run(expect=sent("merged")), Run(expect=quiet),
    ]),
    Scenario("OnFailure while mail is down", [
        Run(), Run(f.smtp_refuses), Run(f.smtp_refuses, kill=Kill(0.1)), Run(unit="KILL", expect=sent("problem")),
        Run(f.smtp_refuses, expect=sent("recovery")), Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("OnFailure tells what waits, too", [
        Run(), Run(f.smtp_refuses, **DOWN), Run(unit="KILL", expect=sent("problem")), Run(f.smtp_refuses), Run(), Run(),
    ]),
    Scenario("OnFailure while everything is silenced", [
        Run(), Run(unit="70", before=[ALL], expect=quiet), Run(unit="70", expect=quiet),
        Run(unit="70", before=[END_ALL], expect=sent("problem")), Run(expect=sent("recovery")), Run(),
    ]),
    Scenario("OnFailure on a full disk", [
        Run(), Run(f.smtp_refuses, disk_full), Run(disk_full, unit="74", expect=sent("problem")),
        Run(f.smtp_refuses, disk_full, expect=quiet), Run(disk_full, unit="74", expect=quiet),
        Run(disk_full, expect=sent("recovery")), Run(disk_full, unit="74", expect=quiet),
        Run(before=[no_longer_full], expect=sent("recovery")), Run(expect=quiet),
    ], setup=small_disk, needs=(MOUNTS,)),
    Scenario("OnFailure, one of two channels is down", [
        Run(), Run(unit="70", channels={"webhook2": "down"}), Run(channels={"webhook2": "down"}), Run(), Run(),
    ], channels=("webhook", "webhook2")),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_a_failed_unit_is_told_once(scenario: Scenario, runner: Runner) -> None:
    assert_correct(runner.result_of(scenario))

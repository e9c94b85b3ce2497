"""The same with real Postfix and Dovecot."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bed import Bed
from tests.faults import faults as f
from tests.faults.dsl import Fault, Run, Scenario, again, pending, quiet, sent
from tests.faults.faults import failed
from tests.faults.harness import Harness
from tests.faults.runner import Runner, assert_correct, parameters

pytestmark = pytest.mark.bed


def _to(local_part: str, **hits: str) -> Fault:
    def inject(harness: Harness) -> None:
        harness.monitor.config["routes"]["main"]["to"] = f"{local_part}@mail.test"

    return Fault(f"to {local_part}", inject, {check: failed(cause) for check, cause in hits.items()})


greylists, rejects = _to("monitor+grey", send="450"), _to("reject", send="550")
swallows, bounces = _to("monitor+blackhole", receive="lost"), _to("bounce", receive="bounced")
DOWN: dict[str, Any] = {"channels": "down"}
ON: dict[str, Any] = {"form": "full", "on": "bed"}

SCENARIOS = [
    Scenario("real: a greylisted mail is not told, two are", [
        Run(expect=quiet), Run(greylists, expect=quiet), Run(expect=quiet), Run(greylists),
        Run(greylists, expect=sent("problem")),
        Run(rejects, expect=sent("problem")), Run(expect=sent("recovery")), Run(),
    ], **ON),
    Scenario("real: mail is swallowed while nobody can be told", [
        Run(), Run(swallows, expect=quiet), *again(3, swallows, expect=pending("problem"), **DOWN),
        Run(expect=sent("merged")),
        Run(expect=quiet),
    ], **ON),
    Scenario("real: both ports are closed, then mail bounces", [
        Run(), Run(f.smtp_closed, f.imap_closed), *again(2, bounces), Run(), Run(),
    ], **ON),
    Scenario("real: flapping port", [run for _ in range(3) for run in (Run(f.imap_closed), Run())], **ON),
]  # fmt: skip


@pytest.mark.parametrize("scenario", parameters(SCENARIOS))
def test_a_person_can_trust_it_with_real_servers(scenario: Scenario, runner: Runner, bed: Bed) -> None:
    bed.reset()
    assert_correct(runner.result_of(scenario, bed))

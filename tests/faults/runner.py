"""Runs scenarios side by side, since a run mostly waits, and scores each one."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests.bed import Bed
from tests.faults.dsl import NETWORK, UNIT, Scenario
from tests.faults.expectations import check_recording, expected_changes
from tests.faults.harness import Harness
from tests.faults.naive import run_naive
from tests.faults.oracle import changes_of
from tests.faults.outbox_model import Dropped
from tests.faults.recorder import Recording
from tests.faults.scoring import Tally, score_channel, score_kinds

# More than there are cores: most runs wait for a server or a channel that does not answer.
WORKERS = 6


class Result(NamedTuple):
    """The result of a scenario: the signals that ended runs, the problems, and the figures of both monitors."""

    scenario: Scenario
    runs: int
    kills: list[str]
    problems: list[str]
    tally: Tally
    naive: Tally

    @property
    def is_correct(self) -> bool:
        """Report whether mailmon did everything right."""
        return not self.problems and self.tally.is_correct


def run_scenario(scenario: Scenario, bed: Bed | None = None) -> Result:
    """Execute a scenario from its first run to its last, and score it."""
    with Harness(scenario, bed) as harness:
        for run in scenario.runs:
            harness.execute(run)
        recording = Recording(scenario, harness.records)
    problems, tally, dropped = check_recording(recording)
    # A signal that comes too late ends nothing.
    kills = [signal.Signals(-record.exit_code).name for record in recording.records if record.exit_code < 0]
    return Result(scenario, len(recording.records), kills, problems, tally, score_naive(recording, dropped))


def score_naive(recording: Recording, dropped: Dropped) -> Tally:
    """Score the naive monitor, which need not announce anything about the network and its channels."""
    messages, records = run_naive(recording)
    changes = [c for c in changes_of(recording.scenario, records) if not c.step.startswith((NETWORK, UNIT))]
    tallies = []
    for channel in recording.scenario.channels:
        score = score_kinds if channel.startswith("ntfy") else score_channel
        about = expected_changes(channel, changes, dropped)
        tallies.append(score(about, [message for message in messages if message.channel == channel]).tally)
    return sum(tallies, Tally())


class Runner:
    """Runs scenarios in a few threads; those on real servers one after the other, when their result is asked for."""

    def __init__(self, scenarios: Iterable[Scenario]) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, "scenario")
        fit = [scenario for scenario in scenarios if scenario.on == "sandbox" and not missing(scenario)]
        # The longest first, so that none of them runs alone at the end.
        fit.sort(key=_length, reverse=True)
        self._futures: dict[str, Future[Result]] = {h.name: self._pool.submit(run_scenario, h) for h in fit}
        self.results: list[Result] = []

    def result_of(self, scenario: Scenario, bed: Bed | None = None) -> Result:
        """Return the result of a scenario."""
        if lacking := missing(scenario):
            pytest.skip(lacking)
        future = self._futures.get(scenario.name)
        result = future.result() if future else run_scenario(scenario, bed)
        self.results.append(result)
        return result

    def close(self) -> None:
        """Start no more scenarios."""
        self._pool.shutdown(cancel_futures=True)


def _length(scenario: Scenario) -> float:
    """Estimate how many seconds a scenario takes: a channel that does not answer is retried within the run."""
    seconds = {"up": 0.4, "hanging": 30.0}
    return sum(max(seconds.get(run.mode(name), 2.0) for name in scenario.channels) for run in scenario.runs)


def missing(scenario: Scenario) -> str:
    """Return what this machine lacks for a scenario, "" if nothing."""
    return next(filter(None, (need.lacking for need in scenario.needs)), "")


def assert_correct(result: Result) -> None:
    """Fail if an alert was lost, false or duplicated, or a record differs from the oracle."""
    assert not result.problems, "\n".join([result.scenario.name, *result.problems])
    assert result.tally.is_correct, result.tally


def parameters(scenarios: Sequence[Scenario]) -> list[Any]:
    """Return scenarios as pytest parameters; those marked as broken are expected to fail."""
    return [
        pytest.param(scenario, id=scenario.name, marks=[pytest.mark.xfail(reason=scenario.broken, strict=True)])
        if scenario.broken
        else pytest.param(scenario, id=scenario.name)
        for scenario in scenarios
    ]

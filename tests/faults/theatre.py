"""How are many histories played, and each one judged? Side by side, since a run mostly waits."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from tests.bed import Bed
from tests.faults.demands import demand, owed
from tests.faults.judge import Tally, judge_channel, judge_kinds
from tests.faults.language import SIGHT, UNIT, History
from tests.faults.naive import play_naive
from tests.faults.post import Cut
from tests.faults.records import Played
from tests.faults.stage import Stage
from tests.faults.truth import changes_of

# More than there are cores: most runs wait for a server or a channel that does not answer.
WORKERS = 6


class Performance(NamedTuple):
    """What became of a history: the signals that ended runs, what was wrong, and the figures of both monitors."""

    history: History
    runs: int
    kills: list[str]
    problems: list[str]
    tally: Tally
    naive: Tally

    @property
    def is_right(self) -> bool:
        """Say whether everything went as it must."""
        return not self.problems and self.tally.is_right


def play(history: History, bed: Bed | None = None) -> Performance:
    """Play a history from its first run to its last, and judge it."""
    with Stage(history, bed) as stage:
        for run in history.runs:
            stage.play(run)
        played = Played(history, stage.records)
    problems, tally, cut = demand(played)
    # A signal that comes too late ends nothing.
    kills = [signal.Signals(-record.exit_code).name for record in played.records if record.exit_code < 0]
    return Performance(history, len(played.records), kills, problems, tally, judge_naive(played, cut))


def judge_naive(played: Played, cut: Cut) -> Tally:
    """Judge the naive monitor; of its own sight and of its channels it need not tell anybody."""
    messages, records = play_naive(played)
    changes = [change for change in changes_of(played.history, records) if not change.step.startswith((SIGHT, UNIT))]
    tallies = []
    for channel in played.history.channels:
        judge = judge_kinds if channel.startswith("ntfy") else judge_channel
        about = owed(channel, changes, cut)
        tallies.append(judge(about, [message for message in messages if message.channel == channel]).tally)
    return sum(tallies, Tally())


class Theatre:
    """Plays histories in a few threads; those on the real bed one after the other, where they are asked for."""

    def __init__(self, histories: Iterable[History]) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, "history")
        fit = [history for history in histories if history.on == "sandbox" and not missing(history)]
        # The longest first, so that nobody waits for them in the end.
        fit.sort(key=_length, reverse=True)
        self._futures: dict[str, Future[Performance]] = {h.name: self._pool.submit(play, h) for h in fit}
        self.performances: list[Performance] = []

    def perform(self, history: History, bed: Bed | None = None) -> Performance:
        """Return what became of a history."""
        if lacking := missing(history):
            pytest.skip(lacking)
        future = self._futures.get(history.name)
        performance = future.result() if future else play(history, bed)
        self.performances.append(performance)
        return performance

    def close(self) -> None:
        """Play nothing more."""
        self._pool.shutdown(cancel_futures=True)


def _length(history: History) -> float:
    """Return about how many seconds a history takes: a channel that does not answer is asked again in the run."""
    seconds = {"up": 0.4, "hanging": 30.0}
    return sum(max(seconds.get(run.mode(name), 2.0) for name in history.channels) for run in history.runs)


def missing(history: History) -> str:
    """Return what this machine lacks for a history, "" when it lacks nothing."""
    return next(filter(None, (need.lacking for need in history.needs)), "")


def must_hold(performance: Performance) -> None:
    """Fail where people could not trust what they were told."""
    assert not performance.problems, "\n".join([performance.history.name, *performance.problems])
    assert performance.tally.is_right, performance.tally


def params(histories: Sequence[History]) -> list[Any]:
    """Return histories for pytest: a name each, and what is not right yet is marked so."""
    return [
        pytest.param(history, id=history.name, marks=[pytest.mark.xfail(reason=history.broken, strict=True)])
        if history.broken
        else pytest.param(history, id=history.name)
        for history in histories
    ]

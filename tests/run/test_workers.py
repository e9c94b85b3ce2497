"""The threads of a run: every step once, bounded concurrency, and an end whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.model import Outcome, Status
from mailmon.model.limits import RunLimits
from mailmon.run.plan import Step
from mailmon.run.workers import Callbacks, Progress, Workers


def step(name: str, needs: tuple[str, ...] = (), after: tuple[str, ...] = (), host: str = "a") -> Step:
    return Step(name, "check", name, "Check", lambda _: (), needs, after, target=f"{host}:1", accounts=(f"of {name}",))


def outcome(one: Step, status: Status = Status.OK) -> Outcome:
    return Outcome(one.id, one.check, one.name, status, "")


class Crew:
    """What the workers do and tell."""

    def __init__(
        self, steps: list[Step], workers: int, work: Callable[[Step], Outcome], per_host: int | None = None
    ) -> None:
        self.told: list[str] = []
        self.released: list[str] = []
        self.most = self._now = 0
        self._lock = threading.Lock()
        self._work = work
        audience = Callbacks(lambda one: self.told.append(one.id))
        self.workers = Workers(steps, self._counted, self.released.append, audience, RunLimits(workers, per_host))

    def _counted(self, one: Step) -> Outcome:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            return self._work(one)
        finally:
            with self._lock:
                self._now -= 1

    def run(self, seconds: float = 20.0) -> None:
        self.workers.run(time.monotonic, time.monotonic() + seconds, 0.05)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from(list(Status))), max_size=40),
    st.integers(1, 8),
    st.none() | st.integers(1, 3),
)
def test_every_step_is_done_once_and_told_in_its_turn(
    drawn: list[tuple[int, str, Status]], workers: int, per_host: int | None
) -> None:
    steps = [
        step(f"s{n}", (f"s{n - back}",) if 0 < back <= n else (), (), host) for n, (back, host, _) in enumerate(drawn)
    ]
    statuses = {one.id: status for one, (_, _, status) in zip(steps, drawn, strict=True)}
    worked: list[str] = []

    def work(one: Step) -> Outcome:
        worked.append(one.id)
        time.sleep(0)
        return outcome(one, statuses[one.id])

    crew = Crew(steps, workers, work, per_host)
    crew.run()
    assert crew.told == [one.id for one in steps]
    assert crew.most <= workers
    assert sorted(crew.released) == sorted(f"of {one.id}" for one in steps)
    assert len(worked) == len(set(worked))
    for one in steps:
        is_met = all(crew.workers.done[need].status in (Status.OK, Status.WARNING) for need in one.needs)
        assert (one.id in worked) == is_met
        assert is_met or crew.workers.done[one.id].status is Status.SKIPPED


def test_as_many_work_side_by_side_as_may() -> None:
    meeting = threading.Barrier(4, timeout=10)

    def work(one: Step) -> Outcome:
        meeting.wait()
        return outcome(one)

    crew = Crew([step(f"s{n}") for n in range(8)], 4, work)
    crew.run()
    assert crew.most == 4


def test_a_step_that_frees_several_others_wakes_who_is_idle() -> None:
    meeting = threading.Barrier(3, timeout=10)

    def work(one: Step) -> Outcome:
        if one.id != "first":
            meeting.wait()
        return outcome(one)

    steps = [step("first"), *[step(f"s{n}", ("first",)) for n in range(3)]]
    crew = Crew(steps, 3, work)
    crew.run()
    assert set(crew.told) == {one.id for one in steps}


def test_what_hangs_is_given_up_and_its_end_is_nobodys_business() -> None:
    free, ended = threading.Event(), threading.Event()

    def work(one: Step) -> Outcome:
        if one.id == "hangs":
            free.wait(20)
            ended.set()
        return outcome(one)

    crew = Crew([step("a"), step("hangs"), step("b", ("hangs",))], 2, work)
    crew.run(0.2)
    assert set(crew.workers.done) == {"a"}
    crew.workers.give_up(lambda one, has_begun: outcome(one, Status.FAILED if has_begun else Status.SKIPPED))
    free.set()
    assert ended.wait(10)
    time.sleep(0.05)
    assert {name: one.status for name, one in crew.workers.done.items()} == {
        "a": Status.OK, "hangs": Status.FAILED, "b": Status.SKIPPED,
    }  # fmt: skip
    assert crew.told == ["a", "hangs", "b"]


def test_an_audience_that_fails_ends_the_run() -> None:
    def refuse(_: Outcome) -> None:
        raise OSError("nobody listens")

    workers = Workers([step("a"), step("b")], outcome, lambda _: None, Callbacks(refuse), RunLimits())
    with pytest.raises(OSError, match="nobody listens"):
        workers.run(time.monotonic, time.monotonic() + 20, 0.05)


def test_a_step_that_waits_for_what_is_not_planned_is_a_bug_that_is_told() -> None:
    crew = Crew([step("a"), step("b", ("nowhere",))], 2, outcome)
    with pytest.raises(AssertionError, match="not planned"):
        crew.run()


def test_progress_is_told_while_nothing_ends() -> None:
    heard: list[Progress] = []
    free = threading.Event()

    def work(one: Step) -> Outcome:
        free.wait(10)
        return outcome(one, Status.FAILED)

    def hear(progress: Progress) -> None:
        heard.append(progress)
        if len(heard) > 3:
            free.set()

    workers = Workers([step("a")], work, lambda _: None, Callbacks(lambda _: None, hear), RunLimits())
    workers.run(time.monotonic, time.monotonic() + 20, 0.02)
    assert heard[0][:3] == (0, 1, 0)
    assert heard[0].oldest is not None
    assert heard[0].oldest.id == "a"

"""The threads that execute the steps of a run; a thread that ends a step goes on with one that waited for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from mailmon.model import Outcome, Status
from mailmon.model.limits import RunLimits
from mailmon.run.plan import Step
from mailmon.run.schedule import Schedule
from mailmon.text import join_words

_GOOD = (Status.OK, Status.WARNING)


class Progress(NamedTuple):
    """How far a run is: steps done and in all, how many failed, and which has been running since when (monotonic)."""

    done: int
    planned: int
    failed: int
    oldest: Step | None
    oldest_since_s: float


class Callbacks(NamedTuple):
    """The callbacks of a run: for each outcome, in the order of the plan, and now and then for its progress."""

    on_done: Callable[[Outcome], None]
    on_progress: Callable[[Progress], None] | None = None


class Workers:
    """The steps of one run and the threads that work on them.

    `work` does a step and never raises; `release` hears of each account that no step needs any more.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        work: Callable[[Step], Outcome],
        release: Callable[[str], None],
        callbacks: Callbacks,
        limits: RunLimits,
    ) -> None:
        self._work, self._release, self._callbacks = work, release, callbacks
        self._most = limits.workers
        self._schedule = Schedule(steps, limits)
        self._unreported = deque(step.id for step in steps)
        self._planned = len(steps)
        self._failed = 0
        self._running: dict[str, tuple[Step, float]] = {}
        self._waiting = {step.id: step for step in steps}
        self._lock = threading.Lock()
        # For those who wait for a step, and for the one who waits for the end.
        self._more, self._over = threading.Condition(self._lock), threading.Condition(self._lock)
        self._threads = self._idle = 0
        self._error: BaseException | None = None
        self.done: dict[str, Outcome] = {}

    def run(self, now_s: Callable[[], float], until_s: float, tick_s: float) -> None:
        """Work until all is done or the time is over, and report the progress every `tick_s` seconds."""
        self._now_s = now_s
        with self._lock:
            self._enlist()
            while len(self.done) < self._planned and self._error is None:
                left_s = until_s - now_s()
                if left_s <= 0:
                    break
                self._over.wait(min(left_s, tick_s))
                self._report_progress()
            if self._error is not None:
                raise self._error

    def give_up(self, outcomes: Callable[[Step, bool], Outcome]) -> None:
        """End what is at work and what has not begun with these outcomes; what comes later is nobody's business."""
        with self._lock:
            left = [(step, True) for step, _ in self._running.values()]
            left += [(step, False) for step in self._waiting.values()]
            self._running.clear()
            self._waiting.clear()
            for step, has_begun in left:
                for account in self._settle(outcomes(step, has_begun)):
                    self._release(account)
            self._more.notify_all()

    def _labour(self) -> None:
        """Do one step after the other, until there is none left."""
        try:
            step = self._take()
            while step is not None:
                outcome = self._work(step)
                step = self._hand_over(outcome)
        except BaseException as exc:  # a bug, or a terminal that cannot be written to: the run ends with it
            with self._lock:
                self._error = exc
                self._over.notify()

    def _hand_over(self, outcome: Outcome) -> Step | None:
        """Note an outcome, let go of what it used, and return the next step."""
        with self._lock:
            if self._running.pop(outcome.id, None) is None:
                return None
            unused = list(self._settle(outcome))
        for account in unused:
            self._release(account)
        return self._take()

    def _take(self) -> Step | None:
        """Return a step that may begin, as soon as there is one; None when all have."""
        with self._lock:
            while self._waiting:
                step = self._next()
                if step is not None:
                    self._enlist()
                    return step
                if not self._running and self._waiting:
                    raise AssertionError(f"these wait for something that is not planned: {sorted(self._waiting)}")
                self._idle += 1
                self._more.wait()
                self._idle -= 1
            self._more.notify_all()
            if len(self.done) == self._planned:
                self._over.notify()
            return None

    def _next(self) -> Step | None:
        """Return a step that may begin now; those whose needs were not met are skipped."""
        while step := self._schedule.next():
            del self._waiting[step.id]
            missing = [need for need in step.needs if self.done[need].status not in _GOOD]
            if not missing:
                self._running[step.id] = (step, self._now_s())
                return step
            words = f"skipped, because {join_words(missing)} did not succeed"
            for account in self._settle(Outcome(step.id, step.check, step.name, Status.SKIPPED, words)):
                self._release(account)
        return None

    def _enlist(self) -> None:
        """Wake a thread, or begin one, where there is more to do than threads that do it."""
        if not self._schedule.has_ready:
            return
        if self._idle:
            self._more.notify()
        elif self._threads < self._most:
            self._threads += 1
            # Daemons: a thread that hangs in foreign code must not keep the process from ending.
            threading.Thread(target=self._labour, name=f"worker {self._threads}", daemon=True).start()

    def _settle(self, outcome: Outcome) -> Iterator[str]:
        """Note an outcome, report all whose turn has come, and yield the accounts that no step needs any more."""
        self.done[outcome.id] = outcome
        self._failed += outcome.status is Status.FAILED
        while self._unreported and self._unreported[0] in self.done:
            self._callbacks.on_done(self.done[self._unreported.popleft()])
        yield from self._schedule.end(outcome.id)

    def _report_progress(self) -> None:
        if self._callbacks.on_progress is not None:
            oldest, since_s = next(iter(self._running.values()), (None, 0.0))
            self._callbacks.on_progress(Progress(len(self.done), self._planned, self._failed, oldest, since_s))

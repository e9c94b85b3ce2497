"""What did each step find out? Every step in a thread of its own as soon as it may run, all under one deadline."""

from __future__ import annotations

import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from mailmon.checks.check import failure
from mailmon.checks.tools import Tools
from mailmon.cycle.outcome import make_outcome
from mailmon.cycle.plan import Step
from mailmon.cycle.schedule import Schedule
from mailmon.errors import MailmonError, StageError, place_of
from mailmon.mail.text import join_words
from mailmon.model import Fact, Finding, Outcome, Severity, Status, Verdict
from mailmon.model.limits import DEFAULT_LIMITS, RunLimits

# A step that notices the deadline itself has still to say so.
GRACE_S = 2.0
TICK_S = 1.0

BUG = "mailmon.bug"
DEADLINE = "mailmon.deadline"


class Progress(NamedTuple):
    """How far a run is: steps done and in all, how many failed, and which has been running for how many seconds."""

    done: int
    planned: int
    failed: int
    oldest: Step | None
    oldest_s: float


class Audience(NamedTuple):
    """Who is told: of each outcome, in the order of the plan, and every second how far the run is."""

    on_done: Callable[[Outcome], None]
    on_progress: Callable[[Progress], None] | None = None


class _Watch:
    """What is going on."""

    def __init__(self, steps: Sequence[Step], audience: Audience, tools: Tools, limits: RunLimits) -> None:
        self._schedule = Schedule(steps, limits)
        self._untold = deque(step.id for step in steps)
        self._audience, self._tools = audience, tools
        self._failed = 0
        self._began_s: dict[str, float] = {}
        self.waiting = {step.id: step for step in steps}
        self.running: dict[str, Step] = {}
        self.done: dict[str, Outcome] = {}

    def next(self) -> Step | None:
        """Return a step that may begin now, None where there is none."""
        step = self._schedule.next()
        if step:
            del self.waiting[step.id]
            self._began_s[step.id] = self._tools.world.deadline.monotonic()
        return step

    def tick(self) -> None:
        """Tell how far the run is."""
        if self._audience.on_progress is None:
            return
        oldest = next(iter(self.running.values()), None)
        for_s = self._tools.world.deadline.monotonic() - self._began_s[oldest.id] if oldest else 0.0
        planned = len(self.done) + len(self.running) + len(self.waiting)
        self._audience.on_progress(Progress(len(self.done), planned, self._failed, oldest, for_s))

    def settle(self, outcome: Outcome) -> None:
        """Note an outcome; tell all outcomes whose turn has come, in the order of the plan."""
        self.done[outcome.id] = outcome
        self._failed += outcome.status is Status.FAILED
        for account in self._schedule.end(outcome.id):
            self._tools.release(account)
        self.tell()

    def tell(self) -> None:
        """Tell all outcomes whose turn has come."""
        while self._untold and self._untold[0] in self.done:
            self._audience.on_done(self.done[self._untold.popleft()])


def observe(
    steps: Sequence[Step], tools: Tools, audience: Audience, limits: RunLimits = DEFAULT_LIMITS
) -> list[Outcome]:
    """Run all steps and return their outcomes in the order of `steps`."""
    deadline = tools.world.deadline
    watch = _Watch(steps, audience, tools, limits)
    results: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
    while watch.waiting or watch.running:
        _start_what_may(watch, tools, results)
        if not watch.running and watch.waiting:
            raise AssertionError(f"these steps wait for something that is not planned: {sorted(watch.waiting)}")
        if not watch.running:
            break
        left_s = deadline.at_s + GRACE_S - deadline.monotonic()
        try:
            outcome = results.get(timeout=max(min(left_s, TICK_S), 0.0))
        except queue.Empty:
            watch.tick()
            if left_s > TICK_S:
                continue
            _give_up(watch)
            break
        watch.running.pop(outcome.id)
        watch.settle(outcome)
        watch.tick()
    return [watch.done[step.id] for step in steps]


def _start_what_may(watch: _Watch, tools: Tools, results: queue.SimpleQueue[Outcome]) -> None:
    while step := watch.next():
        missing = [need for need in step.needs if watch.done[need].status not in (Status.OK, Status.WARNING)]
        if missing:
            watch.settle(_skipped(step, missing))
            continue
        watch.running[step.id] = step
        # Daemons: a thread that hangs in foreign code must not keep the process from ending.
        threading.Thread(target=_run, args=(step, tools, results), name=step.id, daemon=True).start()


def _run(step: Step, tools: Tools, results: queue.SimpleQueue[Outcome]) -> None:
    started_s = tools.world.deadline.monotonic()
    facts: list[Fact] = []
    try:
        for fact in step.ask(tools):
            facts.append(fact)
    except StageError as exc:
        facts.append(failure(exc))
    except MailmonError as exc:
        facts.append(Finding("mailmon.error", Verdict.UNKNOWN, step.target or step.name, exc.message, fix=exc.advice))
    except Exception as exc:  # the one place: a bug is reported as one (exit 70), not as a mail failure
        facts.append(_bug(step, exc))
    duration_s = tools.world.deadline.monotonic() - started_s
    results.put(make_outcome(step, facts, duration_s))


def _skipped(step: Step, missing: Sequence[str]) -> Outcome:
    words = f"skipped, because {join_words(missing)} did not succeed"
    return Outcome(step.id, step.check, step.name, Status.SKIPPED, words)


def _give_up(watch: _Watch) -> None:
    """The deadline has passed: what still runs has failed, what has not begun says nothing."""
    for step in list(watch.running.values()):
        said = "not finished when the run's deadline came"
        finding = Finding(
            DEADLINE, Verdict.FAIL, step.target or step.name, said, Severity.ERROR, fix="Raise deadline_s."
        )
        watch.settle(make_outcome(step, [finding], 0.0))
    for step in list(watch.waiting.values()):
        words = "skipped, because the run's deadline came first"
        watch.settle(Outcome(step.id, step.check, step.name, Status.SKIPPED, words))


def _bug(step: Step, exc: Exception) -> Finding:
    said = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
    return Finding(BUG, Verdict.UNKNOWN, step.target or step.name, said, fix="Please report it with this line.")


def labels_of(steps: Sequence[Step], *, always_named: bool = False) -> Mapping[str, str]:
    """Return how steps are called: with the name in brackets where there are several of a kind."""
    checks = Counter(step.check for step in steps)
    return {
        step.id: f"{step.label} ({step.name})" if always_named or checks[step.check] > 1 else step.label
        for step in steps
    }

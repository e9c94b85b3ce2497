"""The oracle: the changes that must be announced, derived from the script alone, independent of mailmon's code."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.dsl import NETWORK, REPORTED_EXITS, UNIT, Observation, Scenario
from tests.faults.recorder import Record

UNKNOWN_RUNS = 3
UNIT_STEP = f"{UNIT}mailmon.service"


class Change(NamedTuple):
    """A change that must be announced in the run `run` by `channels`; it began in the run `onset`.

    `is_cause`: no new health, but another cause or a reminder.
    """

    step: str
    to: str
    run: int
    onset: int
    is_cause: bool = False
    channels: frozenset[str] = frozenset()


@dataclass
class Subject:
    """The true health of one step, and what was announced last, by which channels."""

    health: str = "new"
    onset: int = 0
    streak: int = 0
    turned: int = 0
    cause: str = ""
    seen: int = -1
    unknown_runs: int = 0
    unknown_onset: int = 0
    announced: str = "new"
    announced_unknown: bool = False
    announced_causes: set[str] = field(default_factory=set)
    informed: frozenset[str] = frozenset()

    def see(self, observation: Observation, number: int, fail_at: int, work_at: int) -> None:
        """Apply what one run found."""
        if observation.status == "unknown":
            self.unknown_onset = self.unknown_onset if self.unknown_runs else number
            self.unknown_runs += 1
            return
        self.seen, self.unknown_runs = number, 0
        wanted = {"failed": "down", "warning": "degraded", "ok": "up"}[observation.status]
        if wanted == "down" or self.health != "down":
            self.cause = observation.cause
        if wanted == self.health:
            self.streak = 0
            return
        if wanted != "down" and self.health != "down":
            self.health, self.onset, self.streak = wanted, number, 0
            return
        self.turned = self.turned if self.streak else number
        self.streak += 1
        if self.streak >= (fail_at if wanted == "down" else work_at):
            self.health, self.onset, self.streak, self.cause = wanted, self.turned, 0, observation.cause
        elif wanted == "down":
            self.health = "failing"

    def take_change(self, step: str, number: int, present: frozenset[str], *, reminds: bool = False) -> Change | None:
        """Return the change to announce, if any, and note it as announced.

        A channel that announced a failure has to announce all that follows, even if it is missing from this run.
        """
        if self.unknown_runs:
            return self._take_unknown(step, number, present)
        if self.health in ("new", "failing"):
            return None
        if self.announced_unknown:
            # A failure keeps its beginning; that all is well is claimed only from the run that saw it again.
            is_old = self.health == "up" and self.onset <= self.unknown_onset
            change = Change(step, self.health, number, number if is_old else self.onset)
        elif self.health != self.announced:
            change = Change(step, self.health, number, self.onset)
        elif self.health == "up":
            return None
        elif present and not present & self.informed:  # nobody who can still be reached knows
            change = Change(step, self.health, number, self.onset)
        elif self.cause not in self.announced_causes or (reminds and self.seen == number and not self.streak):
            self.announced_causes.add(self.cause)
            change = Change(step, self.health, number, self.onset, is_cause=True)
        else:
            return None
        return self._announce(change, present)

    def _announce(self, change: Change, present: frozenset[str]) -> Change | None:
        is_silent_start = (self.announced, self.health, self.announced_unknown) == ("new", "up", False)
        if not change.is_cause:
            self.announced_causes = {self.cause}
        self.announced, self.announced_unknown = self.health, False
        if self.health != "up":
            self.informed |= present
            return change._replace(channels=self.informed)
        informed, self.informed = self.informed, frozenset()
        to = informed if informed & present or not informed else informed | present
        return None if is_silent_start else change._replace(channels=to)

    def _take_unknown(self, step: str, number: int, present: frozenset[str]) -> Change | None:
        if self.unknown_runs < UNKNOWN_RUNS or self.announced_unknown:
            return None
        self.announced_unknown, self.informed = True, self.informed | present
        return Change(step, "unknown", number, self.unknown_onset, channels=self.informed)


class Oracle:
    """Follows a scenario run by run."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.subjects: dict[str, Subject] = {}

    def observe(self, record: Record) -> list[Change]:
        """Return the changes to announce after a run that was not killed before it saved."""
        if record.forgets:
            self.subjects.clear()
        if not record.is_seen or record.run.unit in REPORTED_EXITS:
            return []
        if record.disk == "nothing":  # announced now, but not saved: it will be announced again
            before = deepcopy(self.subjects)
            changes = self._follow(record)
            self.subjects = before
            return changes
        return self._follow(record)

    def _follow(self, record: Record) -> list[Change]:
        if record.run.unit:
            self._see(UNIT_STEP, Observation("failed"), record)
            return self._changes([UNIT_STEP], record)
        if record.run.is_complete:
            self._forget_removed(record)
            if UNIT_STEP in self.subjects and not record.disk:
                self._see(UNIT_STEP, Observation("ok"), record)
        asked = [UNIT_STEP] if record.run.is_complete else []
        if record.is_offline:
            self._see(NETWORK, Observation("failed"), record)
            return self._changes([NETWORK, *asked], record)
        if NETWORK in self.subjects:
            self._see(NETWORK, Observation("ok"), record)
        for step, observation in record.observations.items():
            if observation is not None:
                self._see(step, observation, record)
        return self._changes([NETWORK, *record.observations, *asked], record)

    def _forget_removed(self, record: Record) -> None:
        """Forget what is no longer configured, and a unit whose recovery was announced."""
        kept = {*record.observations, NETWORK, UNIT_STEP}
        over = {UNIT_STEP} if self.subjects.get(UNIT_STEP, Subject()).announced == "up" else set()
        self.subjects = {step: subject for step, subject in self.subjects.items() if step in kept - over}

    def _see(self, step: str, observation: Observation, record: Record) -> None:
        subject = self.subjects.setdefault(step, Subject())
        fail_at = record.thresholds.get(step.partition(":")[0], 1)
        work_at = 1 if step.startswith((NETWORK, UNIT)) else self._scenario.success_threshold
        subject.see(observation, record.number, fail_at, work_at)

    def _changes(self, steps: list[str], record: Record) -> list[Change]:
        loud = [step for step in steps if step in self.subjects and not is_silenced(step, record.silenced)]
        found = []
        for step in loud:
            reminds = record.is_reminder_due and not step.startswith((NETWORK, UNIT))
            found.append(self.subjects[step].take_change(step, record.number, record.present, reminds=reminds))
        return [change for change in found if change]


def changes_of(scenario: Scenario, records: list[Record]) -> list[Change]:
    """Return all changes that must be announced in a scenario."""
    oracle = Oracle(scenario)
    return [change for record in records for change in oracle.observe(record)]


def is_silenced(step: str, names: frozenset[str]) -> bool:
    """Report whether a step is silenced by its id or its name; in all scenarios a route has its account's name."""
    return not names.isdisjoint({"all", step, step.partition(":")[2]})

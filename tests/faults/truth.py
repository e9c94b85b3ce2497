"""What had a person to be told? Worked out from the script of a history alone, apart from mailmon's own tables."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.language import SIGHT, SPOKEN, UNIT, History, Sight
from tests.faults.records import Record

UNKNOWN_RUNS = 3
UNIT_STEP = f"{UNIT}mailmon.service"


class Change(NamedTuple):
    """One thing that had to be told in the run `run`, by `channels`: what it is about began in the run `onset`.

    `is_cause`: it is the same failure still, for another reason or not forgotten.
    """

    step: str
    to: str
    run: int
    onset: int
    is_cause: bool = False
    channels: frozenset[str] = frozenset()


@dataclass
class Subject:
    """What is true of one step, and what people were told of it last, by which channels."""

    health: str = "new"
    onset: int = 0
    streak: int = 0
    turned: int = 0
    cause: str = ""
    seen: int = -1
    unknown_runs: int = 0
    unknown_onset: int = 0
    told: str = "new"
    told_unknown: bool = False
    told_causes: set[str] = field(default_factory=set)
    heard: frozenset[str] = frozenset()

    def see(self, sight: Sight, number: int, fail_at: int, work_at: int) -> None:
        """Take in what one run saw."""
        if sight.status == "unknown":
            self.unknown_onset = self.unknown_onset if self.unknown_runs else number
            self.unknown_runs += 1
            return
        self.seen, self.unknown_runs = number, 0
        wanted = {"failed": "down", "warning": "degraded", "ok": "up"}[sight.status]
        if wanted == "down" or self.health != "down":
            self.cause = sight.cause
        if wanted == self.health:
            self.streak = 0
            return
        if wanted != "down" and self.health != "down":
            self.health, self.onset, self.streak = wanted, number, 0
            return
        self.turned = self.turned if self.streak else number
        self.streak += 1
        if self.streak >= (fail_at if wanted == "down" else work_at):
            self.health, self.onset, self.streak, self.cause = wanted, self.turned, 0, sight.cause
        elif wanted == "down":
            self.health = "failing"

    def news(self, step: str, number: int, present: frozenset[str], *, reminds: bool = False) -> Change | None:
        """Return what people do not know yet; they do then.

        Who heard of a failure is owed all that follows, also when that channel is missing from this run.
        """
        if self.unknown_runs:
            return self._unknown_news(step, number, present)
        if self.health in ("new", "failing"):
            return None
        if self.told_unknown:
            # A failure keeps its beginning; that all is well is claimed only from the run that saw it again.
            is_old = self.health == "up" and self.onset <= self.unknown_onset
            change = Change(step, self.health, number, number if is_old else self.onset)
        elif self.health != self.told:
            change = Change(step, self.health, number, self.onset)
        elif self.health == "up":
            return None
        elif present and not present & self.heard:  # nobody who can still be reached knows
            change = Change(step, self.health, number, self.onset)
        elif self.cause not in self.told_causes or (reminds and self.seen == number and not self.streak):
            self.told_causes.add(self.cause)
            change = Change(step, self.health, number, self.onset, is_cause=True)
        else:
            return None
        return self._told_by(change, present)

    def _told_by(self, change: Change, present: frozenset[str]) -> Change | None:
        is_silent_start = (self.told, self.health, self.told_unknown) == ("new", "up", False)
        if not change.is_cause:
            self.told_causes = {self.cause}
        self.told, self.told_unknown = self.health, False
        if self.health != "up":
            self.heard |= present
            return change._replace(channels=self.heard)
        heard, self.heard = self.heard, frozenset()
        to = heard if heard & present or not heard else heard | present
        return None if is_silent_start else change._replace(channels=to)

    def _unknown_news(self, step: str, number: int, present: frozenset[str]) -> Change | None:
        if self.unknown_runs < UNKNOWN_RUNS or self.told_unknown:
            return None
        self.told_unknown, self.heard = True, self.heard | present
        return Change(step, "unknown", number, self.unknown_onset, channels=self.heard)


class Truth:
    """Goes through a history run by run."""

    def __init__(self, history: History) -> None:
        self._history = history
        self.subjects: dict[str, Subject] = {}

    def take_in(self, record: Record) -> list[Change]:
        """Return what had to be told after a run that was seen."""
        if record.forgets:
            self.subjects.clear()
        if not record.is_seen or record.run.unit in SPOKEN:
            return []
        if record.disk == "nothing":  # it is told now, and cannot be remembered: it will be news again
            before = deepcopy(self.subjects)
            news = self._follow(record)
            self.subjects = before
            return news
        return self._follow(record)

    def _follow(self, record: Record) -> list[Change]:
        if record.run.unit:
            self._see(UNIT_STEP, Sight("failed"), record)
            return self._news([UNIT_STEP], record)
        if record.run.is_complete:
            self._forget_removed(record)
            if UNIT_STEP in self.subjects and not record.disk:
                self._see(UNIT_STEP, Sight("ok"), record)
        asked = [UNIT_STEP] if record.run.is_complete else []
        if record.is_blind:
            self._see(SIGHT, Sight("failed"), record)
            return self._news([SIGHT, *asked], record)
        if SIGHT in self.subjects:
            self._see(SIGHT, Sight("ok"), record)
        for step, sight in record.sights.items():
            if sight is not None:
                self._see(step, sight, record)
        return self._news([SIGHT, *record.sights, *asked], record)

    def _forget_removed(self, record: Record) -> None:
        """Only of what is configured people are told; a unit's end, once told, is no more news."""
        kept = {*record.sights, SIGHT, UNIT_STEP}
        over = {UNIT_STEP} if self.subjects.get(UNIT_STEP, Subject()).told == "up" else set()
        self.subjects = {step: subject for step, subject in self.subjects.items() if step in kept - over}

    def _see(self, step: str, sight: Sight, record: Record) -> None:
        subject = self.subjects.setdefault(step, Subject())
        fail_at = record.thresholds.get(step.partition(":")[0], 1)
        work_at = 1 if step.startswith((SIGHT, UNIT)) else self._history.success_threshold
        subject.see(sight, record.number, fail_at, work_at)

    def _news(self, steps: list[str], record: Record) -> list[Change]:
        loud = [step for step in steps if step in self.subjects and not is_silenced(step, record.silenced)]
        found = []
        for step in loud:
            reminds = record.is_reminder_due and not step.startswith((SIGHT, UNIT))
            found.append(self.subjects[step].news(step, record.number, record.present, reminds=reminds))
        return [change for change in found if change]


def changes_of(history: History, records: list[Record]) -> list[Change]:
    """Return everything of the mail servers that had to be told in a history."""
    truth = Truth(history)
    return [change for record in records for change in truth.take_in(record)]


def is_silenced(step: str, names: frozenset[str]) -> bool:
    """Say whether a step is silenced by its id or its name; in all histories a route is called as its account."""
    return not names.isdisjoint({"all", step, step.partition(":")[2]})

"""Scores: which changes were lost, false or announced twice, from the messages and the oracle's changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.oracle import Change
from tests.faults.outbox_model import LEFT_OUT
from tests.faults.recorder import Message


class Tally(NamedTuple):
    """Counts of changes; `explained` are duplicates whose acknowledgement was lost."""

    expected: int = 0
    delivered: int = 0
    lost: int = 0
    false: int = 0
    duplicated: int = 0
    explained: int = 0

    def __add__(self, other: object) -> Tally:
        assert isinstance(other, Tally)
        return Tally(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def is_correct(self) -> bool:
        """Report whether nothing was lost, false or duplicated."""
        return not (self.lost or self.false or self.duplicated)


@dataclass
class _Reader:
    """What a reader of one channel knows about one step."""

    ahead: list[Change]
    heard: list[tuple[str, bool]] = field(default_factory=list)
    matched: list[tuple[Change, Message]] = field(default_factory=list)
    delivered: int = 0
    lost: int = 0
    false: int = 0
    duplicated: int = 0
    explained: int = 0

    def read(self, healths: tuple[str, ...], message: Message) -> None:
        """Read what one message reports for this step: known changes first, then new ones."""
        for known in range(len(healths) + 1):
            new = healths[known:]
            is_suffix = known == 0 or tuple(health for health, _ in self.heard[-known:]) == healths[:known]
            if is_suffix and self._fits(new, message.run):
                self._repeat(known)
                for _ in new:
                    self._take(message)
                return
        for health in healths:
            self._take_unexpected(health, message)

    def _fits(self, healths: Iterable[str], run: int) -> bool:
        rest = [change for change in self.ahead if change.run <= run]
        for health in healths:
            if not rest or health not in (rest[0].to, LEFT_OUT):
                return False
            health = rest.pop(0).to
            while rest and rest[0].is_cause and rest[0].to == health:
                rest.pop(0)
        return True

    def _repeat(self, known: int) -> None:
        for _, acked in self.heard[len(self.heard) - known :]:
            self.explained += not acked
            self.duplicated += acked

    def _take(self, message: Message) -> None:
        """Count a change as delivered, with the causes that were added until then."""
        first = self.ahead.pop(0)
        self.matched.append((first, message))
        self.delivered += 1
        while self.ahead and _is_covered_by(self.ahead[0], first, message):
            self.ahead.pop(0)
            self.delivered += 1
        self.heard.append((first.to, message.acked))

    def _take_unexpected(self, health: str, message: Message) -> None:
        """Count a health that is not the next one: those before it are lost, or it is false."""
        possible = [number for number, c in enumerate(self.ahead) if c.run <= message.run and c.to == health]
        if self.heard and self.heard[-1][0] == health and (not possible or possible[0] > 0):
            self._repeat(1)
        elif possible:
            self.lost += possible[0]
            del self.ahead[: possible[0]]
            self._take(message)
        else:
            self.false += 1

    @property
    def tally(self) -> Tally:
        """Return the figures at the end of a scenario: what was never announced is lost."""
        lost = self.lost + len(self.ahead)
        return Tally(self.delivered + lost, self.delivered, lost, self.false, self.duplicated, self.explained)


def _is_covered_by(change: Change, first: Change, message: Message) -> bool:
    return change.is_cause and change.to == first.to and change.run <= message.run


class Score(NamedTuple):
    """The figures of one channel, and which message reported which change."""

    tally: Tally
    matched: list[tuple[Change, Message]]


def score_channel(changes: Iterable[Change], messages: Iterable[Message]) -> Score:
    """Score the messages of a channel that list their changes."""
    readers: dict[str, _Reader] = {}
    for change in changes:
        readers.setdefault(change.step, _Reader([])).ahead.append(change)
    for message in messages:
        for report in message.reports or ():
            readers.setdefault(report.step, _Reader([])).read(report.healths, message)
    tally = sum((reader.tally for reader in readers.values()), Tally())
    return Score(tally, [pair for reader in readers.values() for pair in reader.matched])


def score_kinds(changes: Iterable[Change], messages: Iterable[Message]) -> Score:
    """Score the messages of a channel of which only the kinds are known: each covers all open changes."""
    ahead, matched = list(changes), []
    delivered = false = duplicated = explained = 0
    ends = {"problem": {"down"}, "warning": {"degraded", "unknown"}, "recovery": {"up"}}
    before: Message | None = None
    for message in messages:
        open_now = [change for change in ahead if change.run <= message.run]
        if any(change.to in ends[message.kind] for change in open_now):
            ahead = [change for change in ahead if change not in open_now]
            matched += [(change, message) for change in open_now]
            delivered += len(open_now)
        elif before and before.kind == message.kind:
            explained += not before.acked
            duplicated += before.acked
        else:
            false += 1
        before = message
    lost = len(ahead)
    return Score(Tally(delivered + lost, delivered, lost, false, duplicated, explained), matched)

"""What was lost, false or told twice? Compares what people got in a history with what they had to be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.post import LEFT_OUT
from tests.faults.records import Message
from tests.faults.truth import Change


class Tally(NamedTuple):
    """Changes that had to be told, that were, and what went wrong; an explained duplicate lost its acknowledgement."""

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
    def is_right(self) -> bool:
        """Say whether a person can trust this."""
        return not (self.lost or self.false or self.duplicated)


@dataclass
class _Reader:
    """What a person who reads one channel knows of one step."""

    ahead: list[Change]
    heard: list[tuple[str, bool]] = field(default_factory=list)
    matched: list[tuple[Change, Message]] = field(default_factory=list)
    delivered: int = 0
    lost: int = 0
    false: int = 0
    duplicated: int = 0
    explained: int = 0

    def read(self, healths: tuple[str, ...], message: Message) -> None:
        """Read what one message says of this step: something new, behind what may have been heard before."""
        for known in range(len(healths) + 1):
            new = healths[known:]
            is_suffix = known == 0 or tuple(health for health, _ in self.heard[-known:]) == healths[:known]
            if is_suffix and self._fits(new, message.run):
                self._repeat(known)
                for _ in new:
                    self._take(message)
                return
        for health in healths:
            self._puzzle(health, message)

    def _fits(self, healths: Iterable[str], run: int) -> bool:
        rest = [change for change in self.ahead if change.run <= run]
        for health in healths:
            if not rest or health not in (rest[0].to, LEFT_OUT):
                return False
            told = rest.pop(0).to
            while rest and rest[0].is_cause and rest[0].to == told:
                rest.pop(0)
        return True

    def _repeat(self, known: int) -> None:
        for _, acked in self.heard[len(self.heard) - known :]:
            self.explained += not acked
            self.duplicated += acked

    def _take(self, message: Message) -> None:
        """Note a change as told, and with it the causes that were added until then."""
        first = self.ahead.pop(0)
        self.matched.append((first, message))
        self.delivered += 1
        while self.ahead and _is_told_with(self.ahead[0], first, message):
            self.ahead.pop(0)
            self.delivered += 1
        self.heard.append((first.to, message.acked))

    def _puzzle(self, health: str, message: Message) -> None:
        """Read something that is not what comes next: was anything before it lost, or did it never happen?"""
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
        """Return the figures at the end of a history: what nobody was told is lost."""
        lost = self.lost + len(self.ahead)
        return Tally(self.delivered + lost, self.delivered, lost, self.false, self.duplicated, self.explained)


def _is_told_with(change: Change, first: Change, message: Message) -> bool:
    return change.is_cause and change.to == first.to and change.run <= message.run


class Verdict(NamedTuple):
    """The figures of one channel, and which message told which change."""

    tally: Tally
    matched: list[tuple[Change, Message]]


def judge_channel(changes: Iterable[Change], messages: Iterable[Message]) -> Verdict:
    """Judge what one channel brought, where its messages say what they are about."""
    readers: dict[str, _Reader] = {}
    for change in changes:
        readers.setdefault(change.step, _Reader([])).ahead.append(change)
    for message in messages:
        for told in message.told or ():
            readers.setdefault(told.step, _Reader([])).read(told.healths, message)
    tally = sum((reader.tally for reader in readers.values()), Tally())
    return Verdict(tally, [pair for reader in readers.values() for pair in reader.matched])


def judge_kinds(changes: Iterable[Change], messages: Iterable[Message]) -> Verdict:
    """Judge what one channel brought, where only the kinds of its messages are known: each tells all that is open."""
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
    return Verdict(Tally(delivered + lost, delivered, lost, false, duplicated, explained), matched)

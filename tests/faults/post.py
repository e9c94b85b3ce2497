"""Which messages must leave in each run? Follows from what had to be told and from how the channels were."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.language import CHANNEL, PERSON_SEES, REFUSING, SIGHT, SPOKEN, TAKEN, UNIT
from tests.faults.records import Record
from tests.faults.truth import Change, is_silenced

# From this run on that an alert waits, the channel itself is told of by the others, and the exit code is 69.
ALARMING_RUNS = 3
# So many earlier changes are told one by one; what is left out of them is LEFT_OUT here.
MAX_EARLIER = 12
LEFT_OUT = "?"


Cut = list[tuple[str, Change]]


class Letter(NamedTuple):
    """One message as it must be: its kind, and the healths that it tells of by step."""

    kind: str
    told: dict[str, tuple[str, ...]]

    @property
    def is_merged(self) -> bool:
        """Say whether it tells more than one change of a step."""
        return any(len(healths) > 1 for healths in self.told.values())


class Due(NamedTuple):
    """What a run must have done: letters by channel, what waits afterwards, and whether an exit code must warn."""

    sent: dict[str, list[Letter]]
    waiting: dict[str, Letter]
    is_alarming: bool
    changes: list[Change]


@dataclass
class Post:
    """The outboxes of the channels, as they must be.

    By channel, `cut` is what nobody needs to hear of any more, `seen` what was read though mailmon does not know it.
    `handed_on` are the ends that others inherited from a channel that is gone.
    """

    waiting: dict[str, list[Change]]
    runs: dict[str, int] = field(default_factory=dict)
    is_down: dict[str, frozenset[str]] = field(default_factory=dict)
    cut: Cut = field(default_factory=list)
    handed_on: set[Change] = field(default_factory=set)
    seen: list[tuple[str, Change]] = field(default_factory=list)

    def deliver(self, record: Record, news: list[Change]) -> Due:
        """Return what one run must send; where nothing can be remembered, what waits is as it was."""
        before = deepcopy((self.waiting, self.runs, self.is_down))
        due = self._deliver(record, news) if record.run.unit not in SPOKEN else self._due({}, set(), [])
        if record.disk == "nothing":
            for channel, waiting in before[0].items():  # what could not be told now will be news again
                self._cut(lambda change, known=waiting: change not in known, [channel])  # type: ignore[misc]
            self.waiting, self.runs, self.is_down = before
        return due

    def close(self, last: Record) -> None:
        """Nobody reads a channel any more that is gone in the end."""
        self._cut(lambda _: True, self.waiting.keys() - last.present)

    def put(self, changes: Iterable[Change]) -> None:
        """Let these changes wait for their channels."""
        for change in changes:
            for channel in sorted(change.channels):
                self.waiting[channel].append(change)

    def catch_up(self, record: Record) -> None:
        """After a kill: what waits is what mailmon itself still has; that nothing is missing is judged at the end."""
        outbox = (record.state or {}).get("outbox", [])
        for channel in self.waiting:
            mine = [entry for entry in outbox if entry["channel"] == channel]
            if not mine:
                self.waiting[channel] = []
            self.runs[channel] = max((entry.get("runs", 0) for entry in mine), default=0)

    def _deliver(self, record: Record, news: list[Change]) -> Due:
        inherited = self._inherited(record)
        self.put([*inherited, *news])
        if record.run.is_complete:
            self._cut_removed(record)
        first, failed = self._send_all(record, lambda change: change.step.startswith(CHANNEL), set())
        alarming = {channel for channel in failed if self._is_alarming(record, channel)}
        about = [change for channel in self.waiting for change in self._of_channel(record, channel, alarming, first)]
        self.put(about)
        for channel in self.waiting:
            self._cut_moot(channel)
        # A channel's news are sent when this run knows how all channels are, not to those that did not answer.
        second, late = self._send_all(record, lambda _: False, failed)
        alarming |= {channel for channel in late if self._is_alarming(record, channel)}
        sent = {channel: [*first[channel], *second[channel]] for channel in self.waiting}
        return self._due(sent, alarming, [*inherited, *about])

    def _due(self, sent: dict[str, list[Letter]], alarming: set[str], changes: list[Change]) -> Due:
        left = {channel: letter_of(waiting) for channel, waiting in self.waiting.items() if waiting}
        return Due({channel: sent.get(channel, []) for channel in self.waiting}, left, bool(alarming), changes)

    def _inherited(self, record: Record) -> list[Change]:
        """Return the ends that wait for channels which are gone, where nobody who is there was to hear of them."""
        if not record.present:
            return []
        gone = [change for channel in self.waiting.keys() - record.present for change in self.waiting[channel]]
        ends = [c for c in gone if c.to == "up" and not c.step.startswith(CHANNEL) and not c.channels & record.present]
        # Who is gone may come back, and hears of it then; but nobody inherits it twice.
        heirless = dict.fromkeys(change for change in ends if change not in self.handed_on)
        self.handed_on.update(heirless)
        return [change._replace(channels=record.present) for change in heirless]

    def _cut_removed(self, record: Record) -> None:
        """Nobody wants to hear of what is no longer configured."""
        configured = {*record.sights, SIGHT, *(CHANNEL + name for name in {*record.present, *self.is_down})}
        self._cut(lambda change: not change.step.startswith(UNIT) and change.step not in configured, self.waiting)

    def _cut_moot(self, channel: str) -> None:
        """Of a channel's trouble that nobody has heard of, and that is over, nobody need hear."""
        stories: dict[str, list[str]] = {}
        for change in self.waiting[channel]:
            stories.setdefault(change.step, []).append(change.to)
        moot = {s for s, tos in stories.items() if s.startswith(CHANNEL) and (tos[0], tos[-1]) == ("down", "up")}
        self._cut(lambda change: change.step in moot, [channel])

    def _cut(self, is_cut: Callable[[Change], bool], channels: Iterable[str]) -> None:
        for channel in channels:
            self.cut += [(channel, change) for change in self.waiting[channel] if is_cut(change)]
            self.waiting[channel] = [change for change in self.waiting[channel] if not is_cut(change)]

    def _send_all(
        self, record: Record, is_held: Callable[[Change], bool], resting: set[str]
    ) -> tuple[dict[str, list[Letter]], set[str]]:
        """Return what the channels get, and those that do not take it."""
        letters: dict[str, list[Letter]] = {channel: [] for channel in self.waiting}
        failed = set()
        for channel in sorted(record.present - resting):
            waiting = self.waiting[channel]
            held = [change for change in waiting if is_held(change) or is_silenced(change.step, record.silenced)]
            ready = [change for change in waiting if change not in held]
            if ready and record.modes[channel] not in TAKEN:
                self.runs[channel] = self.runs.get(channel, 0) + 1
                failed.add(channel)
                self.seen += [(channel, change) for change in ready if record.modes[channel] in PERSON_SEES]
            elif ready:
                self.waiting[channel], self.runs[channel] = held, 0
                self.cut += {(channel, change) for change in _outdated(ready)} - set(self.seen)
                letters[channel] = [letter_of(ready)]
        return letters, failed

    def _is_alarming(self, record: Record, channel: str) -> bool:
        return record.modes[channel] in REFUSING or self.runs[channel] >= ALARMING_RUNS

    def _of_channel(
        self, record: Record, channel: str, alarming: set[str], sent: dict[str, list[Letter]]
    ) -> Iterable[Change]:
        """Yield what the others must be told of a channel."""
        others = record.present - {channel}
        known = self.is_down.get(channel, frozenset())
        if channel in alarming and (channel not in self.is_down or (others and not others & known)):
            self.is_down[channel] = others | known
            yield Change(CHANNEL + channel, "down", record.number, record.number, channels=others | known)
        elif sent[channel] and channel in self.is_down:
            heard = self.is_down.pop(channel)
            yield Change(CHANNEL + channel, "up", record.number, record.number, channels=heard)


def letter_of(changes: Iterable[Change]) -> Letter:
    """Return the one message that tells all these changes."""
    told: dict[str, tuple[str, ...]] = {}
    changes = list(changes)
    outdated = _outdated(changes)
    for change in [change for change in changes if change not in outdated]:
        before = told.get(change.step, ())
        told[change.step] = before if before[-1:] == (change.to,) else (*before, change.to)
    ends = {healths[-1] for healths in told.values()}
    kind = "problem" if "down" in ends else "warning" if ends & {"degraded", "unknown"} else "recovery"
    return Letter(kind, {step: _shortened(healths) for step, healths in told.items()})


def _outdated(changes: list[Change]) -> list[Change]:
    """Return the causes and reminders of a failure that people know of, where something else has followed by now."""
    firsts: dict[str, Change] = {}
    for change in changes:
        firsts.setdefault(change.step, change)
    openers = [change for change in changes if change.is_cause and firsts[change.step].is_cause]
    return [c for c in openers if any(later.step == c.step and later.to != c.to for later in changes)]


def _shortened(healths: tuple[str, ...]) -> tuple[str, ...]:
    left_out = len(healths) - 1 - MAX_EARLIER
    return healths if left_out <= 0 else (healths[0], *[LEFT_OUT] * left_out, *healths[-MAX_EARLIER:])

"""A model of the outbox: the messages that each run must send, given the changes and the channels' modes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.dsl import CHANNEL, NETWORK, PERSON_SEES, REFUSING, REPORTED_EXITS, TAKEN, UNIT
from tests.faults.oracle import Change, is_silenced
from tests.faults.recorder import Record

# From this run on that an alert is pending, the other channels report the channel itself, and the exit code is 69.
ALARMING_RUNS = 3
# That many earlier changes are listed in an alert; LEFT_OUT stands for those that are not.
MAX_EARLIER = 12
LEFT_OUT = "?"


Dropped = list[tuple[str, Change]]


class ExpectedMessage(NamedTuple):
    """One message as it must be: its kind, and the healths that it reports by step."""

    kind: str
    healths: dict[str, tuple[str, ...]]

    @property
    def is_merged(self) -> bool:
        """Report whether it contains more than one change of a step."""
        return any(len(each) > 1 for each in self.healths.values())


class Due(NamedTuple):
    """What a run must have done: messages by channel, what is pending afterwards, and whether the exit code is 69."""

    sent: dict[str, list[ExpectedMessage]]
    waiting: dict[str, ExpectedMessage]
    is_alarming: bool
    changes: list[Change]


@dataclass
class OutboxModel:
    """The outboxes of the channels, as they must be.

    By channel, `dropped` is what need not be announced any more, `seen` what arrived without an acknowledgement.
    `handed_on` are the recoveries that other channels inherited from a channel that is gone.
    """

    waiting: dict[str, list[Change]]
    runs: dict[str, int] = field(default_factory=dict)
    is_down: dict[str, frozenset[str]] = field(default_factory=dict)
    dropped: Dropped = field(default_factory=list)
    handed_on: set[Change] = field(default_factory=set)
    seen: list[tuple[str, Change]] = field(default_factory=list)

    def deliver(self, record: Record, changes: list[Change]) -> Due:
        """Return what one run must send; if nothing can be saved, the outbox stays as it was."""
        before = deepcopy((self.waiting, self.runs, self.is_down))
        due = self._deliver(record, changes) if record.run.unit not in REPORTED_EXITS else self._due({}, set(), [])
        if record.disk == "nothing":
            for channel, waiting in before[0].items():  # what could not be sent now will be a new change again
                self._drop(lambda change, known=waiting: change not in known, [channel])  # type: ignore[misc]
            self.waiting, self.runs, self.is_down = before
        return due

    def close(self, last: Record) -> None:
        """Drop what is pending for channels that are gone at the end."""
        self._drop(lambda _: True, self.waiting.keys() - last.present)

    def put(self, changes: Iterable[Change]) -> None:
        """Queue these changes for their channels."""
        for change in changes:
            for channel in sorted(change.channels):
                self.waiting[channel].append(change)

    def catch_up(self, record: Record) -> None:
        """After a kill, take over mailmon's own outbox; scoring finds at the end whether anything is missing."""
        outbox = (record.state or {}).get("outbox", [])
        for channel in self.waiting:
            mine = [entry for entry in outbox if entry["channel"] == channel]
            if not mine:
                self.waiting[channel] = []
            self.runs[channel] = max((entry.get("runs", 0) for entry in mine), default=0)

    def _deliver(self, record: Record, changes: list[Change]) -> Due:
        inherited = self._inherited(record)
        self.put([*inherited, *changes])
        if record.run.is_complete:
            self._drop_removed(record)
        first, failed = self._send_all(record, lambda change: change.step.startswith(CHANNEL), set())
        alarming = {channel for channel in failed if self._is_alarming(record, channel)}
        about = [change for channel in self.waiting for change in self._of_channel(record, channel, alarming, first)]
        self.put(about)
        for channel in self.waiting:
            self._drop_obsolete(channel)
        # Changes of a channel are sent once this run knows the state of all channels, not to those that did not answer.
        second, late = self._send_all(record, lambda _: False, failed)
        alarming |= {channel for channel in late if self._is_alarming(record, channel)}
        sent = {channel: [*first[channel], *second[channel]] for channel in self.waiting}
        return self._due(sent, alarming, [*inherited, *about])

    def _due(self, sent: dict[str, list[ExpectedMessage]], alarming: set[str], changes: list[Change]) -> Due:
        left = {channel: message_for(waiting) for channel, waiting in self.waiting.items() if waiting}
        return Due({channel: sent.get(channel, []) for channel in self.waiting}, left, bool(alarming), changes)

    def _inherited(self, record: Record) -> list[Change]:
        """Return the recoveries pending for channels that are gone, if no present channel was to announce them."""
        if not record.present:
            return []
        gone = [change for channel in self.waiting.keys() - record.present for change in self.waiting[channel]]
        ends = [c for c in gone if c.to == "up" and not c.step.startswith(CHANNEL) and not c.channels & record.present]
        # A channel that is gone may come back and announce it then; but it is inherited only once.
        heirless = dict.fromkeys(change for change in ends if change not in self.handed_on)
        self.handed_on.update(heirless)
        return [change._replace(channels=record.present) for change in heirless]

    def _drop_removed(self, record: Record) -> None:
        """Drop changes of what is no longer configured."""
        configured = {*record.observations, NETWORK, *(CHANNEL + name for name in {*record.present, *self.is_down})}
        self._drop(lambda change: not change.step.startswith(UNIT) and change.step not in configured, self.waiting)

    def _drop_obsolete(self, channel: str) -> None:
        """Drop a channel's failure that was never announced and is over."""
        by_step: dict[str, list[str]] = {}
        for change in self.waiting[channel]:
            by_step.setdefault(change.step, []).append(change.to)
        obsolete = {s for s, tos in by_step.items() if s.startswith(CHANNEL) and (tos[0], tos[-1]) == ("down", "up")}
        self._drop(lambda change: change.step in obsolete, [channel])

    def _drop(self, is_dropped: Callable[[Change], bool], channels: Iterable[str]) -> None:
        for channel in channels:
            self.dropped += [(channel, change) for change in self.waiting[channel] if is_dropped(change)]
            self.waiting[channel] = [change for change in self.waiting[channel] if not is_dropped(change)]

    def _send_all(
        self, record: Record, is_held: Callable[[Change], bool], resting: set[str]
    ) -> tuple[dict[str, list[ExpectedMessage]], set[str]]:
        """Return what the channels get, and the channels that do not take it."""
        messages: dict[str, list[ExpectedMessage]] = {channel: [] for channel in self.waiting}
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
                self.dropped += {(channel, change) for change in _outdated(ready)} - set(self.seen)
                messages[channel] = [message_for(ready)]
        return messages, failed

    def _is_alarming(self, record: Record, channel: str) -> bool:
        return record.modes[channel] in REFUSING or self.runs[channel] >= ALARMING_RUNS

    def _of_channel(
        self, record: Record, channel: str, alarming: set[str], sent: dict[str, list[ExpectedMessage]]
    ) -> Iterable[Change]:
        """Yield what the other channels must announce about a channel."""
        others = record.present - {channel}
        known = self.is_down.get(channel, frozenset())
        if channel in alarming and (channel not in self.is_down or (others and not others & known)):
            self.is_down[channel] = others | known
            yield Change(CHANNEL + channel, "down", record.number, record.number, channels=others | known)
        elif sent[channel] and channel in self.is_down:
            informed = self.is_down.pop(channel)
            yield Change(CHANNEL + channel, "up", record.number, record.number, channels=informed)


def message_for(changes: Iterable[Change]) -> ExpectedMessage:
    """Return the one message that reports all these changes."""
    healths: dict[str, tuple[str, ...]] = {}
    changes = list(changes)
    outdated = _outdated(changes)
    for change in [change for change in changes if change not in outdated]:
        before = healths.get(change.step, ())
        healths[change.step] = before if before[-1:] == (change.to,) else (*before, change.to)
    ends = {each[-1] for each in healths.values()}
    kind = "problem" if "down" in ends else "warning" if ends & {"degraded", "unknown"} else "recovery"
    return ExpectedMessage(kind, {step: _shortened(each) for step, each in healths.items()})


def _outdated(changes: list[Change]) -> list[Change]:
    """Return the causes and reminders of an announced failure that something else has followed by now."""
    firsts: dict[str, Change] = {}
    for change in changes:
        firsts.setdefault(change.step, change)
    openers = [change for change in changes if change.is_cause and firsts[change.step].is_cause]
    return [c for c in openers if any(later.step == c.step and later.to != c.to for later in changes)]


def _shortened(healths: tuple[str, ...]) -> tuple[str, ...]:
    left_out = len(healths) - 1 - MAX_EARLIER
    return healths if left_out <= 0 else (healths[0], *[LEFT_OUT] * left_out, *healths[-MAX_EARLIER:])

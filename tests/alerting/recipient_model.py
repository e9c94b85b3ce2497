"""Those who read a channel: what they were told, what waits for them, and what they believe by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from mailmon.alerting.outbox import MAX_HISTORY
from mailmon.model import Change, Health, News, OutboxEntry

Place = tuple[str, str]


def assumed_health(health: Health) -> Health:
    """Return what people take it for who were told nothing: that all is well."""
    return Health.UP if health is Health.NEW else health


class RecipientModel:
    """The readers of all channels, by channel and step."""

    def __init__(self) -> None:
        self.beliefs: dict[Place, Health] = {}
        self.pending: defaultdict[Place, list[Change]] = defaultdict(list)
        # the channels that were to hear of a step since it was last well
        self.informed: defaultdict[str, set[str]] = defaultdict(set)
        self.has_begun_late: set[Place] = set()
        self.ids: set[Place] = set()

    def expecting(self, channel: str, step_id: str) -> Health:
        """Return what a reader will believe when he has read what waits for him."""
        waiting = self.pending[channel, step_id]
        return assumed_health(waiting[-1].after) if waiting else self.beliefs.get((channel, step_id), Health.UP)

    def owe(self, change: Change) -> None:
        """Take note of what some channels have to be told; it must go on from what their readers know."""
        sequence = self.informed[change.id]
        for channel in change.channels:
            place = (channel, change.id)
            known = self.expecting(*place)
            if channel not in sequence:
                assert known is Health.UP
                if assumed_health(change.before) is not Health.UP:
                    self.has_begun_late.add(place)
            elif change.news is News.CHANGE:
                assert known is assumed_health(change.before)
                assert known is not change.after
            else:
                assert known is change.after
            self.pending[place].append(change)
        sequence |= set(change.channels)
        if change.after is Health.UP:
            sequence.clear()

    def read(self, entry: OutboxEntry) -> None:
        """Let the reader of a channel fold an alert into what he believes."""
        place = (entry.channel, entry.alert.id)
        # A receiver would drop it as a repetition. Parts that two silences held back: test_outbox.py.
        assert place not in self.ids
        self.ids.add(place)
        for change in entry.alert.changes:
            place = (entry.channel, change.id)
            belief = self.beliefs.get(place, Health.UP)
            if place in self.has_begun_late:
                assert belief in (Health.UP, assumed_health(change.before))
            elif change.news is News.CHANGE:
                assert belief is assumed_health(change.before)
                assert change.after is not belief or change.history
            else:
                assert belief is change.after
            self.beliefs[place] = change.after
            self.pending[place].clear()
            self.has_begun_late.discard(place)

    def forget(self, *, channel: str = "", step_id: str = "") -> None:
        """Drop what waits for a channel that is gone, or is about a step that is gone."""
        for place in self.pending:
            if channel in place or step_id in place:
                self.pending[place].clear()
        for sequence in self.informed.values():
            sequence.discard(channel)

    def check(self, outbox: Iterable[OutboxEntry], channels: Collection[str]) -> None:
        """Assert that all that is owed waits, each change of it counted and in its order."""
        waiting: defaultdict[Place, list[Change]] = defaultdict(list)
        for entry in outbox:
            for change in entry.alert.changes:
                waiting[entry.channel, change.id].append(change)
        assert {place for place, changes in self.pending.items() if changes} == set(waiting)
        assert {channel for channel, _ in waiting} <= set(channels)
        for place, (change,) in waiting.items():
            told = self.pending[place]
            changes = [late for n, late in enumerate(told) if n == 0 or late.after is not told[n - 1].after]
            assert change.after is told[-1].after
            assert len(change.history) <= MAX_HISTORY
            if place in self.has_begun_late:
                continue
            assert change.at == changes[-1].at
            # A reminder or another cause is no change that people have not heard of.
            unheard = changes[:-1] if told[0].news is News.CHANGE else changes[1:-1]
            assert len(change.history) + change.more == len(unheard)
            # What is seen again began when it began, before it could not be checked; an end comes last.
            assert change.after is not Health.UP or all(past.at <= change.at for past in change.history)

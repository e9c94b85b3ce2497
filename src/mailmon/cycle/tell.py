"""Who is told of a run's outcomes, and is it remembered who knows? Judged, put into the outbox, saved, then sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mailmon.cycle.announce import Desk, deliver
from mailmon.cycle.report import AlertLine
from mailmon.cycle.topics import CHANNEL, channel_outcomes, topics_of
from mailmon.judge import enqueue, judge, part_by_silence
from mailmon.model import Delivery, Flip, OutboxEntry, Outcome, Topic
from mailmon.store.keeper import Keeper
from mailmon.store.state import State

MAX_DELIVERIES = 50
HELD_BACK = "held back by a silence"


class Told(NamedTuple):
    """The state in which the flips of a run wait in the outbox."""

    state: State
    flips: tuple[Flip, ...]


class Telling(NamedTuple):
    """How people are told in one run: the id of its alerts, its time, and what is silent."""

    run_id: str
    now: datetime
    desk: Desk
    silenced: Collection[str] = ()

    def take_in(
        self,
        state: State,
        outcomes: Sequence[Outcome],
        topics: Mapping[str, Topic],
        *,
        is_blind: bool = False,
        annotate: Callable[[Flip], Flip] = lambda flip: flip,
    ) -> Told:
        """Return the state after some outcomes, with what people must hear of them in its outbox. Does no I/O."""
        memories, flips = judge(
            state.checks,
            outcomes,
            topics,
            self.now,
            alert_id=self.run_id,
            silenced=self.silenced,
            is_blind=is_blind,
        )
        flips = [self._elsewhere(annotate(flip)) for flip in flips]
        outbox = enqueue(state.outbox, flips, self.desk.channels, self.now, self.run_id)
        return Told(state._replace(checks=memories, outbox=tuple(outbox)), tuple(flips))

    def send(self, keeper: Keeper) -> list[AlertLine]:
        """Send what waits, then tell by the other channels of those that do not take their alerts."""
        lines = self._send(keeper, frozenset())
        outcomes = channel_outcomes(lines, keeper.state.checks)
        told = self.take_in(keeper.state, outcomes, topics_of((), (), {}, [outcome.id for outcome in outcomes]))
        if told.state != keeper.state:
            keeper.save(checks=told.state.checks, outbox=told.state.outbox)
        if told.flips:
            lines += self._send(keeper, {line.channel for line in lines if line.status == "pending"})
        return lines

    def _send(self, keeper: Keeper, left_alone: Collection[str]) -> list[AlertLine]:
        """Send what waits, but not to those that did not answer just now; remember every acknowledgement."""
        ready, held = part_by_silence(keeper.state.outbox, self.silenced)
        resting = [entry for entry in ready if entry.channel in left_alone]
        waiting = [entry for entry in ready if entry not in resting]

        def remember(left: Sequence[OutboxEntry], *done: Delivery) -> None:
            deliveries = (*keeper.state.deliveries, *done)[-MAX_DELIVERIES:]
            keeper.save(outbox=(*left, *resting, *held), deliveries=deliveries)

        def on_sent(entry: OutboxEntry) -> None:
            waiting.remove(entry)
            alert = entry.alert
            remember(waiting, Delivery(alert.id, entry.channel, "sent", alert.title, alert.at, self.now))

        left, lines = deliver(tuple(waiting), self.desk, on_sent)
        dropped = [
            Delivery(line.id, line.channel, line.status, line.title, self.now, self.now, line.error)
            for line in lines
            if line.status == "dropped"
        ]
        if dropped or (*left, *resting, *held) != keeper.state.outbox:
            remember(left, *dropped)
        lines += [AlertLine(e.alert.id, e.channel, "pending", e.alert.title, HELD_BACK) for e in held]
        return lines

    def _delivery(
        self, alert_id: str, channel: str, status: str, title: str, at: datetime, error: str = ""
    ) -> Delivery:
        return Delivery(alert_id, channel, status, title, at, self.now, error)

    def _elsewhere(self, flip: Flip) -> Flip:
        """Tell of a channel that does not get through by all the others."""
        if not flip.id.startswith(CHANNEL):
            return flip
        return flip._replace(channels=tuple(name for name in self.desk.channels if f"{CHANNEL}{name}" != flip.id))

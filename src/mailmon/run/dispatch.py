"""Who is told of a run's outcomes, and is it remembered who knows? Judged, put into the outbox, saved, then sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mailmon.alerting import compose, enqueue, handed_on, is_good_news, joined, judge, part, standing, without
from mailmon.mail.localtime import local
from mailmon.model import Alert, AlertSubject, Change, CheckState, Delivery, Health, OutboxEntry, Outcome, Standing
from mailmon.model.run import AlertLine
from mailmon.run.delivery import DeliveryContext, deliver
from mailmon.run.subjects import CHANNEL, channel_outcomes, topics_of
from mailmon.store.keeper import Keeper
from mailmon.store.state import State

MAX_DELIVERIES = 50
HELD_BACK = "held back by a silence"


class Taken(NamedTuple):
    """The state in which the flips of a run wait in the outbox."""

    state: State
    flips: tuple[Change, ...]


class Telling(NamedTuple):
    """How people are told in one run: the id of its alerts, its time, and what is silent.

    `topics` returns how what is remembered is spoken of; asked only when good news goes out.
    """

    run_id: str
    now: datetime
    desk: DeliveryContext
    silenced: Collection[str] = ()
    topics: Callable[[Collection[str]], Mapping[str, AlertSubject]] = lambda ids: topics_of((), (), {}, ids)

    def take_in(
        self,
        state: State,
        outcomes: Sequence[Outcome],
        topics: Mapping[str, AlertSubject],
        *,
        is_blind: bool = False,
        annotate: Callable[[Change], Change] = lambda flip: flip,
    ) -> Taken:
        """Return the state after some outcomes, with what people must hear of them in its outbox. Does no I/O."""
        channels = tuple(self.desk.channels)
        memories, flips = judge(
            state.checks,
            outcomes,
            topics,
            self.now,
            alert_id=self.run_id,
            channels=channels,
            silenced=self.silenced,
            is_blind=is_blind,
        )
        flips = [annotate(flip) for flip in flips]
        names = dict.fromkeys([*channels, *(name for flip in flips for name in flip.channels)])
        outbox = enqueue(state.outbox, flips, names, self.now, self.run_id)
        outbox = handed_on(outbox, channels, self.now, self.run_id, lambda flip: not _is_of_channel(flip))
        return Taken(state._replace(checks=memories, outbox=tuple(outbox)), tuple(flips))

    def send(self, keeper: Keeper) -> tuple[list[AlertLine], tuple[Change, ...]]:
        """Send what waits, then tell by the other channels of those that do not take their alerts.

        What is known of a channel waits until this run has tried it. Returns what became of each alert, and the flips
        of the channels.
        """
        lines = self._send(keeper, lambda flip: self._is_silent(flip) or _is_of_channel(flip), frozenset())
        outcomes = channel_outcomes(lines, keeper.state.checks)
        # An id of its own: a receiver that drops repetitions must not take it for the alert that went before.
        second = self._replace(run_id=f"{self.run_id}-2")
        taken = second.take_in(keeper.state, outcomes, topics_of((), (), {}, [outcome.id for outcome in outcomes]))
        state = taken.state._replace(outbox=tuple(without(taken.state.outbox, _is_moot)))
        if state != keeper.state:
            keeper.save(checks=state.checks, outbox=state.outbox)
        resting = {line.channel for line in lines if line.status == "pending"}
        if any(_is_of_channel(flip) for entry in state.outbox for flip in entry.alert.flips):
            lines += second._send(keeper, self._is_silent, resting)
        _, held = part(keeper.state.outbox, self._is_silent)
        lines += [AlertLine(e.alert.id, e.channel, "pending", e.alert.title, HELD_BACK) for e in held]
        return lines, taken.flips

    def send_more(
        self, keeper: Keeper, outcome: Outcome, topic: AlertSubject, earlier: Sequence[AlertLine]
    ) -> tuple[list[AlertLine], tuple[Change, ...]]:
        """Take in what became known after all else was sent, and send it, but not to those who took nothing before."""
        later = self._replace(run_id=f"{self.run_id}-3")
        taken = later.take_in(keeper.state, [outcome], {outcome.id: topic})
        if taken.state != keeper.state:
            keeper.save(checks=taken.state.checks, outbox=taken.state.outbox)
        resting = {line.channel for line in earlier if line.status == "pending"}
        return (later._send(keeper, self._is_silent, resting) if taken.flips else []), taken.flips

    def previews(self, taken: Taken) -> tuple[Alert, ...]:
        """Return the alerts that would be sent now, what waits included; without channels what they would have got."""
        checks = taken.state.checks
        ready = [self._up_to_date(entry, checks) for entry in part(taken.state.outbox, self._is_silent)[0]]
        alerts = tuple(dict.fromkeys(entry.alert for entry in ready if entry.channel in self.desk.channels))
        left = () if self.desk.channels else self._standing(checks, taken.flips, "")
        alone = None if self.desk.channels else compose(taken.flips, self.now, self.run_id, left)
        return (*alerts, alone) if alone else alerts

    def _send(self, keeper: Keeper, is_held: Callable[[Change], bool], left_alone: Collection[str]) -> list[AlertLine]:
        """Send what waits, but not to those that did not answer just now; remember every acknowledgement."""
        loud, held = part(keeper.state.outbox, is_held)
        checks = keeper.state.checks
        ready = [self._up_to_date(entry, checks) for entry in joined(loud, self.now, self.run_id)]
        resting = [entry for entry in ready if entry.channel in left_alone]
        waiting = [entry for entry in ready if entry not in resting]
        if (*ready, *held) != keeper.state.outbox:
            keeper.save(outbox=(*ready, *held))

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
        return lines

    def _up_to_date(self, entry: OutboxEntry, checks: Mapping[str, CheckState]) -> OutboxEntry:
        """Say the date of what is told on another day than it was composed, and with good news what is not well."""
        alert = entry.alert
        is_today = local(alert.at).date() == local(self.now).date()
        if not alert.flips or (is_today and not is_good_news(alert.flips)):
            return entry
        again = compose(alert.flips, self.now, alert.id, self._standing(checks, alert.flips, entry.channel))
        return entry._replace(alert=again._replace(at=alert.at)) if again else entry

    def _standing(self, checks: Mapping[str, CheckState], flips: Sequence[Change], channel: str) -> list[Standing]:
        """Return what is not well and is not told of anyhow. A channel speaks for itself when it has been tried."""
        told = {flip.id for flip in flips}
        others = {key: memory for key, memory in checks.items() if key not in told and not key.startswith(CHANNEL)}
        return standing(others, self.topics(others), channel, self.silenced)

    def _is_silent(self, flip: Change) -> bool:
        return not set(self.silenced).isdisjoint(flip.names)


def _is_of_channel(flip: Change) -> bool:
    return flip.id.startswith(CHANNEL)


def _is_moot(flip: Change) -> bool:
    """Say whether nobody has heard of a channel's trouble, which is over: what it owed has been told by then."""
    was_unheard = flip.before in (Health.NEW, Health.UP) and bool(flip.history)
    return _is_of_channel(flip) and flip.after is Health.UP and was_unheard

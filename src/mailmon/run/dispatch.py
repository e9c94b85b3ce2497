"""From the outcomes of a run to alerts: evaluated, put into the outbox, saved, then sent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mailmon.alerting import combine, compose, discard, enqueue, evaluate, is_good_news, open_problems, reassign, split
from mailmon.mail.localtime import local
from mailmon.model import (
    Alert,
    AlertSubject,
    Change,
    CheckState,
    Delivery,
    Health,
    OpenProblem,
    OutboxEntry,
    Outcome,
    Quiet,
)
from mailmon.model.run import AlertLine
from mailmon.run.delivery import DeliveryContext, deliver, line_of
from mailmon.run.subjects import CHANNEL, channel_outcomes, subjects_of
from mailmon.store.keeper import Keeper
from mailmon.store.state import State

MAX_DELIVERIES = 50
HELD_BACK = "held back by a silence"


class Evaluated(NamedTuple):
    """The state in which the changes of a run wait in the outbox, and why no alert is sent about other steps."""

    state: State
    changes: tuple[Change, ...]
    quiet: Mapping[str, Quiet] = {}


class Dispatch(NamedTuple):
    """The alerts of one run: their id, its time, the channels, and the end of each silence by its name.

    `subjects` returns what alerts may be about, by id; called only when a recovery is announced.
    """

    run_id: str
    now: datetime
    context: DeliveryContext
    silenced: Mapping[str, datetime] = {}
    subjects: Callable[[Collection[str]], Mapping[str, AlertSubject]] = lambda ids: subjects_of((), (), {}, ids)

    def evaluate(
        self,
        state: State,
        outcomes: Sequence[Outcome],
        subjects: Mapping[str, AlertSubject],
        *,
        is_offline: bool = False,
        annotate: Callable[[Change], Change] = lambda change: change,
    ) -> Evaluated:
        """Return the state after some outcomes, with their alerts in its outbox. Does no I/O."""
        channels = tuple(self.context.channels)
        found = evaluate(
            state.checks,
            outcomes,
            subjects,
            self.now,
            alert_id=self.run_id,
            channels=channels,
            silenced=self.silenced,
            is_offline=is_offline,
        )
        changes = [annotate(change) for change in found.changes]
        names = dict.fromkeys([*channels, *(name for change in changes for name in change.channels)])
        outbox = enqueue(state.outbox, changes, names, self.now, self.run_id)
        outbox = reassign(outbox, channels, self.now, self.run_id, lambda change: not _is_of_channel(change))
        return Evaluated(state._replace(checks=found.states, outbox=tuple(outbox)), tuple(changes), found.quiet)

    def send(self, keeper: Keeper) -> tuple[list[AlertLine], tuple[Change, ...]]:
        """Send what waits, then alert on the other channels about those that do not take their alerts.

        An alert about a channel waits until this run has tried it. Returns what became of each alert, and the changes
        of the channels.
        """
        lines = self._send(keeper, lambda change: self._is_silenced(change) or _is_of_channel(change), frozenset())
        outcomes = channel_outcomes(lines, keeper.state.checks)
        # An id of its own: a receiver that drops repetitions must not take it for the alert that went before.
        second = self._replace(run_id=f"{self.run_id}-2")
        evaluated = second.evaluate(
            keeper.state, outcomes, subjects_of((), (), {}, [outcome.id for outcome in outcomes])
        )
        state = evaluated.state._replace(outbox=tuple(discard(evaluated.state.outbox, _is_moot)))
        if state != keeper.state:
            keeper.save(checks=state.checks, outbox=state.outbox)
        resting = {line.channel for line in lines if line.status == "pending"}
        if any(_is_of_channel(change) for entry in state.outbox for change in entry.alert.changes):
            lines += second._send(keeper, self._is_silenced, resting)
        _, held = split(keeper.state.outbox, self._is_silenced)
        lines += [line_of(entry, "pending", HELD_BACK) for entry in held]
        return lines, evaluated.changes

    def send_more(
        self, keeper: Keeper, outcome: Outcome, subject: AlertSubject, earlier: Sequence[AlertLine]
    ) -> tuple[list[AlertLine], tuple[Change, ...]]:
        """Evaluate what became known after all else was sent, and send it where earlier alerts were taken."""
        later = self._replace(run_id=f"{self.run_id}-3")
        evaluated = later.evaluate(keeper.state, [outcome], {outcome.id: subject})
        if evaluated.state != keeper.state:
            keeper.save(checks=evaluated.state.checks, outbox=evaluated.state.outbox)
        resting = {line.channel for line in earlier if line.status == "pending"}
        return (later._send(keeper, self._is_silenced, resting) if evaluated.changes else []), evaluated.changes

    def previews(self, evaluated: Evaluated) -> tuple[Alert, ...]:
        """Return the alerts that would be sent now, what waits included; without channels what they would have got."""
        checks = evaluated.state.checks
        ready = [self._up_to_date(entry, checks) for entry in split(evaluated.state.outbox, self._is_silenced)[0]]
        alerts = tuple(dict.fromkeys(entry.alert for entry in ready if entry.channel in self.context.channels))
        left = () if self.context.channels else self._open_problems(checks, evaluated.changes, "")
        alone = None if self.context.channels else compose(evaluated.changes, self.now, self.run_id, left)
        return (*alerts, alone) if alone else alerts

    def _send(self, keeper: Keeper, is_held: Callable[[Change], bool], left_alone: Collection[str]) -> list[AlertLine]:
        """Send what waits, but not on channels that did not answer just now; save every acknowledgement."""
        loud, held = split(keeper.state.outbox, is_held)
        checks = keeper.state.checks
        ready = [self._up_to_date(entry, checks) for entry in combine(loud, self.now, self.run_id)]
        resting = [entry for entry in ready if entry.channel in left_alone]
        waiting = [entry for entry in ready if entry not in resting]
        if (*ready, *held) != keeper.state.outbox:
            keeper.save(outbox=(*ready, *held))

        def note(left: Sequence[OutboxEntry], *done: Delivery) -> None:
            deliveries = (*keeper.state.deliveries, *done)[-MAX_DELIVERIES:]
            keeper.save(outbox=(*left, *resting, *held), deliveries=deliveries)

        def on_sent(entry: OutboxEntry) -> None:
            waiting.remove(entry)
            alert = entry.alert
            note(waiting, Delivery(alert.id, entry.channel, "sent", alert.title, alert.at, self.now))

        left, lines = deliver(tuple(waiting), self.context, on_sent)
        dropped = [
            Delivery(line.id, line.channel, line.status, line.title, self.now, self.now, line.error)
            for line in lines
            if line.status == "dropped"
        ]
        if dropped or (*left, *resting, *held) != keeper.state.outbox:
            note(left, *dropped)
        return lines

    def _up_to_date(self, entry: OutboxEntry, checks: Mapping[str, CheckState]) -> OutboxEntry:
        """Return an alert of another day with its date, and a recovery with the problems that are left."""
        alert = entry.alert
        is_today = local(alert.at).date() == local(self.now).date()
        if not alert.changes or (is_today and not is_good_news(alert.changes)):
            return entry
        again = compose(alert.changes, self.now, alert.id, self._open_problems(checks, alert.changes, entry.channel))
        return entry._replace(alert=again._replace(at=alert.at)) if again else entry

    def _open_problems(
        self, checks: Mapping[str, CheckState], changes: Sequence[Change], channel: str
    ) -> list[OpenProblem]:
        """Return what is not healthy and not among the changes; channels are reported once they have been tried."""
        announced = {change.id for change in changes}
        others = {
            key: check_state
            for key, check_state in checks.items()
            if key not in announced and not key.startswith(CHANNEL)
        }
        return open_problems(others, self.subjects(others), channel, self.silenced)

    def _is_silenced(self, change: Change) -> bool:
        return not set(self.silenced).isdisjoint(change.names)


def _is_of_channel(change: Change) -> bool:
    return change.id.startswith(CHANNEL)


def _is_moot(change: Change) -> bool:
    """Return whether a channel failed and recovered before anybody was alerted: its alerts have been sent by then."""
    was_unheard = change.before in (Health.NEW, Health.UP) and bool(change.history)
    return _is_of_channel(change) and change.after is Health.UP and was_unheard

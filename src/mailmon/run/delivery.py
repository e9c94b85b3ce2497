"""The delivery of alerts: each waits in the outbox, on disk, until its channel has acknowledged it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from mailmon.clients.deadline import Deadline
from mailmon.errors import DeliveryError, MailmonError, place_of
from mailmon.model import Alert, OutboxEntry
from mailmon.model.run import PENDING_RUNS, AlertLine
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import AnyChannel

ATTEMPT_S = 10.0
# Waits between the attempts of one run. A channel that was silent in earlier runs too is asked less often, but never
# less than once a run: when it is back, nobody waits for a timer of ours.
PAUSES_S = (1.0, 3.0)
MIN_ATTEMPT_S = 0.5
# A channel may be missing from one run only, because a run by hand has another environment.
KEEP_GONE = timedelta(days=1)
NOT_CONFIGURED = "the channel is no longer configured"

_LEFT_ALONE = DeliveryError("the channel did not take an earlier alert")
_NO_TIME = DeliveryError("no time was left in this run")


class Sent(NamedTuple):
    """What became of one entry: None for an acknowledgement, else why not."""

    entry: OutboxEntry
    error: DeliveryError | None


class DeliveryContext(NamedTuple):
    """What deliveries need: the channels, the clocks, and how long there is."""

    channels: Mapping[str, AnyChannel]
    deadline: Deadline
    sleep: Callable[[float], None]
    now: datetime


def deliver(
    entries: Sequence[OutboxEntry], context: DeliveryContext, on_sent: Callable[[OutboxEntry], None]
) -> tuple[list[OutboxEntry], list[AlertLine]]:
    """Send what waits; `on_sent` is called after every acknowledgement, in the calling thread.

    Each channel has a thread of its own: one that hangs keeps no alert from the others. What is for a channel that is
    not configured waits for a day. Returns what still waits.
    """
    left, lines = [], []
    results: queue.SimpleQueue[Sent] = queue.SimpleQueue()
    outstanding: list[OutboxEntry] = []
    for name in dict.fromkeys(entry.channel for entry in entries):
        mine = [entry for entry in entries if entry.channel == name]
        if name not in context.channels:
            kept = [entry for entry in mine if context.now - entry.alert.at < KEEP_GONE]
            left += kept
            lines += [line_of(e, "pending" if e in kept else "dropped", NOT_CONFIGURED) for e in mine]
            continue
        outstanding += mine
        threading.Thread(target=_serve, args=(mine, context.channels[name], context, results), daemon=True).start()
    while outstanding:
        try:
            sent = results.get(timeout=context.deadline.remaining_s() + MIN_ATTEMPT_S)
        except queue.Empty:
            sent = Sent(outstanding[0], _NO_TIME)
        if sent.entry not in outstanding:
            continue
        outstanding.remove(sent.entry)
        if sent.error is None:
            on_sent(sent.entry)
            lines.append(line_of(sent.entry, "sent"))
        else:
            waiting = _still_waiting(sent.entry, sent.error, context.now)
            left.append(waiting)
            is_alarming = waiting.refused or waiting.runs >= PENDING_RUNS
            lines.append(line_of(waiting, "pending", waiting.error, is_alarming=is_alarming))
    return left, lines


def _serve(
    entries: Sequence[OutboxEntry], channel: AnyChannel, context: DeliveryContext, results: queue.SimpleQueue[Sent]
) -> None:
    """Send one channel's alerts, oldest first. One that it did not answer holds back those behind it."""
    is_silent = False
    for entry in entries:
        error = _LEFT_ALONE if is_silent else _attempt(entry, channel, context)
        is_silent = is_silent or (error is not None and not error.is_permanent)
        results.put(Sent(entry, error))


def _attempt(entry: OutboxEntry, channel: AnyChannel, context: DeliveryContext) -> DeliveryError | None:
    """Try, and try again as often as this run may; a channel that says when to come back is taken at its word."""
    if entry.not_before and context.now < entry.not_before:
        left_s = (entry.not_before - context.now).total_seconds()
        return DeliveryError(entry.error or "the channel asked to wait", retry_after_s=left_s)
    attempts = max(1 + len(PAUSES_S) - entry.runs, 1)
    number = 0
    while True:
        error = _send(entry.alert, channel, context.deadline)
        number += 1
        if error is None or error.is_permanent:
            return error
        asked_s = error.retry_after_s
        pause_s = PAUSES_S[min(number, len(PAUSES_S)) - 1] if asked_s is None else asked_s
        has_tried_enough = number >= (attempts if asked_s is None else attempts + 1)
        if has_tried_enough or pause_s + 1 >= context.deadline.bound_s(ATTEMPT_S):
            return error
        context.sleep(pause_s)


def _send(alert: Alert, channel: AnyChannel, deadline: Deadline) -> DeliveryError | None:
    timeout_s = deadline.bound_s(ATTEMPT_S)
    if timeout_s < MIN_ATTEMPT_S:
        return _NO_TIME
    try:
        NOTIFIERS[channel.options.type].send(alert, channel, timeout_s)
    except DeliveryError as exc:
        return exc
    except MailmonError as exc:
        return DeliveryError(exc.message, exc.advice)
    except Exception as exc:  # a channel's bug must not keep the alert from the other channels, nor be lost with it
        return DeliveryError(f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}")
    return None


def _still_waiting(entry: OutboxEntry, error: DeliveryError, now: datetime) -> OutboxEntry:
    waiting = entry._replace(runs=entry.runs + 1)
    if error in (_LEFT_ALONE, _NO_TIME) and entry.error:
        return waiting
    later = now + timedelta(seconds=error.retry_after_s) if error.retry_after_s is not None else None
    return waiting._replace(refused=error.is_permanent, error=_said(error), not_before=later)


def _said(error: DeliveryError) -> str:
    if not error.advice:
        return error.message
    return f"{error.message.removesuffix('.')}. {error.advice}"


def line_of(entry: OutboxEntry, status: str, error: str = "", *, is_alarming: bool = False) -> AlertLine:
    about = tuple(change.id for change in entry.alert.changes)
    return AlertLine(entry.alert.id, entry.channel, status, entry.alert.title, error, is_alarming, about)

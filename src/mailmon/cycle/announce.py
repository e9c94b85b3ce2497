"""Do alerts get to people? Each waits in the outbox, on disk, until its channel has acknowledged it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mailmon.clients.deadline import Deadline
from mailmon.cycle.report import PENDING_RUNS, AlertLine
from mailmon.errors import DeliveryError
from mailmon.model import Alert, OutboxEntry
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import AnyChannel

ATTEMPT_S = 10.0
MAX_ENTRIES = 200

_SKIPPED = DeliveryError("the channel did not take an earlier alert")


def enqueue(
    outbox: Sequence[OutboxEntry], alert: Alert | None, channels: Mapping[str, AnyChannel]
) -> list[OutboxEntry]:
    """Return the outbox with an alert for every channel behind what already waits, the newest MAX_ENTRIES at most."""
    entries = [*outbox, *(OutboxEntry(alert, name) for name in channels)] if alert else list(outbox)
    return entries[-MAX_ENTRIES:]


def deliver(
    outbox: Sequence[OutboxEntry],
    channels: Mapping[str, AnyChannel],
    deadline: Deadline,
    sleep: Callable[[float], None],
    remember: Callable[[Sequence[OutboxEntry]], None],
) -> tuple[list[OutboxEntry], list[AlertLine]]:
    """Send what waits, oldest first; `remember` is called after every acknowledgement. Returns what still waits.

    A channel that did not answer one alert is not asked again in this run, so that the order of its alerts is kept; one
    that refused an alert for good may take the next.
    """
    left, lines, silent = list(outbox), [], set()
    for entry in outbox:
        channel = channels.get(entry.channel)
        if channel is None:
            left.remove(entry)
            lines.append(_line(entry, "dropped", "the channel is no longer configured"))
            continue
        error = _SKIPPED if channel.name in silent else _attempt(entry.alert, channel, deadline, sleep)
        if error is None:
            left.remove(entry)
            remember(left)
            lines.append(_line(entry, "sent"))
            continue
        if not error.is_permanent:
            silent.add(channel.name)
        waiting = entry._replace(runs=entry.runs + 1)
        if error is not _SKIPPED or not entry.error:
            waiting = waiting._replace(refused=error.is_permanent, error=f"{error.message} {error.advice}".strip())
        left[left.index(entry)] = waiting
        is_alarming = waiting.refused or waiting.runs >= PENDING_RUNS
        lines.append(_line(entry, "pending", waiting.error, is_alarming=is_alarming))
    return left, lines


def _attempt(
    alert: Alert, channel: AnyChannel, deadline: Deadline, sleep: Callable[[float], None]
) -> DeliveryError | None:
    """Try once, and once more where the channel says when to come back and that is soon enough."""
    error = _send(alert, channel, deadline)
    if error and error.retry_after_s is not None and error.retry_after_s + 1 < deadline.bound_s(ATTEMPT_S):
        sleep(error.retry_after_s)
        error = _send(alert, channel, deadline)
    return error


def _send(alert: Alert, channel: AnyChannel, deadline: Deadline) -> DeliveryError | None:
    timeout_s = deadline.bound_s(ATTEMPT_S)
    if timeout_s < 0.5:
        return DeliveryError("no time was left in this run")
    try:
        NOTIFIERS[channel.options.type].send(alert, channel, timeout_s)
    except DeliveryError as exc:
        return exc
    return None


def _line(entry: OutboxEntry, status: str, error: str = "", *, is_alarming: bool = False) -> AlertLine:
    return AlertLine(entry.alert.id, entry.channel, status, entry.alert.title, error, is_alarming)

"""The outbox: at most one alert per channel, in which what is late is announced together with what is new. Pure."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from mailmon.alerting.wording import compose
from mailmon.model import Change, Health, News, OutboxEntry, Past


def enqueue(
    outbox: Sequence[OutboxEntry], changes: Sequence[Change], channels: Iterable[str], now: datetime, alert_id: str
) -> list[OutboxEntry]:
    """Return the outbox with these changes in it, for each channel merged with what it has not acknowledged yet."""
    entries = list(outbox)
    for channel in channels:
        news = [change for change in changes if channel in change.channels]
        waiting = [entry for entry in entries if entry.channel == channel and entry.alert.changes]
        if not news:
            continue
        merged = merge([change for entry in waiting for change in entry.alert.changes], news)
        alert = compose(merged, now, alert_id)
        if alert:
            entries = [entry for entry in entries if entry not in waiting]
            entries.append((waiting[0] if waiting else OutboxEntry(alert, channel))._replace(alert=alert))
    return entries


def reassign(
    outbox: Sequence[OutboxEntry],
    channels: Collection[str],
    now: datetime,
    alert_id: str,
    is_heritable: Callable[[Change], bool],
) -> list[OutboxEntry]:
    """Return the outbox where a recovery also waits for all `channels`, if it waits for none that is configured.

    A channel that was renamed would take it along; what goes on is announced on the configured channels anyway.
    """
    heirs = {
        change: change._replace(channels=(*change.channels, *channels))
        for entry in outbox
        for change in entry.alert.changes
        if change.after is Health.UP and set(change.channels).isdisjoint(channels) and is_heritable(change)
    }
    known = [
        entry._replace(
            alert=entry.alert._replace(changes=tuple(heirs.get(change, change) for change in entry.alert.changes))
        )
        for entry in outbox
    ]
    return enqueue(known, list(heirs.values()), channels, now, alert_id)


def combine(entries: Iterable[OutboxEntry], now: datetime, alert_id: str) -> list[OutboxEntry]:
    """Return the entries with one for each channel: what a silence had split is announced together."""
    left: dict[str, OutboxEntry] = {}
    others: list[OutboxEntry] = []
    for entry in entries:
        first = left.get(entry.channel)
        if not entry.alert.changes:
            others.append(entry)
        elif first is None:
            left[entry.channel] = entry
        elif alert := compose(merge(first.alert.changes, entry.alert.changes), now, alert_id):
            left[entry.channel] = first._replace(alert=alert)
    return [*others, *left.values()]


def split(
    entries: Iterable[OutboxEntry], is_held: Callable[[Change], bool]
) -> tuple[list[OutboxEntry], list[OutboxEntry]]:
    """Split what may be sent now from what is held back, the latter under an id of its own."""
    ready: list[OutboxEntry] = []
    held: list[OutboxEntry] = []
    for entry in entries:
        silent = [change for change in entry.alert.changes if is_held(change)]
        loud = [change for change in entry.alert.changes if change not in silent]
        if not silent:
            ready.append(entry)
        elif not loud:
            held.append(entry)
        else:
            announced = compose(loud, entry.alert.at, entry.alert.id)
            kept = compose(silent, entry.alert.at, _part_id(entry.alert.id, silent))
            ready += [entry._replace(alert=announced)] if announced else []
            held += [entry._replace(alert=kept)] if kept else []
    return ready, held


def _part_id(alert_id: str, changes: Iterable[Change]) -> str:
    """Return an id for a part of an alert: receivers must not take it for the alert, nor for another part."""
    return f"{alert_id}-{crc32(' '.join(change.id for change in changes).encode()):08x}"


def discard(entries: Iterable[OutboxEntry], is_moot: Callable[[Change], bool]) -> list[OutboxEntry]:
    """Return the entries without what no longer matters."""
    left = []
    for entry in entries:
        changes = [change for change in entry.alert.changes if not is_moot(change)]
        if len(changes) == len(entry.alert.changes):
            left.append(entry)
        elif alert := compose(changes, entry.alert.at, entry.alert.id):
            left.append(entry._replace(alert=alert))
    return left


MAX_HISTORY = 12
MAX_NOTES = 24


def merge(older: Iterable[Change], newer: Iterable[Change]) -> tuple[Change, ...]:
    """Return one change for each step, in the order of their first ones."""
    merged: dict[str, Change] = {}
    for change in (*older, *newer):
        merged[change.id] = _join(merged[change.id], change) if change.id in merged else change
    return tuple(merged.values())


def _join(first: Change, second: Change) -> Change:
    notes = tuple(dict.fromkeys((*first.notes, *second.notes)))[-MAX_NOTES:]
    channels = tuple(dict.fromkeys((*first.channels, *second.channels)))
    alert = first.alert or second.alert
    combine = second._replace(before=first.before, channels=channels, notes=notes, alert=alert)
    if first.after is second.after:
        causes = tuple(dict.fromkeys((*first.causes, *second.causes)))
        return combine._replace(
            since=first.since, at=first.at, news=first.news, causes=causes, history=first.history, more=first.more
        )
    # A reminder or another cause is no change that was never announced.
    unheard = (Past(first.after, first.at),) if first.news is News.CHANGE else ()
    history = (*first.history, *unheard, *second.history)
    kept = history if len(history) <= MAX_HISTORY else (history[0], *history[1 - MAX_HISTORY :])
    return combine._replace(
        news=News.CHANGE,
        reason=second.reason or (first.reason if second.after is Health.UP else ""),
        target=second.target or first.target,
        history=kept,
        more=first.more + second.more + len(history) - len(kept),
    )

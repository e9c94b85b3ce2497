"""Which alerts wait for which channel? At most one alert a channel: what is late is told together with what is new."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from mailmon.alerting.merge import merge
from mailmon.alerting.wording import compose
from mailmon.model import Change, Health, OutboxEntry


def enqueue(
    outbox: Sequence[OutboxEntry], flips: Sequence[Change], channels: Iterable[str], now: datetime, alert_id: str
) -> list[OutboxEntry]:
    """Return the outbox with these flips in it, for each channel merged with what it has not acknowledged yet."""
    entries = list(outbox)
    for channel in channels:
        news = [flip for flip in flips if channel in flip.channels]
        waiting = [entry for entry in entries if entry.channel == channel and entry.alert.flips]
        if not news:
            continue
        merged = merge([flip for entry in waiting for flip in entry.alert.flips], news)
        alert = compose(merged, now, alert_id)
        if alert:
            entries = [entry for entry in entries if entry not in waiting]
            entries.append((waiting[0] if waiting else OutboxEntry(alert, channel))._replace(alert=alert))
    return entries


def handed_on(
    outbox: Sequence[OutboxEntry],
    channels: Collection[str],
    now: datetime,
    alert_id: str,
    is_heritable: Callable[[Change], bool],
) -> list[OutboxEntry]:
    """Return the outbox where the end of a story also waits for all `channels`, if it waits for none that there is.

    A channel that was renamed would take it along; what goes on, people are told by the channels that there are.
    """
    heirs = {
        flip: flip._replace(channels=(*flip.channels, *channels))
        for entry in outbox
        for flip in entry.alert.flips
        if flip.after is Health.UP and set(flip.channels).isdisjoint(channels) and is_heritable(flip)
    }
    known = [
        entry._replace(alert=entry.alert._replace(flips=tuple(heirs.get(flip, flip) for flip in entry.alert.flips)))
        for entry in outbox
    ]
    return enqueue(known, list(heirs.values()), channels, now, alert_id)


def joined(entries: Iterable[OutboxEntry], now: datetime, alert_id: str) -> list[OutboxEntry]:
    """Return the entries with one for each channel: what a silence had parted is told together."""
    left: dict[str, OutboxEntry] = {}
    others: list[OutboxEntry] = []
    for entry in entries:
        first = left.get(entry.channel)
        if not entry.alert.flips:
            others.append(entry)
        elif first is None:
            left[entry.channel] = entry
        elif alert := compose(merge(first.alert.flips, entry.alert.flips), now, alert_id):
            left[entry.channel] = first._replace(alert=alert)
    return [*others, *left.values()]


def part(
    entries: Iterable[OutboxEntry], is_held: Callable[[Change], bool]
) -> tuple[list[OutboxEntry], list[OutboxEntry]]:
    """Part what may be told now from what is held back, the latter under an id of its own."""
    ready: list[OutboxEntry] = []
    held: list[OutboxEntry] = []
    for entry in entries:
        silent = [flip for flip in entry.alert.flips if is_held(flip)]
        loud = [flip for flip in entry.alert.flips if flip not in silent]
        if not silent:
            ready.append(entry)
        elif not loud:
            held.append(entry)
        else:
            told = compose(loud, entry.alert.at, entry.alert.id)
            kept = compose(silent, entry.alert.at, _part_id(entry.alert.id, silent))
            ready += [entry._replace(alert=told)] if told else []
            held += [entry._replace(alert=kept)] if kept else []
    return ready, held


def _part_id(alert_id: str, flips: Iterable[Change]) -> str:
    """Return an id for a part of an alert: receivers must not take it for the alert, nor for another part."""
    return f"{alert_id}-{crc32(' '.join(flip.id for flip in flips).encode()):08x}"


def without(entries: Iterable[OutboxEntry], is_moot: Callable[[Change], bool]) -> list[OutboxEntry]:
    """Return the entries without what nobody needs to hear any more."""
    left = []
    for entry in entries:
        flips = [flip for flip in entry.alert.flips if not is_moot(flip)]
        if len(flips) == len(entry.alert.flips):
            left.append(entry)
        elif alert := compose(flips, entry.alert.at, entry.alert.id):
            left.append(entry._replace(alert=alert))
    return left

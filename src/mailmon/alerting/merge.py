"""What do people hear of a step when they have not heard of its earlier changes yet? One flip that tells them all."""

from __future__ import annotations

from collections.abc import Iterable

from mailmon.model import Change, Health, News, Past

MAX_HISTORY = 12
MAX_NOTES = 24


def merge(older: Iterable[Change], newer: Iterable[Change]) -> tuple[Change, ...]:
    """Return one flip for each step, in the order in which the steps were first heard of."""
    merged: dict[str, Change] = {}
    for flip in (*older, *newer):
        merged[flip.id] = _join(merged[flip.id], flip) if flip.id in merged else flip
    return tuple(merged.values())


def _join(first: Change, second: Change) -> Change:
    notes = tuple(dict.fromkeys((*first.notes, *second.notes)))[-MAX_NOTES:]
    channels = tuple(dict.fromkeys((*first.channels, *second.channels)))
    alert = first.alert or second.alert
    joined = second._replace(before=first.before, channels=channels, notes=notes, alert=alert)
    if first.after is second.after:
        causes = tuple(dict.fromkeys((*first.causes, *second.causes)))
        return joined._replace(
            since=first.since, at=first.at, news=first.news, causes=causes, history=first.history, more=first.more
        )
    # A reminder or another cause is no change that people have not heard of.
    unheard = (Past(first.after, first.at),) if first.news is News.CHANGE else ()
    history = (*first.history, *unheard, *second.history)
    kept = history if len(history) <= MAX_HISTORY else (history[0], *history[1 - MAX_HISTORY :])
    return joined._replace(
        news=News.CHANGE,
        reason=second.reason or (first.reason if second.after is Health.UP else ""),
        target=second.target or first.target,
        history=kept,
        more=first.more + second.more + len(history) - len(kept),
    )

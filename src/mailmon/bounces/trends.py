"""Figures of a period compared with the period before, the largest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from mailmon.model.bounces import Figures, Ranking, Summary, Trend

TOP = 10
CLASSES = ("hard", "soft", "delayed", "feedback")


def earlier(since: datetime, until: datetime) -> datetime:
    """Return when the period before begins. Raises OverflowError before year 1."""
    return since - (until - since)


def summarize(now: Figures, before: Figures, since: datetime, until: datetime, top: int = TOP) -> Summary:
    """Return the summary of two periods, with so many rows of each kind of figure."""
    return Summary(
        earlier(since, until),
        since,
        until,
        Trend("messages", now.messages, before.messages),
        Trend("recipients", sum(now.classes.values()), sum(before.classes.values())),
        tuple(Trend(name, now.classes.get(name, 0), before.classes.get(name, 0)) for name in CLASSES),
        rank(now.reasons, before.reasons, top),
        rank(now.domains, before.domains, top),
        rank(now.remote_mtas, before.remote_mtas, top),
    )


def rank(now: Mapping[str, int], before: Mapping[str, int], top: int) -> Ranking:
    """Return the `top` figures, the greatest first; what has come to nothing counts by what it was.

    >>> rank({"a": 1, "b": 2}, {"c": 9, "a": 3}, 2)  # doctest: +NORMALIZE_WHITESPACE
    Ranking(rows=(Trend(name='b', now=2, before=0), Trend(name='a', now=1, before=3)),
            others=Trend(name='', now=0, before=9))
    """
    trends = [Trend(name, now.get(name, 0), before.get(name, 0)) for name in {**now, **before}]
    trends.sort(key=lambda trend: (-trend.now, -trend.before, trend.name))
    rest = trends[top:]
    others = Trend("", sum(trend.now for trend in rest), sum(trend.before for trend in rest))
    return Ranking(tuple(trends[:top]), others)

"""What did a period bring, against the period before? The greatest figures, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from mailmon.model.bounces import Figures

TOP = 10
CLASSES = ("hard", "soft", "delayed", "feedback")


class Trend(NamedTuple):
    """A figure of a period, and that of the period before. An empty name: the message did not say."""

    name: str
    now: int
    before: int

    @property
    def change(self) -> int:
        """Return by how much it grew."""
        return self.now - self.before

    @property
    def change_percent(self) -> float | None:
        """Return by how many per cent it grew, None where there was nothing before."""
        return round(100 * self.change / self.before, 1) if self.before else None


class Ranking(NamedTuple):
    """The greatest figures, and all others together."""

    rows: tuple[Trend, ...]
    others: Trend


class Summary(NamedTuple):
    """From `since` on, before `until`; the period before is as long and begins at `before_since`.

    Messages and recipients are of all kinds; reasons, domains and remote MTAs count recipients of bounces.
    """

    before_since: datetime
    since: datetime
    until: datetime
    messages: Trend
    recipients: Trend
    classes: tuple[Trend, ...]
    reasons: Ranking
    domains: Ranking
    remote_mtas: Ranking


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

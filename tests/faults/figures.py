"""The table of figures: alerts lost, false and duplicated by mailmon, and by a naive monitor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.faults.runner import Result
from tests.faults.scoring import Tally

_HEAD = ("", "changes", "announced", "lost", "false", "duplicated", "duplicated, acknowledgement lost")


def table(results: Sequence[Result]) -> str:
    """Return the figures as a Markdown table with a line above it; scenarios marked as broken have their own row."""
    good = [result for result in results if not result.scenario.broken]
    known = [result for result in results if result.scenario.broken]
    rows = [
        _HEAD,
        tuple("---" for _ in _HEAD),
        ("mailmon", *_sum(p.tally for p in good)),
        ("naive: save, then send once", *_sum(p.naive for p in good)),
    ]
    if known:
        rows.append((f"mailmon, {len(known)} known mistakes", *_sum(p.tally for p in known)))
    runs, kills = sum(p.runs for p in results), [kill for p in results for kill in p.kills]
    by_signal = ", ".join(f"{kills.count(name)} {name}" for name in sorted(set(kills)))
    killed = f"{len(kills)} of them killed{f' ({by_signal})' if kills else ''}"
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"{len(results)} scenarios, {runs} runs, {killed}", "", *lines])


def _sum(tallies: Iterable[Tally]) -> list[str]:
    return [str(figure) for figure in sum(tallies, Tally())]

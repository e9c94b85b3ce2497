"""How did people fare with mailmon, and how would they have fared with a naive monitor?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.faults.judge import Tally
from tests.faults.theatre import Performance

_HEAD = ("", "changes to tell", "told", "lost", "false", "told twice", "told twice, acknowledgement lost")


def table(performances: Sequence[Performance]) -> str:
    """Return the figures as a Markdown table with a line above it; apart, those of what is known not to go right."""
    good = [performance for performance in performances if not performance.history.broken]
    known = [performance for performance in performances if performance.history.broken]
    rows = [
        _HEAD,
        tuple("---" for _ in _HEAD),
        ("mailmon", *_sum(p.tally for p in good)),
        ("naive: save, then send once", *_sum(p.naive for p in good)),
    ]
    if known:
        rows.append((f"mailmon, {len(known)} known mistakes", *_sum(p.tally for p in known)))
    runs, kills = sum(p.runs for p in performances), [kill for p in performances for kill in p.kills]
    by_signal = ", ".join(f"{kills.count(name)} {name}" for name in sorted(set(kills)))
    killed = f"{len(kills)} of them killed{f' ({by_signal})' if kills else ''}"
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"{len(performances)} histories, {runs} runs, {killed}", "", *lines])


def _sum(tallies: Iterable[Tally]) -> list[str]:
    return [str(figure) for figure in sum(tallies, Tally())]

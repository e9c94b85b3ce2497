"""The registry of findings: every id that mailmon can report, with its title, severity, meaning, fix and reference.

One row of a table is all that a new finding needs; docs/findings.md and `mailmon explain` are made from the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from mailmon.findings import delivery, domains, local, servers
from mailmon.findings.row import Group, Row, is_meant

GROUPS: tuple[Group, ...] = (*servers.SHARED, *delivery.GROUPS, *local.GROUPS, *servers.GROUPS, *domains.GROUPS)


class UnknownIdError(KeyError):
    """An id that is in no row of the registry."""


class Entry(NamedTuple):
    """What the registry knows of one id; `commands` report it."""

    id: str
    row: Row
    commands: tuple[str, ...]


def entries() -> dict[str, Entry]:
    """Return the entries of all ids, in the order of the tables."""
    return _entries(GROUPS)


def entry(finding_id: str) -> Entry:
    """Return the entry of an id. Raises UnknownIdError."""
    known = entries().get(finding_id)
    if known is None:
        raise UnknownIdError(f"no row of the registry has the finding {finding_id}")
    return known


def areas() -> tuple[str, ...]:
    """Return what ids begin with: smtp, tls, dkim."""
    return tuple(sorted({one.partition(".")[0] for one in entries()}))


def near_misses(text: str) -> list[str]:
    """Return the ids and areas that somebody may have meant, the nearest first.

    >>> near_misses("tls.cert_expire")[0]
    'tls.cert_expired'
    >>> near_misses("TLS.CERT_EXPIRED")[0]
    'tls.cert_expired'
    """
    from difflib import get_close_matches

    return get_close_matches(text.lower(), [*entries(), *areas()], n=3, cutoff=0.6)


def unknown_pattern(patterns: Iterable[str]) -> str:
    """Return what is wrong with the first pattern that matches no finding at all, "" where all match one."""
    for pattern in patterns:
        if not any(is_meant(one, (pattern,)) for one in entries()):
            return f"there is no finding {pattern[:80]!r}{did_you_mean(pattern)}; areas: {', '.join(areas())}"
    return ""


def did_you_mean(text: str) -> str:
    """Return the end of a sentence about an unknown id, "" where nothing is near."""
    near = near_misses(text[:80])
    return f"; did you mean {' or '.join(near)}?" if near else ""


@cache
def _entries(groups: tuple[Group, ...]) -> dict[str, Entry]:
    return {
        finding_id: Entry(finding_id, row, group.commands)
        for group in groups
        for row in group.rows
        for finding_id in row.ids()
    }

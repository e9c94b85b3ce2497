"""Labels of domains and servers that are healthy but unusual: what may be reported of them.

The labels were written before the rules, from the RFCs and from how such set-ups work, without a look at the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

RANKS = ("info", "notice", "warning", "error", "critical")


class May(NamedTuple):
    """A finding (id or glob) that may be reported: the highest severity, or "unknown"; and why."""

    id: str
    most: str
    why: str


# The servers of the tests are on loopback, which is no place for an MX host: that is true, and is not about the set-up.
ON_LOOPBACK = May("dns.mx_private", "critical", "the test's own servers are on loopback")


def excess(findings: Iterable[Mapping[str, Any]], may: Sequence[May]) -> list[str]:
    """Return what is reported beyond the labels: failures above info and unknowns that no label allows."""
    return [
        f"{one['status']} {one.get('severity') or ''} {one['id']}: {one['message']}"
        for one in findings
        if one["status"] in ("fail", "unknown") and not _is_allowed(one, may)
    ]


def _is_allowed(one: Mapping[str, Any], may: Sequence[May]) -> bool:
    if one["status"] == "unknown":
        return any(label.most == "unknown" and fnmatchcase(one["id"], label.id) for label in may)
    rank = RANKS.index(one["severity"])
    most = [RANKS.index(label.most) for label in may if label.most in RANKS and fnmatchcase(one["id"], label.id)]
    return rank <= max(most, default=0)

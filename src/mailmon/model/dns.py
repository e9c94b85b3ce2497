"""Results of a check of a domain: its records, expected and found, and findings."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from mailmon.model.findings import Finding


class Published(NamedTuple):
    """What stands, and what should stand, under one name.

    `expected` has one value a line, each ready to be copied, "" where nothing need be there, or where it cannot be told
    what should; `ttl_s` is 0 where nothing was found. `is_bad` says that a finding is about what stands there, or that
    something is missing. `alias` is what stands there in truth, where that is an alias (CNAME): its target.
    """

    name: str
    type: str
    purpose: str
    expected: str = ""
    found: tuple[str, ...] = ()
    ttl_s: int = 0
    is_known: bool = True
    is_bad: bool = False
    alias: str = ""

    @property
    def is_worth_showing(self) -> bool:
        """Return whether something is there, or should be."""
        return bool(self.expected or self.found or self.is_bad)

    @property
    def is_right(self) -> bool:
        """Return whether something was found, and what was found is what is expected, no more and no less."""
        is_as_expected = set(self.expected.splitlines()) in ({*self.found}, set())
        return bool(self.found) and is_as_expected and not self.is_bad


class Remembered(NamedTuple):
    """What stood under a name when it was last asked for; `before` is what stood there until `since`."""

    values: tuple[str, ...]
    before: tuple[str, ...] = ()
    since: datetime | None = None


class SpfLine(NamedTuple):
    """One record of the SPF tree: `depth` 0 is the domain's own; `lookups` counts what it and those below it cost."""

    depth: int
    domain: str
    term: str
    text: str
    lookups: int


class Survey(NamedTuple):
    """All that was found out about a domain."""

    domain: str
    records: tuple[Published, ...]
    findings: tuple[Finding, ...]
    spf: tuple[SpfLine, ...] = ()
    notes: tuple[str, ...] = ()
    duration_s: float = 0.0

"""The DMARC record that applies to a domain, and its organisational domain (RFC 9989 section 4.10: tree walk)."""

from __future__ import annotations

from typing import NamedTuple

from mailmon.mail.auth.spf.values import Ask
from mailmon.mail.records.dmarc import is_dmarc, read_dmarc
from mailmon.mail.records.tags import Mistake

MAX_LABELS = 8


class Stop(NamedTuple):
    """The DMARC records at one level, or the reason for a failed lookup."""

    domain: str
    texts: tuple[str, ...] = ()
    failed: str = ""

    @property
    def psd(self) -> str:
        """Return the psd= of the one usable record here, "" without one."""
        try:
            return read_dmarc(self.texts[0]).psd if len(self.texts) == 1 else ""
        except Mistake:
            return ""

    @property
    def is_usable(self) -> bool:
        """Return whether exactly one record stands here that receivers can use."""
        return self.psd != ""


def walk(domain: str, ask: Ask) -> list[Stop]:
    """Return the records at the domain and at each name above it that receivers query."""
    labels = domain.rstrip(".").split(".")
    names = [".".join(labels[at:]) for at in range(len(labels))]
    if len(names) > MAX_LABELS:
        names = [names[0], *names[1 - MAX_LABELS :]]
    stops = []
    for name in names:
        found = ask(f"_dmarc.{name}", "TXT")
        stops.append(Stop(name, tuple(filter(is_dmarc, found.values)), found.why if found.is_error else ""))
        if stops[-1].psd == "n" or (stops[-1].psd == "y" and len(stops) > 1):
            break
    return stops


def organisation(stops: list[Stop]) -> str:
    """Return the organisational domain, which is the domain itself where nothing says otherwise."""
    for at, stop in enumerate(stops):
        if stop.psd == "n":
            return stop.domain
        if stop.psd == "y" and at:
            return stops[at - 1].domain
    usable = [stop.domain for stop in stops if stop.is_usable]
    return usable[-1] if usable else stops[0].domain


def effective(stops: list[Stop]) -> Stop | None:
    """Return where the record stands that holds for the domain: its own, else its organisation's, else its registry's.

    The last is that of a public suffix (psd=y), which holds for organisations without one (RFC 9989 section 4.10.1).
    """
    if stops[0].texts or stops[0].failed:
        return stops[0]
    above = organisation(stops)
    own = next((stop for stop in stops if stop.domain == above and stop.texts), None)
    return own or next((stop for stop in stops[1:] if stop.psd == "y"), None)

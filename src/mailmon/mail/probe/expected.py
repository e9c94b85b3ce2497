"""What a route expects of an arrived probe: authentication results, TLS on each hop, contents as sent. Never raises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mailmon.mail.auth.results import results_of
from mailmon.mail.hops import read_hop
from mailmon.mail.message.header import read_headers
from mailmon.mail.probe.modified import changes
from mailmon.model import Severity
from mailmon.text import visible

METHODS = ("dkim", "spf", "dmarc")
# A message with so many Received fields is in a loop (RFC 5321 section 6.3); the topmost are of the last hosts.
MAX_HOPS = 100


class Expected(NamedTuple):
    """The expectations for an arriving probe of a route.

    `methods` must have passed according to `authserv`; `tls` is "", "any", "1.2" or "1.3", required of each hop between
    hosts.
    """

    methods: tuple[str, ...] = ()
    authserv: str = ""
    tls: str = ""
    is_unmodified: bool = False


class Missed(NamedTuple):
    """An expectation that was not met."""

    finding_id: str
    message: str
    severity: Severity = Severity.ERROR
    expected: str = ""
    found: str = ""


def find_missed(expected: Expected, sent: bytes, received: bytes) -> Iterator[Missed]:
    """Yield the expectations that an arrived message does not meet."""
    fields = read_headers(received)
    if expected.methods:
        yield from _check_results(expected, fields.get("authentication-results", []))
    if expected.tls:
        yield from _check_hops(expected.tls, fields.get("received", [])[:MAX_HOPS])
    if expected.is_unmodified:
        found = changes(sent, received)
        if found:
            said = f"the message was changed on its way: {'; '.join(found)}"
            yield Missed("route.modified", visible(said, 600), Severity.WARNING, "as it was sent", "; ".join(found))


def _check_results(expected: Expected, values: list[str]) -> Iterator[Missed]:
    found = results_of(values, expected.authserv)
    for method in expected.methods:
        result = "no result" if found is None else found.get(method, "no result")
        if result != "pass":
            why = f" ({expected.authserv} added no Authentication-Results)" if found is None else ""
            said = f"{method.upper()} is {result}, not pass, for {expected.authserv}{why}"
            yield Missed(f"route.{method}", visible(said), Severity.ERROR, "pass", visible(result))


def _check_hops(wanted: str, values: list[str]) -> Iterator[Missed]:
    for value in values[:MAX_HOPS]:
        hop = read_hop(value)
        if hop is None or not hop.is_between_hosts:
            continue
        if not hop.is_encrypted:
            said = f"the hop to {hop.by} was not encrypted (with {hop.protocol})"
            yield Missed("route.no_tls", said, Severity.ERROR, f"TLS {wanted}", hop.protocol)
        elif hop.version and wanted != "any" and hop.version < wanted:
            said = f"the hop to {hop.by} used TLS {hop.version}"
            yield Missed("route.no_tls", said, Severity.ERROR, f"TLS {wanted}", f"TLS {hop.version}")

"""Did a probe arrive as it was sent, by ways and with verdicts that were expected? Pure; never raises.

Authentication-Results are believed of the named host alone, and of its topmost field: any other may be forged
(RFC 8601 section 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from mailmon.mail.caps import without_comments
from mailmon.mail.hops import read_hop
from mailmon.mail.modified import changes
from mailmon.mail.probe import read_headers
from mailmon.model import Severity
from mailmon.text import visible

# RFC 5321 section 6.3: servers take 100 hops for a loop.
MAX_HOPS = 100
METHODS = ("dkim", "spf", "dmarc")
# A message with so many Received fields is in a loop (RFC 5321 section 6.3); the topmost are of the last hosts.
MAX_HOPS, MAX_VERDICTS = 100, 50
_RESULT = re.compile(r"(?:^|;)\s*([a-z][a-z-]*)(?:\s*/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)


class Expected(NamedTuple):
    """What a route's probe must be like when it arrives.

    `methods` must have passed by the word of `authserv`; `tls` is "", "any", "1.2" or "1.3", asked of each hop between
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


def judge(expected: Expected, sent: bytes, received: bytes) -> Iterator[Missed]:
    """Yield what is not as expected of a message that arrived."""
    fields = read_headers(received)
    if expected.methods:
        yield from _judge_results(expected, fields.get("authentication-results", []))
    if expected.tls:
        yield from _judge_hops(expected.tls, fields.get("received", [])[:MAX_HOPS])
    if expected.is_unmodified:
        found = changes(sent, received)
        if found:
            said = f"the message was changed on its way: {'; '.join(found)}"
            yield Missed("route.modified", visible(said, 600), Severity.WARNING, "as it was sent", "; ".join(found))


def results_of(values: list[str], authserv: str) -> dict[str, str] | None:
    """Return the results of the topmost field of this host by their method, None where it has none.

    >>> results_of(["mx.example.org; dkim=fail; dkim=pass header.d=a.example; spf=none"], "mx.example.org")
    {'dkim': 'pass', 'spf': 'none'}
    """
    for value in values[:MAX_VERDICTS]:
        host, _, rest = without_comments(value).partition(";")
        if host.split()[:1] and host.split()[0].lower() == authserv.lower():
            found: dict[str, str] = {}
            for method, result in _RESULT.findall(rest):
                name = method.lower()
                found[name] = "pass" if "pass" in (found.get(name), result.lower()) else result.lower()
            return found
    return None


def _judge_results(expected: Expected, values: list[str]) -> Iterator[Missed]:
    found = results_of(values, expected.authserv)
    for method in expected.methods:
        result = "no result" if found is None else found.get(method, "no result")
        if result != "pass":
            why = f" ({expected.authserv} added no Authentication-Results)" if found is None else ""
            said = f"{method.upper()} is {result}, not pass, for {expected.authserv}{why}"
            yield Missed(f"route.{method}", visible(said), Severity.ERROR, "pass", visible(result))


def _judge_hops(wanted: str, values: list[str]) -> Iterator[Missed]:
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

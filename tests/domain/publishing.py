"""Zones as they are when somebody publishes what mailmon proposes, by copying its lines into zone files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import dns.name
import dns.rdataset
import dns.rdatatype
import dns.zone

from mailmon.mail.records.zone_file import line
from mailmon.model.dns import Published, Survey
from tests.domain.nameserver import zone_of

IN_ZONES = ("A", "AAAA", "MX", "TXT", "PTR", "CAA", "SRV", "NS", "TLSA")


def parsed(lines: Iterable[str]) -> dns.zone.Zone:
    """Read lines of a zone file; whatever does not parse, or has a relative name, raises."""
    text = "\n".join(lines)
    return dns.zone.from_text(f"$TTL 300\n{text}\n", origin=".", relativize=False, check_origin=False)


def proposed(survey: Survey) -> Iterator[Published]:
    """Yield the rows whose proposals can be published."""
    for row in survey.records:
        if row.type in IN_ZONES and row.is_known and row.expected and not row.is_right:
            yield row


def published(zones: list[dns.zone.Zone], survey: Survey) -> list[dns.zone.Zone]:
    """Return zones in which all that is proposed stands; of TXT records only the text in question is replaced."""
    made = list(zones)
    for row in proposed(survey):
        name = dns.name.from_text(row.name)
        zone = next((one for one in by_length(made) if one.origin and name.is_subdomain(one.origin)), None)
        if zone is None:
            zone = zone_of(row.name, "x TXT y")
            made.append(zone)
        new = parsed(line(row.name, row.type, value) for value in row.expected.splitlines())
        fresh = new.find_rdataset(name, row.type)
        if row.type == "TXT":
            fresh = _with_others(zone, name, fresh, row)
        zone.delete_rdataset(name, "CNAME")
        zone.replace_rdataset(name, fresh)
    return made


def by_length(zones: list[dns.zone.Zone]) -> list[dns.zone.Zone]:
    """Return zones, those deepest in the tree first."""
    return sorted(zones, key=lambda zone: -len(zone.origin or ()))


def _with_others(
    zone: dns.zone.Zone, name: dns.name.Name, fresh: dns.rdataset.Rdataset, row: Published
) -> dns.rdataset.Rdataset:
    found = zone.get_rdataset(name, dns.rdatatype.TXT)
    gone = set(row.found)
    for rdata in found or ():
        if b"".join(rdata.strings).decode("utf-8", "replace") not in gone:
            fresh.add(rdata)
    return fresh

"""What is to be published for a domain, in the order in which it is done, and what of it is there already? Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import NamedTuple

from mailmon.domain.expected import policy_file, service_records
from mailmon.domain.plan import Options
from mailmon.mail.records.zone_file import line
from mailmon.model.domain import Published, Survey


class Entry(NamedTuple):
    """One record to publish, as lines of a zone file; or, in `words`, something that is no record."""

    purpose: str
    lines: tuple[str, ...] = ()
    state: str = ""
    words: tuple[str, ...] = ()


def runbook(survey: Survey, options: Options) -> Iterator[Entry]:
    """Yield what is to be published."""
    host = options.host or _first_host(survey) or f"mail.{survey.domain}"
    by_name = {(row.name, row.type) for row in survey.records if row.is_worth_showing}
    for address in options.own_addresses:
        kind = "A" if ipaddress.ip_address(address).version == 4 else "AAAA"
        if (host, kind) not in by_name:
            yield Entry("address of the mail server", (line(host, kind, address),), "to publish")
    for row in survey.records:
        if row.expected and row.type != "HTTPS":
            yield _entry(row)
    if not any("._domainkey." in row.name and row.expected for row in survey.records):
        made = f"opendkim-genkey -b 2048 -d {survey.domain} -s mail"
        words = (f"make a key: {made}", "then name it: --selector mail --dkim-key mail.txt")
        yield Entry("DKIM key", (), "to publish", words)
    yield _policy(survey, host)
    for name, value in service_records(survey.domain, host):
        if (name, "SRV") not in by_name:
            yield Entry("where clients find their server", (line(name, "SRV", value),), "to publish")


def _first_host(survey: Survey) -> str:
    row = next((row for row in survey.records if row.type == "MX" and row.found), None)
    return row.found[0].partition(" ")[2].rstrip(".") if row else ""


def _entry(row: Published) -> Entry:
    state = (
        "not known" if not row.is_known else "is there" if row.is_right else "differs" if row.found else "to publish"
    )
    return Entry(row.purpose, tuple(line(row.name, row.type, value) for value in row.expected.splitlines()), state)


def _policy(survey: Survey, host: str) -> Entry:
    row = next((row for row in survey.records if row.type == "HTTPS"), None)
    if row and row.is_right:
        return Entry(row.purpose, (), "is there", (row.name,))
    name = f"mta-sts.{survey.domain}"
    body = (row.expected if row else policy_file((host,))).splitlines()
    return Entry("MTA-STS policy", (), "to serve", (f"https://{name}/.well-known/mta-sts.txt:", *body))

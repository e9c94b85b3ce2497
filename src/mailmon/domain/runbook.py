"""The records to publish for a domain, in the order of work, and which of them are published already. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mailmon.domain.mta_sts import POLICY_HOST, policy_file
from mailmon.domain.options import Options
from mailmon.domain.srv import service_records
from mailmon.mail.records.zone_file import line
from mailmon.model.dns import Published, Survey


class Entry(NamedTuple):
    """One record to publish, as lines of a zone file; or, in `words`, instructions."""

    purpose: str
    lines: tuple[str, ...] = ()
    state: str = ""
    words: tuple[str, ...] = ()


def runbook(survey: Survey, options: Options) -> Iterator[Entry]:
    """Yield what to publish."""
    host = options.host or _first_host(survey) or f"mail.{survey.domain}"
    by_name = {(row.name, row.type) for row in survey.records if row.is_worth_showing}
    is_new = options.host or (host.endswith(f".{survey.domain}") and not {(host, "A"), (host, "AAAA")} & by_name)
    for address in options.own_addresses if is_new else ():
        kind = "A" if ipaddress.ip_address(address).version == 4 else "AAAA"
        if (host, kind) not in by_name:
            yield _to_publish("address of the mail server", survey.domain, host, kind, address)
    for row in survey.records:
        if row.type != "HTTPS" and (row.expected or row.is_bad):
            yield _entry(row, survey.domain)
    yield from _missing_pointers(survey, host, options.own_addresses)
    if _takes_no_mail(survey):
        return
    if not any("._domainkey." in row.name and row.expected for row in survey.records):
        made = f"opendkim-genkey -b 2048 -d {survey.domain} -s mail"
        words = (f"make a key: {made}", "then name it: --selector mail --dkim-key mail.txt")
        yield Entry("DKIM key", (), "to publish", words)
    yield from _policy_hosts(survey, host)
    yield _policy(survey, host)
    lacking = [(name, value) for name, value in service_records(survey.domain, host) if (name, "SRV") not in by_name]
    yield from _services(survey.domain, host, lacking, is_named=host == options.host)


def _to_publish(purpose: str, domain: str, name: str, kind: str, value: str) -> Entry:
    return _placed(Entry(purpose, (line(name, kind, value),), "to publish"), domain, name)


def _placed(entry: Entry, domain: str, name: str) -> Entry:
    """Return an entry whose lines become comments if the name is not in the domain's zone."""
    if _is_within(name, domain):
        return entry
    return entry._replace(lines=(), words=(*entry.lines, "in another zone than that of the domain", *entry.words))


def _missing_pointers(survey: Survey, host: str, addresses: Iterable[str]) -> Iterator[Entry]:
    """Yield the PTR records of given addresses that the survey did not check."""
    known = {row.name for row in survey.records if row.type == "PTR"}
    for address in addresses:
        name = ipaddress.ip_address(address).reverse_pointer
        if name not in known:
            yield _to_publish(f"name of {address}", survey.domain, name, "PTR", host)


def _policy_hosts(survey: Survey, host: str) -> Iterator[Entry]:
    """Yield the host of the MTA-STS policy, if it does not exist (RFC 8461 section 3.3)."""
    for row in survey.records:
        if row.purpose != POLICY_HOST or row.found or not row.is_known:
            continue
        if row.alias:
            said = f"{row.name} is an alias (CNAME) of {row.alias}, which has no address"
            yield Entry(row.purpose, (), "to correct", (said,))
        elif _is_within(host, survey.domain):
            words = (f"or the address of another web server with a certificate for {row.name}",)
            yield Entry(row.purpose, (line(row.name, "CNAME", host),), "to publish", words)
        else:
            said = f"{row.name} needs an address, or an alias (CNAME), of the web server that serves the policy"
            yield Entry(row.purpose, (), "to publish", (said,))


def _services(domain: str, host: str, lacking: Sequence[tuple[str, str]], *, is_named: bool) -> Iterator[Entry]:
    """Yield SRV records; the MX host of a provider is rarely the host that clients log in to (RFC 6186)."""
    purpose = "where clients find their server"
    if lacking and not is_named and not _is_within(host, domain):
        said = f"the provider of {host} knows the hosts for IMAP and submission: name them in SRV records"
        yield Entry(purpose, (), "to publish", (said, *(name for name, _ in lacking)))
        return
    for name, value in lacking:
        yield Entry(purpose, (line(name, "SRV", value),), "to publish")


def _is_within(name: str, domain: str) -> bool:
    return f".{name.lower()}".endswith(f".{domain}")


def _first_host(survey: Survey) -> str:
    row = next((row for row in survey.records if row.type == "MX" and row.found), None)
    return row.found[0].partition(" ")[2].rstrip(".") if row else ""


def _takes_no_mail(survey: Survey) -> bool:
    """Return whether the MX record is a null MX, as intended (RFC 7505)."""
    return any(row.type == "MX" and row.expected == "0 ." for row in survey.records)


def _entry(row: Published, domain: str) -> Entry:
    """Return the lines for a record, or instructions if no line in this zone helps."""
    if not row.is_known:
        return Entry(
            row.purpose, (), "not known", (f"{row.name} {row.type} could not be looked up: leave it as it is",)
        )
    if row.alias and row.found:
        at_host = "the MX record must name the host itself" if row.type in ("A", "AAAA") else "the findings say how"
        wanted = "; ".join(row.expected.splitlines()) or at_host
        what = "leave it" if row.is_right else f"it has to change there: {wanted}"
        return Entry(row.purpose, (), _state(row), (f"{row.name} is an alias (CNAME) of {row.alias}: {what}",))
    if not row.expected:
        said = f"{row.name} {row.type}: the right value is unclear, see mailmon dns {domain}"
        return Entry(row.purpose, (), "to correct", (said,))
    if row.type == "DS":
        words = tuple(f"{row.name} DS {value}" for value in row.expected.splitlines())
        return Entry(row.purpose, (), _state(row), words)
    lines = tuple(line(row.name, row.type, value) for value in row.expected.splitlines())
    return _placed(Entry(row.purpose, lines, _state(row)), domain, row.name)


def _state(row: Published) -> str:
    return "is there" if row.is_right else "differs" if row.found else "to publish"


def _policy(survey: Survey, host: str) -> Entry:
    """Return the policy to serve: it must name each intended MX host (RFC 8461 section 4.1)."""
    row = next((row for row in survey.records if row.type == "HTTPS"), None)
    url = f"https://mta-sts.{survey.domain}/.well-known/mta-sts.txt"
    if row and row.is_right:
        return Entry(row.purpose, (), "is there", (row.name,))
    if row is None and any(one.name.startswith("_mta-sts.") and one.is_right for one in survey.records):
        return Entry("MTA-STS policy", (), "not known", (f"{url} was not fetched",))
    hosts = [
        value.partition(" ")[2] for one in survey.records if one.type == "MX" for value in one.expected.splitlines()
    ]
    body = (row.expected if row else policy_file(hosts or (host,))).splitlines()
    return Entry("MTA-STS policy", (), "to serve", (f"{url}:", *body))

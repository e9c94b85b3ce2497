"""Which addresses does the host have, and is it a domain whose mail goes to other hosts? (RFC 5321 section 5.1)"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from mailmon.catalogue import Findings
from mailmon.clients.hosts_file import addresses_of
from mailmon.clients.records import Answered, Records, is_address
from mailmon.diagnose.plan import MAX_MX, Options, endpoints
from mailmon.mail.records.mx import exchangers_of
from mailmon.model.diagnosis import Endpoint
from mailmon.model.facts import Finding

if TYPE_CHECKING:
    from mailmon.diagnose.run import Request


class Plan(NamedTuple):
    """What is looked at. `domain` is set where the host is one whose MX records were followed."""

    endpoints: tuple[Endpoint, ...]
    addresses: tuple[str, ...]
    findings: tuple[Finding, ...]
    domain: str = ""
    notes: tuple[str, ...] = ()


def find(request: Request, records: Records, options: Options) -> Plan:
    """Look the host up. What cannot be found becomes a finding; never raises for what DNS says."""
    found = Findings(request.host)
    hosts, domain, notes = [request.host], "", []
    is_domain = not is_address(request.host) and (request.is_whole_host or not addresses_of(request.host))
    exchangers = _exchangers(records, request.host) if is_domain else []
    if exchangers and (request.is_whole_host or not records.addresses(request.host)[0]):
        hosts, domain = exchangers, request.host
        found.passed("dns.mx_none", f"its mail goes to {', '.join(exchangers)} (MX)")
    elif exchangers and request.host not in exchangers:
        notes.append(
            f"a port was named, so that {request.host} itself was looked at; its mail goes to {', '.join(exchangers)} "
            "(MX): name one of these to look at it"
        )
    planned: list[Endpoint] = []
    known: list[str] = []
    for host in hosts:
        addresses = tuple(_of_family(_addresses(records, host, found, is_exchanger=bool(domain)), options.family))
        known += addresses
        if domain and addresses:
            judge_public(found, host, addresses)
        planned += endpoints(host, addresses, list(request.kinds), is_asked_for=not request.is_whole_host)
    return Plan(tuple(planned), tuple(dict.fromkeys(known)), tuple(found.all), domain, tuple(notes))


def _exchangers(records: Records, domain: str) -> list[str]:
    """Return the hosts of the MX records, the preferred first."""
    return list(dict.fromkeys(one.host for one in exchangers_of(records.ask(domain, "MX").values)))[:MAX_MX]


def _addresses(records: Records, host: str, found: Findings, *, is_exchanger: bool) -> tuple[str, ...]:
    if is_address(host):
        return (host,)
    if own := addresses_of(host):  # as every program of this machine does, before it asks DNS
        return own
    addresses, trouble = records.addresses(host)
    if addresses:
        return addresses
    if trouble and trouble.kind is Answered.FAILED:
        found.unknown("dns.resolver_error", f"{host} could not be looked up: {trouble.why}")
        return ()
    if is_exchanger:
        found.fail("dns.mx_dangling", f"the MX host {host} has no address")
    else:
        found.fail("dns.host_not_found", f"{host} has no address: {trouble.why if trouble else 'no record'}")
    return ()


def _of_family(addresses: tuple[str, ...], family: str) -> list[str]:
    return [one for one in addresses if family == "auto" or (":" in one) == (family == "6")]


def judge_public(found: Findings, host: str, addresses: tuple[str, ...]) -> list[str]:
    """Judge whether an MX host can be reached from outside; return its addresses that cannot."""
    private = [one for one in addresses if not ipaddress.ip_address(one).is_global]
    said = f"the MX host {host} has an address that nobody outside reaches: {', '.join(private)}"
    found.judge("dns.mx_private", not private, f"the addresses of {host} are public", said)
    return private

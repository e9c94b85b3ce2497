"""The endpoints to examine: the addresses of a host, or of the MX hosts of a domain (RFC 5321 section 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from mailmon.clients.records import Answer, Answered, Records, is_address
from mailmon.clients.resolver import HOSTS_FILE, addresses_of
from mailmon.diagnose.names import judge_public
from mailmon.diagnose.plan import MAX_ADDRESSES, MAX_LISTED, MAX_MX, Options, Request, asked_of, endpoints, is_mx_port
from mailmon.findings import Findings
from mailmon.mail.records.mx import exchangers_of
from mailmon.model.diagnosis import Endpoint
from mailmon.model.findings import Finding, Severity


class Targets(NamedTuple):
    """What is examined. `domain` is set if MX records were followed.

    `passed_over` are the SMTP ports of MX hosts beyond the limit, `unasked` the MX hosts that cannot be asked.
    """

    endpoints: tuple[Endpoint, ...]
    addresses: tuple[str, ...]
    findings: tuple[Finding, ...]
    domain: str = ""
    notes: tuple[str, ...] = ()
    passed_over: tuple[Endpoint, ...] = ()
    unasked: tuple[str, ...] = ()


_HOST_ITSELF = (
    "a port was named, so {host} itself was examined; its mail goes to {mx_hosts} (MX): name one of these to examine it"
)


def find(request: Request, records: Records, options: Options, hosts_file: Path = HOSTS_FILE) -> Targets:
    """Look the host up. Failed look-ups become findings; never raises for what DNS says."""
    found = Findings(request.host)
    hosts, domain, notes = [request.host], "", []
    answer = _mx_answer(records, request)
    mx_hosts = _mx_hosts(answer)
    if request.is_whole_host and (said := _why_no_host(answer)):
        _judge_no_host(found, request.host, answer, said)
        return Targets((), (), tuple(found.all))
    if mx_hosts and (request.is_whole_host or not records.addresses(request.host)[0]):
        hosts, domain = mx_hosts, request.host
        found.passed("dns.mx_none", f"its mail goes to {', '.join(mx_hosts)} (MX)")
    elif mx_hosts and request.host not in mx_hosts:
        notes.append(_HOST_ITSELF.format(host=request.host, mx_hosts=", ".join(mx_hosts)))
    planned: list[Endpoint] = []
    known: list[str] = []
    passed_over: dict[str, list[Endpoint]] = {}
    every: dict[str, tuple[str, ...]] = {}
    for host in hosts:
        every[host] = _addresses(records, host, found, None if domain else hosts_file)
        addresses = tuple(_of_family(every[host], options.family))
        if domain and addresses:
            judge_public(found, host, addresses)
        own = endpoints(host, addresses, list(request.kinds), is_asked_for=not request.is_whole_host)
        if addresses and len({one.host for one in planned}) >= MAX_MX:
            passed_over[host] = own
            continue
        known += addresses
        planned += own
        if left := [one for one in addresses if one not in asked_of(addresses, MAX_ADDRESSES)]:
            notes.append(f"{len(left)} more addresses of {host} were not examined: {', '.join(left[:MAX_LISTED])}")
    if passed_over:
        notes.append(f"{len(passed_over)} more MX hosts were not examined: {', '.join(passed_over)}")
    if domain:
        _worsen_dangling(found, hosts)
        _judge_families(found, every)
    further = tuple(one for own in passed_over.values() for one in own if is_mx_port(one))
    unasked = _unasked(found, every, planned, passed_over) if domain else ()
    return Targets(
        tuple(planned), tuple(dict.fromkeys(known)), tuple(found.all), domain, tuple(notes), further, unasked
    )


def _unasked(
    found: Findings, every: Mapping[str, tuple[str, ...]], planned: Sequence[Endpoint], passed_over: Iterable[str]
) -> tuple[str, ...]:
    """Return the MX hosts that may exist although none of their addresses is asked: look-up failed, other family."""
    gone = [one.message for one in found.all if one.id == "dns.mx_dangling"]
    seen = {one.host for one in planned} | set(passed_over)
    return tuple(host for host in every if host not in seen and not any(f" {host} " in said for said in gone))


def _mx_answer(records: Records, request: Request) -> Answer:
    """Return the MX records of what was named, none if that is an address or a bare host name."""
    is_host = is_address(request.host) or _is_local(request.host) or "." not in request.host
    return Answer(Answered.NODATA) if is_host else records.ask(request.host, "MX")


def _is_local(host: str) -> bool:
    """Return whether a name is below localhost, which is never looked up in DNS (RFC 6761 section 6.3)."""
    return f".{host.lower()}".endswith(".localhost")


def _mx_hosts(answer: Answer) -> list[str]:
    """Return the hosts of the MX records, the preferred first."""
    return list(dict.fromkeys(one.host for one in exchangers_of(answer.values)))[:MAX_LISTED]


def _worsen_dangling(found: Findings, hosts: Sequence[str]) -> None:
    """Raise the severity if no MX host has an address: then no mail can reach the domain."""
    dangling = [one for one in found.all if one.id == "dns.mx_dangling"]
    if len(dangling) == len(hosts):
        found.all = [one._replace(severity=Severity.CRITICAL) if one in dangling else one for one in found.all]


def _why_no_host(answer: Answer) -> str:
    """Return why there is no host to examine although the name may have an address, "" if there may be one.

    A null MX means that the domain accepts no mail (RFC 7505 section 3); if the look-up fails, senders may not take the
    domain for its own mail host (RFC 5321 section 5.1).
    """
    if answer.kind is Answered.FAILED:
        return f"its MX records could not be looked up: {answer.why}"
    is_null = bool(answer.values) and not exchangers_of(answer.values)
    return "a null MX declares that it accepts no mail: there is nothing to examine" if is_null else ""


def _judge_no_host(found: Findings, host: str, answer: Answer, said: str) -> None:
    if answer.kind is not Answered.FAILED:
        found.passed("dns.mx_none", said)
        return
    found.unknown("dns.resolver_error", f"the MX records of {host} could not be looked up: {answer.why}")
    found.unknown("dns.mx_none", f"{said}; name a port to examine {host} itself")


def _judge_families(found: Findings, addresses: Mapping[str, tuple[str, ...]]) -> None:
    """Judge whether senders without IPv6 reach an MX host; only if the addresses of all hosts are known."""
    dangling = sum(one.id == "dns.mx_dangling" for one in found.all)
    known = {host: own for host, own in addresses.items() if own}
    if not known or len(known) + dangling < len(addresses):
        return
    has_four = any(":" not in address for own in known.values() for address in own)
    said = f"{', '.join(known)}: no IPv4 address, so senders without IPv6 give up"
    found.judge("dns.mx_ipv6_only", has_four, "senders without IPv6 reach it", said)


def _addresses(records: Records, host: str, found: Findings, hosts_file: Path | None) -> tuple[str, ...]:
    """Return the addresses of a host; for an MX host, without `hosts_file`, only those in DNS."""
    if is_address(host):
        return (host,)
    addresses, trouble = ((), None) if _is_local(host) else records.addresses(host)
    if addresses:
        return addresses
    # The hosts file is local, and may name the machine itself by a loopback address (Debian).
    if hosts_file and (own := addresses_of(host, hosts_file)):
        return own
    if trouble and trouble.kind is Answered.FAILED:
        found.unknown("dns.resolver_error", f"{host} could not be looked up: {trouble.why}")
        return ()
    if hosts_file is None:
        found.fail("dns.mx_dangling", f"the MX host {host} has no address")
    else:
        found.fail("dns.host_not_found", f"{host} has no address: {trouble.why if trouble else 'no record'}")
    return ()


def _of_family(addresses: tuple[str, ...], family: str) -> list[str]:
    return [one for one in addresses if family == "auto" or (":" in one) == (family == "6")]

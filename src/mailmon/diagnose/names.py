"""Names of hosts and addresses: PTR, forward-confirmed reverse DNS (FCrDNS: RFC 8601 section 2.7.3), EHLO names."""

from __future__ import annotations

import ipaddress
import re

from mailmon.clients.records import Answered, Records, spf_questions
from mailmon.clients.resolver import is_loopback, packed
from mailmon.findings import Findings
from mailmon.mail.auth.spf import Client, Result, check_host
from mailmon.model.findings import Severity

# As many as receivers look up that look up several (RFC 7208 section 4.6.4).
MAX_POINTERS = 10
_INSIDE = tuple(
    map(
        ipaddress.ip_network,
        (
            *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/23"),
            *("fc00::/7", "fe80::/10", "::1"),
        ),
    )
)
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\.?", re.I
)


def judge_pointers(records: Records, address: str, found: Findings, *, sends: bool = True) -> tuple[str, ...]:
    """Judge the PTR records of an address; return their names.

    Receivers check the names of addresses that send: `sends` is False if the domain's SPF record does not cover this
    one. Private addresses are not visible outside.
    """
    answer = records.pointers(address)
    if answer.kind is Answered.FAILED:
        found.unknown("dns.resolver_error", f"the PTR record of {address} could not be looked up: {answer.why}")
        found.unknown("dns.ptr_missing", f"whether {address} has a PTR record is unknown")
        return ()
    if not answer.values:
        _judge_missing(address, answer.why, found, sends=sends)
        found.skipped("dns.fcrdns_mismatch", "without a PTR record there is nothing to confirm")
        return ()
    names = answer.values[:MAX_POINTERS]
    found.passed("dns.ptr_missing", f"{address} is {', '.join(names)} (PTR)")
    _judge_forward(records, address, names, found, more=len(answer.values) - len(names))
    generic = [name for name in names if is_generic(name, address)]
    if len(generic) == len(names):
        found.fail("dns.ptr_generic", f"the PTR name {generic[0]} looks like one of an address pool")
    return names


def _judge_missing(address: str, why: str, found: Findings, *, sends: bool) -> None:
    finding_id, said = "dns.ptr_missing", f"{address} has no PTR record"
    if is_inside(address):
        found.skipped(finding_id, f"{said}, and needs none: it is private")
    elif is_loopback(address):
        found.fail(finding_id, f"{said}: nobody but this machine can reach it", Severity.INFO, found=why)
    elif not sends:
        said = f"{said}: it only receives, as SPF does not include it; receivers would refuse mail from it"
        found.fail(finding_id, said, Severity.NOTICE, found=why)
    else:
        found.fail(finding_id, f"{said}: many receivers refuse its mail", found=why)


def is_inside(address: str) -> bool:
    """Return whether an address is private (RFC 1918, RFC 4193, RFC 6598), link-local, or the usual one of loopback.

    >>> is_inside("10.1.2.3"), is_inside("fd00::1"), is_inside("192.0.2.1")
    (True, True, False)
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return any(parsed in network for network in _INSIDE)


def may_send(records: Records, domain: str, address: str) -> bool:
    """Return whether the SPF record lets an address send mail of a domain; without a record it may."""
    if not domain:
        return True
    client = Client(ipaddress.ip_address(address.partition("%")[0]), domain, f"postmaster@{domain}")
    result = check_host(client, spf_questions(records)).result
    return result not in (Result.FAIL, Result.SOFTFAIL, Result.NEUTRAL)


def _judge_forward(records: Records, address: str, names: tuple[str, ...], found: Findings, *, more: int) -> None:
    verdicts = [leads_to(records, name, address) for name in names]
    if True in verdicts:
        name = names[verdicts.index(True)]
        found.passed("dns.fcrdns_mismatch", f"{name} leads back to {address} (forward-confirmed)")
    elif None in verdicts:
        found.unknown("dns.fcrdns_mismatch", f"whether {names[0]} leads back to {address} could not be looked up")
    elif more:
        said = f"none of the first {len(names)} PTR names leads back to {address}, and {more} more were not checked"
        found.unknown("dns.fcrdns_mismatch", said)
    else:
        found.fail(
            "dns.fcrdns_mismatch",
            f"the PTR name {names[0]} does not lead back to {address}",
            expected=address,
            found=", ".join(records.addresses(names[0])[0]) or "no address",
        )


def leads_to(records: Records, name: str, address: str) -> bool | None:
    """Return whether a name has this address, None if that is unknown."""
    addresses, trouble = records.addresses(name)
    if any(packed(one) == packed(address) for one in addresses):
        return True
    return None if trouble and trouble.kind is Answered.FAILED else False


def judge_public(found: Findings, host: str, addresses: tuple[str, ...]) -> list[str]:
    """Judge whether the addresses of an MX host are public; return those that are not."""
    private = [one for one in addresses if not ipaddress.ip_address(one).is_global]
    said = f"the MX host {host} has an address that cannot be reached from outside: {', '.join(private)}"
    found.judge("dns.mx_private", not private, f"the addresses of {host} are public", said)
    return private


def is_host_name(text: str) -> bool:
    """Return whether a text is a full host name.

    >>> is_host_name("mail.example.org"), is_host_name("localhost"), is_host_name("a b.example")
    (True, False, False)
    """
    return bool(_HOST_NAME.fullmatch(text))


def is_ehlo_name(text: str) -> bool:
    """Return whether a text is a host name or an address literal, valid in EHLO (RFC 5321 section 4.1.3)."""
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1]
        inner = inner[5:] if inner.lower().startswith("ipv6:") else inner
        return packed(inner) is not None
    return is_host_name(text)


def is_generic(name: str, address: str) -> bool:
    """Return whether a PTR name contains the address, like those of address pools.

    >>> is_generic("192-0-2-7.pool.example.net", "192.0.2.7"), is_generic("mx7.example.net", "192.0.2.7")
    (True, False)
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if parsed.version == 6:
        return parsed.exploded.replace(":", "")[-12:] in re.sub(r"[^0-9a-f]", "", name.lower())
    octets = address.split(".")
    numbers = [number.lstrip("0") or "0" for number in re.findall(r"\d{1,3}", name)]
    spelled = any(
        numbers[at : at + 4] in (octets, octets[::-1])
        or numbers[at : at + 3] in (octets[:3], octets[1:], octets[:0:-1])
        for at in range(len(numbers))
    )
    return spelled or parsed.packed.hex() in name.lower()

"""Where does the domain's mail go, and can it get there? (MX: RFC 5321 section 5.1, RFC 7505)"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from mailmon.clients.records import Answer, Answered, is_address
from mailmon.diagnose.names import judge_pointers, leads_to, may_send
from mailmon.diagnose.targets import judge_public
from mailmon.domain.context import RecordCheck
from mailmon.findings import Findings
from mailmon.mail.auth.spf.record import SyntaxMistake, is_spf, read_record
from mailmon.model.findings import Finding, Severity, Verdict

MAX_ADDRESSES = 16
# What is wrong with the MX records themselves, and not with the addresses that they lead to.
_OF_RECORDS = ("dns.mx_none", "dns.mx_is_address", "dns.mx_cname", "dns.mx_dangling", "dns.mx_name_invalid")
PURPOSE, ADDRESS = "where its mail goes", "address of the MX host"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


class Host(NamedTuple):
    """An MX host: `has_address` is None where that is not known; `canonical` is another name that it is an alias of."""

    name: str
    addresses: tuple[str, ...] = ()
    has_address: bool | None = None
    canonical: str = ""


def look(area: RecordCheck) -> None:
    """Judge the MX records, and the addresses and names of their hosts."""
    scene, at = area.scene, len(area.rows)
    shown = _shown(scene.mx)
    if scene.mx.kind is Answered.FAILED:
        area.row(area.domain, "MX", PURPOSE, "", shown)
        area.tell_unknown("dns.resolver_error", "the MX records", scene.mx)
        area.found.unknown("dns.mx_none", "whether it has MX records is not known")
        return
    wanted: tuple[str, ...]
    if scene.is_null_mx:
        _judge_null(area)
        wanted = _judge_hosts(area) if scene.exchangers else ("0 .",)
    elif not scene.exchangers:
        wanted = _judge_implicit(area)
    else:
        area.found.passed("dns.mx_none", f"its mail goes to {', '.join(scene.hosts)}")
        wanted = _judge_hosts(area)
    is_bad = any(map(area.has_failed, _OF_RECORDS)) or (scene.is_null_mx and bool(scene.exchangers))
    if not is_bad and scene.exchangers:
        wanted = shown.values
    area.row(area.domain, "MX", PURPOSE, wanted, shown, is_bad=is_bad)
    area.rows.insert(at, area.rows.pop())


def _judge_hosts(area: RecordCheck) -> tuple[str, ...]:
    """Judge all MX hosts; return the MX records that should stand."""
    scene, at = area.scene, len(area.rows)
    hosts = {name: _judge_host(area, name) for name in scene.hosts}
    dangling = [one.name for one in hosts.values() if one.has_address is False]
    is_critical = len(dangling) == len(hosts)
    for name in dangling:
        severity = Severity.CRITICAL if is_critical else None
        area.found.fail("dns.mx_dangling", f"the MX host {name} has no address", severity, found="no A, no AAAA")
    if all(one.has_address for one in hosts.values()):
        area.found.passed("dns.mx_dangling", f"each of the {len(hosts)} MX hosts has an address")
    reachable = [one for one in hosts.values() if one.has_address]
    if reachable and len(reachable) + len(dangling) == len(hosts):
        _judge_families(area, reachable)
    for one in hosts.values():
        _add_rows(area, one, is_given_up=one.has_address is False and not is_critical)
    area.rows[at:] = sorted(area.rows[at:], key=lambda row: row.type == "PTR")  # addresses first, as they are published
    proposed = _proposed(area, hosts)
    if proposed:
        _tell_left_out(area, {value.partition(" ")[2] for value in proposed})
    return proposed


def _tell_left_out(area: RecordCheck, kept: set[str]) -> None:
    """Say of names that no host may have that they are missing in what is proposed."""
    area.found.all = [
        one._replace(fix=f"{one.fix}; {one.found} is left out of what should stand there")
        if (one.id, one.status) == ("dns.mx_name_invalid", Verdict.FAIL) and one.found not in kept
        else one
        for one in area.found.all
    ]


def _judge_families(area: RecordCheck, hosts: list[Host]) -> None:
    only_six = [one.name for one in hosts if all(":" in address for address in one.addresses)]
    said = (
        f"{', '.join(only_six)} {'has' if len(only_six) == 1 else 'have'} no IPv4 address: senders without IPv6 give up"
    )
    area.found.judge("dns.mx_ipv6_only", len(only_six) < len(hosts), "senders with IPv4 reach it", said)


def _proposed(area: RecordCheck, hosts: Mapping[str, Host]) -> tuple[str, ...]:
    """Return the MX records that should stand; none where that cannot be told.

    Aliases and addresses are replaced by the host that they lead to, hosts without an address are left out.
    """
    kept: dict[str, int] = {}
    has_good = any(one.has_address for one in hosts.values())
    for exchanger in area.scene.exchangers:
        host = hosts[exchanger.host]
        name = _name_of(area, host.name) if is_address(host.name) else host.canonical or host.name
        if not _is_host_name(name):
            if host.has_address is not False:
                return ()  # mail gets there by a name that only its operator can replace
            continue
        if host.has_address is not False or (not has_good and _own_addresses(area)):
            kept.setdefault(name, exchanger.preference)
    return tuple(f"{preference} {name}" for name, preference in kept.items())


def _name_of(area: RecordCheck, address: str) -> str:
    """Return the host that an address belongs to by its PTR record, else a name that is free."""
    answer = area.scene.records.pointers(address)
    names = [name for name in answer.values if leads_to(area.scene.records, name, address)]
    return names[0] if names else f"mail.{area.domain}"


def _is_host_name(name: str) -> bool:
    """Say whether a name is one that hosts may have: letters, digits and hyphens (RFC 1123 section 2.1)."""
    return all(map(_LABEL.fullmatch, name.split(".")))


def _own_addresses(area: RecordCheck) -> tuple[str, ...]:
    return area.scene.options.own_addresses


def _shown(answer: Answer) -> Answer:
    """Return MX records with the preferred first, a null MX as it is written."""
    ordered = sorted(answer.values, key=lambda value: (int(value.split()[0]), value))
    return answer._replace(values=tuple(value if value.split()[1:] else f"{value.strip()} ." for value in ordered))


def _judge_null(area: RecordCheck) -> None:
    scene = area.scene
    if len(scene.mx.values) > 1:
        said = "it has a null MX, which says that it takes no mail, beside other MX records"
        area.found.fail("dns.null_mx_conflict", said, found="; ".join(_shown(scene.mx).values))
        return
    area.found.passed("dns.mx_none", "a null MX says that it takes no mail")
    texts = [text for text in scene.records.ask(area.domain, "TXT").values if is_spf(text)]
    try:
        sends = [text for text in texts if read_record(text).lets_send]
    except SyntaxMistake:
        sends = []
    if sends:
        said = "it takes no mail (null MX), but its SPF record lets somebody send: receivers refuse such senders"
        area.found.fail("dns.null_mx_conflict", said, expected="v=spf1 -all", found=texts[0])
    else:
        area.found.passed("dns.null_mx_conflict", "nothing contradicts the null MX")


def _judge_implicit(area: RecordCheck) -> tuple[str, ...]:
    """Judge a domain without MX records; return those that should stand."""
    addresses, trouble = area.scene.records.addresses(area.domain)
    given = area.scene.options.host
    if addresses:
        # An implicit MX is as valid as one that is published (RFC 5321 section 5.1).
        said = "it has no MX record; its mail goes to its own address, which few expect"
        area.found.fail("dns.mx_none", said, Severity.NOTICE, found=", ".join(addresses))
        _judge_addresses(area, area.domain, addresses)
        return (f"10 {given or area.domain}",)
    if trouble and trouble.kind is Answered.FAILED:
        area.found.unknown("dns.mx_none", f"it has no MX record; its address could not be looked up: {trouble.why}")
        return ()
    area.found.fail("dns.mx_none", "it has neither an MX record nor an address: no mail can reach it")
    host = area.scene.mail_host
    if area.scene.mx.kind is not Answered.NXDOMAIN and not area.scene.records.addresses(host)[0]:
        _add_rows(area, Host(host, has_address=False))
    return (f"10 {host}",)


def _judge_host(area: RecordCheck, host: str) -> Host:
    """Judge one MX host."""
    records = area.scene.records
    if is_address(host):
        area.found.fail("dns.mx_is_address", f"the MX record names the address {host} and not a host")
        if f"mail.{area.domain}" == _name_of(area, host):
            kind = "AAAA" if ":" in host else "A"
            area.row(f"mail.{area.domain}", kind, ADDRESS, host, records.ask(f"mail.{area.domain}", kind))
        return Host(host)
    if not _is_host_name(host):
        said = f"the MX host {host} has a name that no host may have: some senders refuse it"
        area.found.fail("dns.mx_name_invalid", said, expected="letters, digits and hyphens", found=host)
    answers = area.scene.ask_all([(host, "A"), (host, "AAAA")])
    canonical = next((one.canonical for one in answers if one.values and one.canonical), host)
    if canonical.lower() != host.lower():
        area.found.fail("dns.mx_cname", f"the MX host {host} is an alias (CNAME) of {canonical}", found=canonical)
    elif any(one.kind is not Answered.FAILED for one in answers):
        area.found.passed("dns.mx_cname", f"the MX host {host} is no alias")
    addresses, trouble = records.addresses(host)
    if not addresses:
        if trouble and trouble.kind is Answered.FAILED:
            area.tell_unknown("dns.resolver_error", f"the address of the MX host {host}", trouble)
            return Host(host)
        return Host(host, has_address=False)
    _judge_addresses(area, host, addresses)
    return Host(host, addresses, True, canonical if canonical.lower() != host.lower() else "")


def _add_rows(area: RecordCheck, host: Host, *, is_given_up: bool = False) -> None:
    """Add the rows of a host's addresses: public ones should stand there, or else those that we send from."""
    if is_address(host.name):
        return
    public = [one for one in host.addresses if ipaddress.ip_address(one).is_global]
    is_settled = is_given_up or public or host.has_address is None or not _is_host_name(host.name)
    own = () if is_settled else _own_addresses(area)
    for kind in ("A", "AAAA"):
        answer = area.scene.records.ask(host.name, kind)
        wanted = tuple(one for one in (*public, *own) if (":" in one) == (kind == "AAAA"))
        is_bad = bool(host.canonical) or len(wanted) < len(answer.values) or (kind == "A" and not host.has_address)
        if answer.kind is Answered.FAILED or host.canonical:
            wanted = ()
        if answer.values or wanted or kind == "A":
            area.row(host.name, kind, ADDRESS, wanted, answer, is_bad=is_bad and answer.kind is not Answered.FAILED)


def _judge_addresses(area: RecordCheck, host: str, addresses: tuple[str, ...]) -> None:
    private = judge_public(area.found, host, addresses)
    public = [one for one in addresses if one not in private][:MAX_ADDRESSES]
    for judged in area.scene.questions.map(lambda address: pointers(area, address), public):
        take_pointer(area, judged, host)


class Judged(NamedTuple):
    """What the PTR records of an address came to; `is_sending` where mail of the domain may come from it."""

    address: str
    answer: Answer
    found: Findings
    is_sending: bool


def pointers(area: RecordCheck, address: str) -> Judged:
    """Judge the PTR records of an address."""
    records, found = area.scene.records, Findings(address)
    is_sending = address in _own_addresses(area) or may_send(records, area.domain, address)
    judge_pointers(records, address, found, sends=is_sending)
    return Judged(address, records.pointers(address), found, is_sending)


def take_pointer(area: RecordCheck, judged: Judged, host: str) -> None:
    """Add what the PTR records of an address came to; where no mail comes from, nothing is worse than a notice."""
    address, answer, found, is_sending = judged
    failed = [one for one in found.all if one.status is Verdict.FAIL]
    is_bad = is_sending and any(one.severity in (Severity.ERROR, Severity.WARNING) for one in failed)
    wanted = answer.values
    ours = next((name for name in answer.values if f".{name}".lower().endswith(f".{area.domain}")), "")
    if ours and any(one.id == "dns.fcrdns_mismatch" for one in failed):
        _add_confirming_row(area, ours, address)
        is_bad = False  # it is the name that lacks the address
    elif failed:
        wanted = (host,) if _may_be_called(area, host, address) else ()
    name = ipaddress.ip_address(address).reverse_pointer
    area.row(name, "PTR", f"name of {address}", wanted, answer, is_bad=is_bad)
    area.found.all += found.all if is_sending else map(_as_notice, found.all)


def _add_confirming_row(area: RecordCheck, name: str, address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    answer = area.scene.records.ask(name, kind)
    wanted = (*answer.values, address)
    area.row(name, kind, f"leads back to {address}", wanted, answer, is_bad=True)


def _may_be_called(area: RecordCheck, host: str, address: str) -> bool:
    """Say whether a host's name leads back to an address, or will when the host has one."""
    addresses, trouble = area.scene.records.addresses(host)
    return address in addresses or (not addresses and trouble is not None and trouble.kind is not Answered.FAILED)


def _as_notice(one: Finding) -> Finding:
    if one.status is not Verdict.FAIL or one.severity is Severity.NOTICE:
        return one
    said = f"{one.message}; by SPF no mail of the domain comes from there"
    return one._replace(severity=Severity.NOTICE, message=said)

"""MX: where the domain's mail goes, and the addresses and names of the MX hosts (RFC 5321 section 5.1, RFC 7505)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple

from mailmon.clients.records import Answer, Answered, is_address
from mailmon.diagnose.names import judge_pointers, judge_public, leads_to, may_send
from mailmon.domain.context import RecordCheck
from mailmon.findings import Findings
from mailmon.mail.auth.spf.record import SyntaxMistake, is_spf, read_record
from mailmon.model.findings import Finding, Severity, Verdict

MAX_ADDRESSES = 16
# Faults of the MX records themselves, not of the addresses of their hosts.
_OF_RECORDS = ("dns.mx_none", "dns.mx_is_address", "dns.mx_cname", "dns.mx_dangling", "dns.mx_name_invalid")
PURPOSE, ADDRESS = "where its mail goes", "address of the MX host"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


class Host(NamedTuple):
    """An MX host: `has_address` is None if that is unknown; `canonical` is the target if it is an alias."""

    name: str
    addresses: tuple[str, ...] = ()
    has_address: bool | None = None
    canonical: str = ""


def run(check: RecordCheck) -> None:
    """Judge the MX records, and the addresses and names of their hosts."""
    context, at = check.context, len(check.rows)
    shown = _shown(context.mx)
    if context.mx.kind is Answered.FAILED:
        check.row(check.domain, "MX", PURPOSE, "", shown)
        check.report_unknown("dns.resolver_error", "the MX records", context.mx)
        check.found.unknown("dns.mx_none", "whether it has MX records is unknown")
        return
    wanted: tuple[str, ...]
    if context.is_null_mx:
        _judge_null(check)
        wanted = _judge_hosts(check) if context.mx_records else ("0 .",)
    elif not context.mx_records:
        wanted = _judge_implicit(check)
    else:
        check.found.passed("dns.mx_none", f"its mail goes to {', '.join(context.hosts)}")
        wanted = _judge_hosts(check)
    is_bad = any(map(check.has_failed, _OF_RECORDS)) or (context.is_null_mx and bool(context.mx_records))
    if not is_bad and context.mx_records:
        wanted = shown.values
    check.row(check.domain, "MX", PURPOSE, wanted, shown, is_bad=is_bad)
    check.rows.insert(at, check.rows.pop())


def _judge_hosts(check: RecordCheck) -> tuple[str, ...]:
    """Judge all MX hosts; return the MX records that should be published."""
    context, at = check.context, len(check.rows)
    hosts = {name: _judge_host(check, name) for name in context.hosts}
    dangling = [one.name for one in hosts.values() if one.has_address is False]
    is_critical = len(dangling) == len(hosts)
    for name in dangling:
        severity = Severity.CRITICAL if is_critical else None
        check.found.fail("dns.mx_dangling", f"the MX host {name} has no address", severity, found="no A, no AAAA")
    if all(one.has_address for one in hosts.values()):
        check.found.passed("dns.mx_dangling", f"each of the {len(hosts)} MX hosts has an address")
    reachable = [one for one in hosts.values() if one.has_address]
    if reachable and len(reachable) + len(dangling) == len(hosts):
        _judge_families(check, reachable)
    for one in hosts.values():
        _add_rows(check, one, is_given_up=one.has_address is False and not is_critical)
    check.rows[at:] = sorted(
        check.rows[at:], key=lambda row: row.type == "PTR"
    )  # addresses first, as they are published
    proposed = _proposed(check, hosts)
    if proposed:
        _report_left_out(check, {value.partition(" ")[2] for value in proposed})
    return proposed


def _report_left_out(check: RecordCheck, kept: set[str]) -> None:
    """Add to the findings of invalid host names that the proposal leaves these out."""
    check.found.all = [
        one._replace(fix=f"{one.fix}; {one.found} is left out of the proposal")
        if (one.id, one.status) == ("dns.mx_name_invalid", Verdict.FAIL) and one.found not in kept
        else one
        for one in check.found.all
    ]


def _judge_families(check: RecordCheck, hosts: list[Host]) -> None:
    only_six = [one.name for one in hosts if all(":" in address for address in one.addresses)]
    said = (
        f"{', '.join(only_six)} {'has' if len(only_six) == 1 else 'have'} no IPv4 address: senders without IPv6 give up"
    )
    check.found.judge("dns.mx_ipv6_only", len(only_six) < len(hosts), "senders with IPv4 reach it", said)


def _proposed(check: RecordCheck, hosts: Mapping[str, Host]) -> tuple[str, ...]:
    """Return the MX records that should be published; none if that is unknown.

    Aliases and addresses are replaced by their host, hosts without an address are left out.
    """
    kept: dict[str, int] = {}
    has_good = any(one.has_address for one in hosts.values())
    for record in check.context.mx_records:
        host = hosts[record.host]
        name = _name_of(check, host.name) if is_address(host.name) else host.canonical or host.name
        if not _is_host_name(name):
            if host.has_address is not False:
                return ()  # mail gets there by a name that only its operator can replace
            continue
        if host.has_address is not False or (not has_good and _own_addresses(check)):
            kept.setdefault(name, record.preference)
    return tuple(f"{preference} {name}" for name, preference in kept.items())


def _name_of(check: RecordCheck, address: str) -> str:
    """Return the host of an address by its PTR record, else a proposed name."""
    answer = check.context.records.pointers(address)
    names = [name for name in answer.values if leads_to(check.context.records, name, address)]
    return names[0] if names else f"mail.{check.domain}"


def _is_host_name(name: str) -> bool:
    """Return whether a name is a valid host name: letters, digits and hyphens (RFC 1123 section 2.1)."""
    return all(map(_LABEL.fullmatch, name.split(".")))


def _own_addresses(check: RecordCheck) -> tuple[str, ...]:
    return check.context.options.own_addresses


def _shown(answer: Answer) -> Answer:
    """Return MX records with the preferred first, a null MX as in a zone file."""
    ordered = sorted(answer.values, key=lambda value: (int(value.split()[0]), value))
    return answer._replace(values=tuple(value if value.split()[1:] else f"{value.strip()} ." for value in ordered))


def _judge_null(check: RecordCheck) -> None:
    context = check.context
    if len(context.mx.values) > 1:
        said = "it has a null MX, which declares that it accepts no mail, beside other MX records"
        check.found.fail("dns.null_mx_conflict", said, found="; ".join(_shown(context.mx).values))
        return
    check.found.passed("dns.mx_none", "a null MX declares that it accepts no mail")
    texts = [text for text in context.records.ask(check.domain, "TXT").values if is_spf(text)]
    try:
        sends = [text for text in texts if read_record(text).lets_send]
    except SyntaxMistake:
        sends = []
    if sends:
        said = "it accepts no mail (null MX), but its SPF record authorises senders: receivers refuse them"
        check.found.fail("dns.null_mx_conflict", said, expected="v=spf1 -all", found=texts[0])
    else:
        check.found.passed("dns.null_mx_conflict", "nothing contradicts the null MX")


def _judge_implicit(check: RecordCheck) -> tuple[str, ...]:
    """Judge a domain without MX records; return those that should be published."""
    addresses, trouble = check.context.records.addresses(check.domain)
    given = check.context.options.host
    if addresses:
        # An implicit MX is as valid as one that is published (RFC 5321 section 5.1).
        said = "it has no MX record; its mail goes to its own address, which is unusual"
        check.found.fail("dns.mx_none", said, Severity.NOTICE, found=", ".join(addresses))
        _judge_addresses(check, check.domain, addresses)
        return (f"10 {given or check.domain}",)
    if trouble and trouble.kind is Answered.FAILED:
        check.found.unknown("dns.mx_none", f"it has no MX record; its address could not be looked up: {trouble.why}")
        return ()
    check.found.fail("dns.mx_none", "it has neither an MX record nor an address: no mail can reach it")
    host = check.context.mail_host
    if check.context.mx.kind is not Answered.NXDOMAIN and not check.context.records.addresses(host)[0]:
        _add_rows(check, Host(host, has_address=False))
    return (f"10 {host}",)


def _judge_host(check: RecordCheck, host: str) -> Host:
    """Judge one MX host."""
    records = check.context.records
    if is_address(host):
        check.found.fail("dns.mx_is_address", f"the MX record names the address {host} and not a host")
        if f"mail.{check.domain}" == _name_of(check, host):
            kind = "AAAA" if ":" in host else "A"
            check.row(f"mail.{check.domain}", kind, ADDRESS, host, records.ask(f"mail.{check.domain}", kind))
        return Host(host)
    if not _is_host_name(host):
        said = f"the MX host {host} has an invalid host name: some senders refuse it"
        check.found.fail("dns.mx_name_invalid", said, expected="letters, digits and hyphens", found=host)
    answers = check.context.ask_all([(host, "A"), (host, "AAAA")])
    canonical = next((one.canonical for one in answers if one.values and one.canonical), host)
    if canonical.lower() != host.lower():
        check.found.fail("dns.mx_cname", f"the MX host {host} is an alias (CNAME) of {canonical}", found=canonical)
    elif any(one.kind is not Answered.FAILED for one in answers):
        check.found.passed("dns.mx_cname", f"the MX host {host} is no alias")
    addresses, trouble = records.addresses(host)
    if not addresses:
        if trouble and trouble.kind is Answered.FAILED:
            check.report_unknown("dns.resolver_error", f"the address of the MX host {host}", trouble)
            return Host(host)
        return Host(host, has_address=False)
    _judge_addresses(check, host, addresses)
    return Host(host, addresses, True, canonical if canonical.lower() != host.lower() else "")


def _add_rows(check: RecordCheck, host: Host, *, is_given_up: bool = False) -> None:
    """Add the rows of a host's addresses: its public ones are expected, or else those that mail is sent from."""
    if is_address(host.name):
        return
    public = [one for one in host.addresses if ipaddress.ip_address(one).is_global]
    is_settled = is_given_up or public or host.has_address is None or not _is_host_name(host.name)
    own = () if is_settled else _own_addresses(check)
    for kind in ("A", "AAAA"):
        answer = check.context.records.ask(host.name, kind)
        wanted = tuple(one for one in (*public, *own) if (":" in one) == (kind == "AAAA"))
        is_bad = bool(host.canonical) or len(wanted) < len(answer.values) or (kind == "A" and not host.has_address)
        if answer.kind is Answered.FAILED or host.canonical:
            wanted = ()
        if answer.values or wanted or kind == "A":
            check.row(host.name, kind, ADDRESS, wanted, answer, is_bad=is_bad and answer.kind is not Answered.FAILED)


def _judge_addresses(check: RecordCheck, host: str, addresses: tuple[str, ...]) -> None:
    private = judge_public(check.found, host, addresses)
    public = [one for one in addresses if one not in private][:MAX_ADDRESSES]
    for judged in check.context.questions.map(lambda address: pointers(check, address), public):
        take_pointer(check, judged, host)


class Judged(NamedTuple):
    """The PTR records of an address, judged; `is_sending` if mail of the domain may come from it."""

    address: str
    answer: Answer
    found: Findings
    is_sending: bool


def pointers(check: RecordCheck, address: str) -> Judged:
    """Judge the PTR records of an address."""
    records, found = check.context.records, Findings(address)
    is_sending = address in _own_addresses(check) or may_send(records, check.domain, address)
    judge_pointers(records, address, found, sends=is_sending)
    return Judged(address, records.pointers(address), found, is_sending)


def take_pointer(check: RecordCheck, judged: Judged, host: str) -> None:
    """Add the findings on the PTR records of an address; notices at most if no mail comes from it."""
    address, answer, found, is_sending = judged
    failed = [one for one in found.all if one.status is Verdict.FAIL]
    is_bad = is_sending and any(one.severity in (Severity.ERROR, Severity.WARNING) for one in failed)
    wanted = answer.values
    ours = next((name for name in answer.values if f".{name}".lower().endswith(f".{check.domain}")), "")
    if ours and any(one.id == "dns.fcrdns_mismatch" for one in failed):
        _add_confirming_row(check, ours, address)
        is_bad = False  # the fault is in the name, which lacks the address
    elif failed:
        wanted = (host,) if _may_be_called(check, host, address) else ()
    name = ipaddress.ip_address(address).reverse_pointer
    check.row(name, "PTR", f"name of {address}", wanted, answer, is_bad=is_bad)
    check.found.all += found.all if is_sending else map(_as_notice, found.all)


def _add_confirming_row(check: RecordCheck, name: str, address: str) -> None:
    kind = "AAAA" if ":" in address else "A"
    answer = check.context.records.ask(name, kind)
    wanted = (*answer.values, address)
    check.row(name, kind, f"leads back to {address}", wanted, answer, is_bad=True)


def _may_be_called(check: RecordCheck, host: str, address: str) -> bool:
    """Return whether a host has an address, or could get it because it has none."""
    addresses, trouble = check.context.records.addresses(host)
    return address in addresses or (not addresses and trouble is not None and trouble.kind is not Answered.FAILED)


def _as_notice(one: Finding) -> Finding:
    if one.status is not Verdict.FAIL or one.severity is Severity.NOTICE:
        return one
    said = f"{one.message}; by its SPF record the domain sends no mail from there"
    return one._replace(severity=Severity.NOTICE, message=said)

"""Where does the domain's mail go, and can it get there? (MX: RFC 5321 section 5.1, RFC 7505)"""

from __future__ import annotations

import ipaddress

from mailmon.catalogue import Findings
from mailmon.clients.records import Answer, Answered, Records, is_address
from mailmon.diagnose.names import judge_pointers
from mailmon.diagnose.targets import judge_public
from mailmon.domain.scene import Area
from mailmon.mail.spf.record import Record, SyntaxMistake, is_spf, read_record
from mailmon.model.facts import Severity

MAX_ADDRESSES = 4


def look(area: Area) -> None:
    """Judge the MX records, and the addresses and names of their hosts."""
    scene = area.scene
    expected = _shown(scene.mx).values or f"10 {scene.mail_host}"
    area.row(area.domain, "MX", "where its mail goes", "0" if scene.is_null_mx else expected, _shown(scene.mx))
    if scene.mx.kind is Answered.FAILED:
        area.tell_unknown("dns.resolver_error", "the MX records", scene.mx)
        area.found.unknown("dns.mx_none", "whether it has MX records is not known")
        return
    if scene.is_null_mx:
        _judge_null(area)
        return
    if not scene.exchangers:
        _judge_implicit(area)
        return
    area.found.passed("dns.mx_none", f"its mail goes to {', '.join(scene.hosts)}")
    has_address = {host: _judge_host(area, host) for host in scene.hosts}
    dangling = [host for host, is_there in has_address.items() if is_there is False]
    for host in dangling:
        severity = Severity.CRITICAL if len(dangling) == len(has_address) else None
        area.found.fail("dns.mx_dangling", f"the MX host {host} has no address", severity, found="no A, no AAAA")
    if not dangling and all(has_address.values()):
        area.found.passed("dns.mx_dangling", "each MX host has an address")


def _shown(answer: Answer) -> Answer:
    """Return MX records with the preferred first, a null MX by its number alone."""
    ordered = sorted(answer.values, key=lambda value: (int(value.split()[0]), value))
    return answer._replace(values=tuple(value.strip() for value in ordered))


def _judge_null(area: Area) -> None:
    scene = area.scene
    if len(scene.mx.values) > 1:
        said = "it has a null MX, which says that it takes no mail, beside other MX records"
        area.found.fail("dns.null_mx_conflict", said, found="; ".join(_shown(scene.mx).values))
        return
    area.found.passed("dns.mx_none", "a null MX says that it takes no mail")
    texts = [text for text in scene.records.ask(area.domain, "TXT").values if is_spf(text)]
    try:
        sends = [text for text in texts if _lets_anybody_send(read_record(text))]
    except SyntaxMistake:
        sends = []
    if sends:
        said = "it takes no mail (null MX), but its SPF record lets somebody send: receivers refuse such senders"
        area.found.fail("dns.null_mx_conflict", said, expected="v=spf1 -all", found=texts[0])
    else:
        area.found.passed("dns.null_mx_conflict", "nothing contradicts the null MX")


def _lets_anybody_send(record: Record) -> bool:
    return bool(record.redirect) or any(one.qualifier == "+" for one in record.directives)


def _judge_implicit(area: Area) -> None:
    addresses, trouble = area.scene.records.addresses(area.domain)
    if addresses:
        said = "it has no MX record; its mail goes to its own address, which few expect"
        area.found.fail("dns.mx_none", said, Severity.WARNING, found=", ".join(addresses))
        _judge_addresses(area, area.domain, addresses)
    elif trouble and trouble.kind is Answered.FAILED:
        area.found.unknown("dns.mx_none", f"it has no MX record; its address could not be looked up: {trouble.why}")
    else:
        area.found.fail("dns.mx_none", "it has neither an MX record nor an address: no mail can reach it")


def _judge_host(area: Area, host: str) -> bool | None:
    """Judge one MX host; return whether it has an address, None where that is not known or not the question."""
    records = area.scene.records
    if is_address(host):
        area.found.fail("dns.mx_is_address", f"the MX record names the address {host} and not a host")
        return None
    answers = dict(zip(("A", "AAAA"), area.scene.ask_all([(host, "A"), (host, "AAAA")]), strict=True))
    is_dangling = all(one.kind in (Answered.NXDOMAIN, Answered.NODATA) for one in answers.values())
    for kind, answer in answers.items():
        wanted = _proposed_address(area) if is_dangling and kind == "A" else answer.values
        if answer.values or kind == "A":
            area.row(host, kind, "address of the MX host", wanted, answer)
    canonical = next((one.canonical for one in answers.values() if one.canonical), host)
    if canonical.lower() != host.lower():
        area.found.fail("dns.mx_cname", f"the MX host {host} is an alias (CNAME) of {canonical}", found=canonical)
    elif any(one.kind is not Answered.FAILED for one in answers.values()):
        area.found.passed("dns.mx_cname", f"the MX host {host} is no alias")
    addresses, trouble = records.addresses(host)
    if not addresses:
        if trouble and trouble.kind is Answered.FAILED:
            area.tell_unknown("dns.resolver_error", f"the address of the MX host {host}", trouble)
            return None
        return False
    _judge_addresses(area, host, addresses)
    return True


def _proposed_address(area: Area) -> str:
    """Return what a host without any address should have: where we send from, or a word to be replaced."""
    return next((one for one in area.scene.options.own_addresses if ":" not in one), "ADDRESS")


def _judge_addresses(area: Area, host: str, addresses: tuple[str, ...]) -> None:
    private = judge_public(area.found, host, addresses)
    public = [one for one in addresses if one not in private][:MAX_ADDRESSES]
    for judged in area.scene.questions.map(lambda address: pointers(area.scene.records, address), public):
        _take_pointer(area, judged, host)


def pointers(records: Records, address: str) -> tuple[str, Answer, Findings]:
    """Return what the PTR records of an address come to."""
    found = Findings(address)
    judge_pointers(records, address, found)
    return address, records.pointers(address), found


def _take_pointer(area: Area, judged: tuple[str, Answer, Findings], host: str) -> None:
    address, answer, found = judged
    name = ipaddress.ip_address(address).reverse_pointer
    area.row(name, "PTR", f"name of {address}", answer.values[0] if answer.values else host, answer)
    area.found.all += found.all

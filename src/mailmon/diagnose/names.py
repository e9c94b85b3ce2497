"""Do the host's names and addresses lead to each other? (PTR, forward-confirmed reverse DNS: RFC 8601 section 2.7.3)"""

from __future__ import annotations

import ipaddress
import re

from mailmon.catalogue import Findings
from mailmon.clients.names import packed
from mailmon.clients.records import Answered, Records

MAX_POINTERS = 5
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\.?", re.I
)


def judge_pointers(records: Records, address: str, found: Findings) -> tuple[str, ...]:
    """Judge the PTR records of an address; return their names."""
    answer = records.pointers(address)
    if answer.kind is Answered.FAILED:
        found.unknown("dns.resolver_error", f"the PTR record of {address} could not be looked up: {answer.why}")
        found.unknown("dns.ptr_missing", f"whether {address} has a PTR record is not known")
        return ()
    if not answer.values:
        found.fail("dns.ptr_missing", f"{address} has no PTR record: many receivers refuse its mail", found=answer.why)
        found.skipped("dns.fcrdns_mismatch", "without a PTR record there is nothing to confirm")
        return ()
    names = answer.values[:MAX_POINTERS]
    found.passed("dns.ptr_missing", f"{address} is {', '.join(names)} (PTR)")
    _judge_forward(records, address, names, found)
    generic = [name for name in names if is_generic(name, address)]
    if len(generic) == len(names):
        found.fail("dns.ptr_generic", f"the PTR name {generic[0]} looks like one of an address pool")
    return names


def _judge_forward(records: Records, address: str, names: tuple[str, ...], found: Findings) -> None:
    verdicts = [leads_to(records, name, address) for name in names]
    if True in verdicts:
        name = names[verdicts.index(True)]
        found.passed("dns.fcrdns_mismatch", f"{name} leads back to {address} (forward-confirmed)")
    elif None in verdicts:
        found.unknown("dns.fcrdns_mismatch", f"whether {names[0]} leads back to {address} could not be looked up")
    else:
        found.fail(
            "dns.fcrdns_mismatch",
            f"the PTR name {names[0]} does not lead back to {address}",
            expected=address,
            found=", ".join(records.addresses(names[0])[0]) or "no address",
        )


def leads_to(records: Records, name: str, address: str) -> bool | None:
    """Say whether a name has this address, None where that cannot be told."""
    addresses, trouble = records.addresses(name)
    if any(packed(one) == packed(address) for one in addresses):
        return True
    return None if trouble and trouble.kind is Answered.FAILED else False


def is_host_name(text: str) -> bool:
    """Say whether a text is a full host name.

    >>> is_host_name("mail.example.org"), is_host_name("localhost"), is_host_name("a b.example")
    (True, False, False)
    """
    return bool(_HOST_NAME.fullmatch(text))


def is_ehlo_name(text: str) -> bool:
    """Say whether a text is a name or an address literal as EHLO wants it (RFC 5321 section 4.1.3)."""
    if text.startswith("[") and text.endswith("]"):
        inner = text[1:-1]
        inner = inner[5:] if inner.lower().startswith("ipv6:") else inner
        return packed(inner) is not None
    return is_host_name(text)


def is_generic(name: str, address: str) -> bool:
    """Say whether a PTR name spells the address, as providers name their pools.

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

"""Is one of our addresses on a block list?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.hosts import telling
from mailmon.checks.targets import Host
from mailmon.model import Fact, Finding, Verdict

LOOKUP_S = 5.0


def ask(_tools: RunContext, host: Host) -> Iterator[Fact]:
    """Ask all lists for the address, or for each address that the name has."""
    from mailmon.clients.records import Records, is_address
    from mailmon.diagnose.dnsbl import judge_lists

    records = Records(host.nameservers, LOOKUP_S)
    addresses, trouble = ((host.name,), None) if is_address(host.name) else records.addresses(host.name)
    if not addresses:
        why = trouble.why if trouble else "no address"
        yield Finding("dns.resolver_error", Verdict.UNKNOWN, host.name, f"{host.name} has no address to ask for: {why}")
        return
    found = [one for address in addresses for judged in judge_lists(records, address, host.lists) for one in judged.all]
    free = sum(one.status is Verdict.PASS for one in found)
    yield from telling(found, host, "dnsbl.unavailable", f"not on {free} lists")


CHECK = Check("dnsbl", "Block lists", ask)

"""DNS block lists: whether one of our addresses is listed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, NamedTuple

from mailmon.checks.check import ConfigContext, HostCheck, failing
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions, Ids
from mailmon.findings import make_finding
from mailmon.model import Fact, Verdict
from mailmon.typedjson.declare import About, Duration, Host, Matching, ZoneName, options, seconds

if TYPE_CHECKING:
    from mailmon.diagnose.blocklists import BlockList

LOOKUP_S = 5.0
Code = Annotated[str, Matching(r"127(?:\.\d{1,3}){3}", "an address in 127.0.0.0/8")]


@options
class ListOptions:
    """A further block list."""

    codes: Annotated[dict[Code, str], About("Answers that mean a listing, each with its meaning")] = field(
        default_factory=lambda: {"127.0.0.2": "listed"}
    )
    removal: Annotated[str, About("Page to request removal at; {address} stands for the address")] = ""
    ipv6: Annotated[bool, About("It lists IPv6 addresses too")] = False


@options
class DnsblOptions(CheckOptions):
    """DNS block lists, queried from time to time for our own addresses."""

    hosts: Annotated[tuple[Host, ...], About("Addresses to look up, or host names whose addresses to look up")] = ()
    interval: Annotated[Duration, About("Time between two look-ups; a listed address is looked up hourly")] = "6h"
    lists: Annotated[dict[ZoneName, ListOptions], About("Further block lists, by zone")] = field(default_factory=dict)
    without: Annotated[tuple[ZoneName, ...], About("Zones of built-in lists to leave out")] = ()
    skip: Annotated[tuple[Ids, ...], About("Finding ids to ignore")] = ()


class ListedHost(NamedTuple):
    """An address, or a host name whose addresses are looked up, and the lists."""

    name: str
    interval_s: float
    lists: tuple[BlockList, ...]
    skip: tuple[str, ...] = ()
    nameservers: tuple[tuple[str, int], ...] = ()


def targets(asked: DnsblOptions, config: ConfigContext) -> Iterator[ListedHost]:
    """Yield the hosts to look up."""
    from mailmon.diagnose.blocklists import LISTS, BlockList

    lists = [one for one in LISTS if one.zone not in asked.without and one.zone not in asked.lists]
    lists += [BlockList(zone, own.codes, own.removal, own.ipv6) for zone, own in asked.lists.items()]
    interval_s = seconds(asked.interval)
    for name in dict.fromkeys(asked.hosts):
        yield ListedHost(name, interval_s, tuple(lists), asked.skip, config.nameservers)


def run(_context: RunContext, host: ListedHost) -> Iterator[Fact]:
    """Query all lists for the address, or for each address of the host name."""
    from mailmon.clients.records import Records, is_address
    from mailmon.diagnose.dnsbl import judge_lists

    records = Records(host.nameservers, LOOKUP_S)
    addresses, trouble = ((host.name,), None) if is_address(host.name) else records.addresses(host.name)
    if not addresses:
        why = trouble.why if trouble else "no address"
        yield make_finding(
            "dns.resolver_error", Verdict.UNKNOWN, host.name, f"{host.name} has no address to look up: {why}"
        )
        return
    found = [one for address in addresses for judged in judge_lists(records, address, host.lists) for one in judged.all]
    free = sum(one.status is Verdict.PASS for one in found)
    yield from failing(found, host.name, host.skip, "dnsbl.unavailable", f"not on {free} lists")


CHECK = HostCheck(
    name="dnsbl",
    label="Block lists",
    about="Looks up addresses on DNS block lists.",
    options=DnsblOptions,
    targets=targets,
    run=run,
)

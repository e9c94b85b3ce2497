"""The DNS block lists, and what their answers mean.

Each list was alive when its row was written; one that has died since is noticed, because its test entries are looked
up first (RFC 5782 section 5). Codes that are not in a row (white lists, reputation) are not listings.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import NamedTuple

from mailmon.model.findings import Severity


class BlockList(NamedTuple):
    """A list: `codes` maps an answer, or its first three octets with a dot, to what it means."""

    zone: str
    codes: Mapping[str, str]
    removal: str = ""
    has_ipv6: bool = False
    severity: Severity = Severity.ERROR


LISTS: tuple[BlockList, ...] = (
    BlockList(
        "zen.spamhaus.org",
        {
            "127.0.0.2": "SBL: a source of spam",
            "127.0.0.3": "SBL CSS: low-reputation mail",
            "127.0.0.4": "XBL: a hacked or infected machine",
            "127.0.0.5": "XBL",
            "127.0.0.6": "XBL",
            "127.0.0.7": "XBL",
            "127.0.0.9": "DROP: a hijacked network",
            "127.0.0.10": "PBL: an address that should not send mail itself, says its provider",
            "127.0.0.11": "PBL: an address that should not send mail itself",
        },
        "https://check.spamhaus.org/results?query={address}",
        has_ipv6=True,
    ),
    BlockList("bl.spamcop.net", {"127.0.0.2": "spam was reported"}, "https://www.spamcop.net/bl.shtml?{address}"),
    BlockList("b.barracudacentral.org", {"127.0.0.2": "poor reputation"}, "https://www.barracudacentral.org/lookups"),
    BlockList("psbl.surriel.com", {"127.0.0.2": "spam hit a trap"}, "https://psbl.org/listing?ip={address}"),
    BlockList(
        "dnsbl.dronebl.org",
        {"127.0.0.": "an abused machine"},
        "https://dronebl.org/lookup?ip={address}",
        has_ipv6=True,
    ),
    BlockList(
        "bl.mailspike.net",
        {
            "127.0.0.2": "listed",
            "127.0.0.10": "worst reputation",
            "127.0.0.11": "very bad reputation",
            "127.0.0.12": "bad reputation",
        },
        "https://mailspike.io/ip_verify",
    ),
    BlockList(
        "all.spamrats.com",
        {
            "127.0.0.36": "no or generic PTR name (Dyna, NoPtr)",
            "127.0.0.37": "no PTR name",
            "127.0.0.38": "spam",
            "127.0.0.43": "logins were tried",
        },
        "https://www.spamrats.com/lookup.php?ip={address}",
    ),
    BlockList(
        "bl.spameatingmonkey.net",
        {"127.0.0.2": "spam", "127.0.0.3": "spam"},
        "https://spameatingmonkey.com/lookup/{address}",
    ),
    BlockList(
        "dnsbl-1.uceprotect.net",
        {"127.0.0.2": "spam hit a trap in the last week"},
        "https://www.uceprotect.net/en/rblcheck.php?ipr={address}",
        severity=Severity.WARNING,
    ),
)


def query_name(address: str, zone: str) -> str:
    """Return the name under which an address is looked up (RFC 5782 section 2).

    >>> query_name("192.0.2.99", "bl.example.com")
    '99.2.0.192.bl.example.com'
    """
    parsed = ipaddress.ip_address(address)
    reverse = parsed.reverse_pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
    return f"{reverse}.{zone}"


def test_points(address: str) -> tuple[str, str]:
    """Return the addresses that must and must not be listed, of the family of `address` (RFC 5782 section 5)."""
    return ("::ffff:7f00:2", "::ffff:7f00:1") if ":" in address else ("127.0.0.2", "127.0.0.1")


def is_refusal(code: str) -> bool:
    """Return whether an answer is a refusal to answer us (127.255.255.x), or comes from no block list at all."""
    return code.startswith("127.255.") or not code.startswith("127.")


def meaning(listed: BlockList, codes: tuple[str, ...]) -> list[str]:
    """Return what the answers mean, [] where none of them is a listing."""
    found = []
    for code in codes:
        words = listed.codes.get(code) or listed.codes.get(code.rpartition(".")[0] + ".")
        if words:
            found.append(f"{code} ({words})")
    return found

"""Shards: the part of all accounts, routes and hosts that this machine checks. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mailmon.checks.check import Target
from mailmon.checks.targets import Route
from mailmon.config.setup import Setup

MAX_SHARDS = 1000


class Shard(NamedTuple):
    """Part `number` of `parts`, from 1 on. The same name is always in the same part, whatever else there is."""

    number: int
    parts: int

    def has(self, name: str) -> bool:
        """Return whether a name belongs to this part."""
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], "big") % self.parts == self.number - 1


def read_shard(text: str) -> Shard:
    """Return the part that `I/N` names. Raises ValueError.

    >>> read_shard("2/4")
    Shard(number=2, parts=4)
    """
    match = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
    if not match or not 1 <= int(match[1]) <= int(match[2]) <= MAX_SHARDS:
        raise ValueError(f"invalid shard {text[:20]!r}: use I/N, for example 1/4, with N up to {MAX_SHARDS}")
    return Shard(int(match[1]), int(match[2]))


def part_of(setup: Setup, shard: Shard) -> Setup:
    """Return a setup with this part's routes, the accounts that they need, and its share of all others."""
    routes = {name: route for name, route in setup.routes.items() if shard.has(name)}
    used = _accounts_of(setup.routes.values())
    own = _accounts_of(routes.values())
    accounts = {
        name: account
        for name, account in setup.accounts.items()
        if name in own or (name not in used and shard.has(name))
    }
    return setup._replace(routes=routes, accounts=accounts, hosts=_hosts(setup.hosts, shard))


def _accounts_of(routes: Iterable[Route]) -> set[str]:
    return {account.name for route in routes for account in (route.sender, route.reader)}


def _hosts(hosts: Mapping[str, tuple[Target, ...]], shard: Shard) -> dict[str, tuple[Target, ...]]:
    return {check: tuple(one for one in listed if shard.has(one.name)) for check, listed in hosts.items()}

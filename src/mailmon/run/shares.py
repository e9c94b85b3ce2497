"""Which part of a state that several configurations had in common belongs to one of them? Pure.

In doubt a part is left to the others: what people of one configuration were told must not be ended towards those of
another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from mailmon.alerting import part
from mailmon.config import Setup
from mailmon.model import Change, CheckState, OutboxEntry, Probe
from mailmon.run.certificates import CERTIFICATE
from mailmon.run.plan import make_plan
from mailmon.run.subjects import CHANNEL, PING, SIGHT, UNIT
from mailmon.store.state import State


class Claim(NamedTuple):
    """What a configuration has: steps with the servers that they ask, routes with their ends, channels, hosts.

    `ran_last` says that the state's last run was one of this configuration, `is_known` that whose it was is on record.
    """

    servers: Mapping[str, Collection[str]]
    routes_of: Mapping[str, Collection[str]]
    ends: Mapping[str, tuple[str, str]]
    channels: Collection[str]
    hosts: Collection[str]
    domains: Collection[str] = ()
    pings: bool = False
    ran_last: bool = False
    is_known: bool = False


class Share(NamedTuple):
    """The part of one configuration, and what is left for the others."""

    mine: State
    rest: State


def claim_of(setup: Setup, *, ran_last: bool, is_known: bool) -> Claim:
    """Return what a configuration may claim."""
    servers: dict[str, set[str]] = {}
    routes_of: dict[str, list[str]] = {}
    routes = setup.routes.values()
    for step in make_plan(setup.accounts, setup.routes, (), setup.hosts).steps:
        logins = [server for name in step.accounts for server in setup.accounts[name].logins.values()]
        servers[step.id] = {server.target for server in logins} | ({step.target} if logins else set())
        routes_of[step.id] = [r.name for r in routes if {r.sender.name, r.reader.name} & set(step.accounts)]
        if step.name in setup.routes and step.name not in step.accounts:
            routes_of[step.id] = [step.name]
    targets = {target for known in servers.values() for target in known}
    return Claim(
        servers=servers,
        routes_of=routes_of,
        ends={route.name: (route.sender.address, route.recipient) for route in routes},
        channels=frozenset(setup.channels),
        hosts=frozenset(target.rpartition(":")[0].strip("[]") for target in targets),
        domains=frozenset(host.name for host in setup.hosts.get("dns", ())),
        pings=setup.ping is not None,
        ran_last=ran_last,
        is_known=is_known,
    )


def share_of(state: State, claim: Claim) -> Share:
    """Part a state into what is this configuration's, and what is left for the others."""
    judge = _Judge(state, claim)
    checks = {key: memory for key, memory in state.checks.items() if judge.owns(key, _target(memory))}
    probes = tuple(probe for probe in state.probes if judge.owns_probe(probe))
    ready, held = _parted(state.outbox, judge)
    plain = [entry for entry in held if entry.channel in claim.channels and not entry.alert.flips]
    own = {key for key in state.checks if _is_machines(key)}
    others = [key for key in state.checks if key not in checks and key not in own]
    is_alone = not others and len(probes) == len(state.probes) and len(plain) == len(held)
    if is_alone or claim.ran_last:
        checks |= {key: state.checks[key] for key in own}
        ready, held = [*ready, *plain], [entry for entry in held if entry not in plain]
    mine = State(
        checks=checks,
        probes=probes,
        outbox=tuple(ready),
        deliveries=state.deliveries if is_alone or claim.ran_last else (),
        last_run=state.last_run if is_alone or claim.ran_last else None,
        anchor=state.anchor,
        addresses={host: known for host, known in state.addresses.items() if host in claim.hosts},
        records={name: known for name, known in state.records.items() if name in claim.domains},
        selectors={name: known for name, known in state.selectors.items() if name in claim.domains},
    )
    rest = state._replace(
        checks={key: memory for key, memory in state.checks.items() if key not in checks},
        probes=tuple(probe for probe in state.probes if probe not in probes),
        outbox=tuple(held),
        deliveries=() if mine.deliveries else state.deliveries,
        last_run=None if mine.last_run else state.last_run,
    )
    return Share(mine, rest)


def joined(mine: State, own: State) -> State:
    """Return a state of its own with a share of an old one beneath it: what a run has seen since then counts."""
    tokens, alerts = {probe.token for probe in own.probes}, {(e.alert.id, e.channel) for e in own.outbox}
    return own._replace(
        checks={**mine.checks, **own.checks},
        probes=(*(probe for probe in mine.probes if probe.token not in tokens), *own.probes),
        outbox=(*(e for e in mine.outbox if (e.alert.id, e.channel) not in alerts), *own.outbox),
        deliveries=own.deliveries or mine.deliveries,
        last_run=own.last_run or mine.last_run,
        anchor=own.anchor or mine.anchor,
        addresses={**mine.addresses, **own.addresses},
        records={**mine.records, **own.records},
        selectors={**mine.selectors, **own.selectors},
    )


class _Judge:
    """Says of each part whose it is."""

    def __init__(self, state: State, claim: Claim) -> None:
        self._claim = claim
        self.channels = claim.channels
        newest: dict[str, Probe] = {}
        for probe in sorted(state.probes, key=lambda probe: probe.planned_at):
            newest[probe.route] = probe
        self._newest = newest
        # Names of routes that somebody else has too: his probes went from or to other addresses.
        self._common = {probe.route for probe in state.probes if not self.owns_probe(probe)}

    def owns_probe(self, probe: Probe) -> bool:
        return self._claim.ends.get(probe.route) == (probe.sender, probe.recipient)

    def owns(self, step_id: str, target: str) -> bool:
        claim = self._claim
        _, _, name = step_id.partition(":")
        if step_id.startswith(CERTIFICATE):
            return name in claim.hosts or name.removeprefix("*.") in {host.partition(".")[2] for host in claim.hosts}
        if step_id.startswith(CHANNEL):
            return name in claim.channels and (claim.ran_last or not self._common)
        if step_id == PING:
            return claim.pings and (claim.ran_last or not self._common)
        if step_id not in claim.servers:
            return False
        servers = claim.servers[step_id]
        if target and servers and target not in servers:
            return False
        if claim.ran_last:
            return True
        common = [route for route in claim.routes_of[step_id] if route in self._common]
        # Names and servers are the same: whose it is only the last run knows.
        return not common or (not claim.is_known and all(self.owns_probe(self._newest[route]) for route in common))

    def owns_flip(self, flip: Change) -> bool:
        return self.owns(flip.id, flip.target) or (_is_machines(flip.id) and self._claim.ran_last)


def _parted(outbox: Collection[OutboxEntry], judge: _Judge) -> tuple[list[OutboxEntry], list[OutboxEntry]]:
    """Return the waiting alerts of this configuration, and those that are left; one of both is parted."""
    channels = judge.channels
    reached = [entry for entry in outbox if entry.channel in channels and entry.alert.flips]
    ready, held = part(reached, lambda flip: not judge.owns_flip(flip))
    return ready, [*held, *(entry for entry in outbox if entry not in reached)]


def _is_machines(step_id: str) -> bool:
    """Say whether a step's name does not tell whose it is: the machine's, a unit's, a certificate's."""
    return step_id == SIGHT or step_id.startswith((UNIT, CERTIFICATE))


def _target(memory: CheckState) -> str:
    return memory.target or memory.told.target

"""A configuration takes its part of a state that several once had in common, before anything else uses the state.

All configurations of a user had one state (decisions/0018). Each takes its own part once: the states of its checks,
its probes, the alerts that wait for its channels, its silences and its record of bounces. What is left stays for the
others. A crash at any moment leaves a state from which it can be done again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mailmon.alerting import split
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import LockHeldError, StateError
from mailmon.model import Change, CheckState, OutboxEntry, Probe
from mailmon.run.certificates import CERTIFICATE
from mailmon.run.own_failures import with_announced
from mailmon.run.plan import make_plan
from mailmon.run.subjects import CHANNEL, NETWORK, PING, UNIT, silenceable_names
from mailmon.store import key as keys
from mailmon.store.belonging import Place, read_belonging, settle
from mailmon.store.checked import is_digest_of
from mailmon.store.files import make_directory
from mailmon.store.keeper import Keeper
from mailmon.store.lock import Lock
from mailmon.store.shared import Shared, is_there, read_shared, rest_file, write_shared
from mailmon.store.silences import active, read_silences, silences_file, write_silences
from mailmon.store.state import State

PATIENCE_S = 5.0
_POLL_S = 0.1


def take_over(setup: Setup, now: datetime) -> bool:
    """Take this configuration's part of the old state, once; return False where that has to wait for another time.

    Raises LockHeldError while another configuration takes its own.
    """
    place = setup.place
    if place is None or place.shared is None or _is_settled(place) or not is_there(place.shared):
        return True
    try:
        with _patient_lock(rest_file(place.shared), now):
            if not _is_settled(place):
                _take(setup, place, place.shared, now)
    except StateError:
        return False
    except LockHeldError:
        if place.state_file != place.shared:
            raise  # alerts that wait must not be taken twice
        return False
    return True


def preview(setup: Setup, own: State, now: datetime) -> State:
    """Return the state that a run would have after it took its part, without writing anything. Raises StateError."""
    place = setup.place
    if place is None or place.shared is None or _is_settled(place) or not is_there(place.shared):
        return own
    old = _old(place.shared, now)
    if place.file in old.taken_by:
        return own
    share = _share(setup, place.shared, old)
    return joined(share.mine, State(serial=own.serial) if _is_unparted(place) else own)


def _take(setup: Setup, place: Place, shared: Path, now: datetime) -> None:
    old = _old(shared, now)
    make_directory(place.state_file.parent)
    if place.file not in old.taken_by:
        share = _share(setup, shared, old)
        if not rest_file(shared).exists():  # all of it, before the state itself may lose what is the others'
            write_shared(shared, old)
        _write_own(setup, place, share, now)
        write_shared(shared, old._replace(state=share.rest, taken_by=(*old.taken_by, place.file)))
    settle(place)


def _write_own(setup: Setup, place: Place, share: Share, now: datetime) -> None:
    """Write the state, its key, silences and record of bounces. Raises StateError."""
    shared, own = place.shared, place.state_file
    assert shared is not None
    if own != shared:
        keys.hand_down(shared, own, now)
        _take_silences(setup, shared, own, now)
        accounts = [account.name for account in setup.accounts.values() if account.bounces]
        if accounts:
            from mailmon.store.bouncelog.heirs import hand_down

            hand_down(shared, own, accounts, now)
    with Lock(own, now):
        keeper = Keeper(own, now, is_dry=False)
        beneath = keeper.state
        if _is_unparted(place):
            beneath = State(serial=keeper.state.serial, journal_serial=keeper.state.journal_serial)
        keeper.save(**joined(share.mine, beneath)._asdict())
        if keeper.error:
            raise StateError(keeper.error)


def _is_settled(place: Place) -> bool:
    known = read_belonging(place.state_file.parent)
    return place.is_settled or (known is not None and known.file == place.file)


def _is_unparted(place: Place) -> bool:
    """Return whether a state in the old place is still that of all."""
    return place.state_file == place.shared and read_belonging(place.state_file.parent) is None


def _old(shared: Path, now: datetime) -> Shared:
    old = read_shared(shared, now)
    return old if rest_file(shared).exists() else old._replace(state=with_announced(shared, old.state))


def _share(setup: Setup, shared: Path, old: Shared) -> Share:
    key = keys.read_key(shared)
    written = [setup.document, {**setup.document, "state_file": str(shared)}]
    ran_last = key is not None and any(is_digest_of(old.checked, document, key) for document in written)
    claim = claim_of(setup, ran_last=ran_last, is_known=key is not None and bool(old.checked))
    return share_of(old.state, claim)


def _take_silences(setup: Setup, shared: Path, own: Path, now: datetime) -> None:
    anchor = read_anchor(now)
    silences, _ = read_silences(shared, anchor)
    names = silenceable_names(setup)
    mine = [silence for silence in active(silences, now) if silence.name in names]
    if mine and not silences_file(own).exists():
        write_silences(own, mine, anchor)


@contextlib.contextmanager
def _patient_lock(path: Path, now: datetime) -> Iterator[None]:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        lock = Lock(path, now)
        try:
            lock.take()
            break
        except LockHeldError:
            if time.monotonic() > until_s:
                raise
            time.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.release()


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
    for step in make_plan(setup.accounts, setup.routes, (), setup.hosts, setup.checks).steps:
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
    """Split a state into what is this configuration's, and what is left for the others."""
    owner = _Owner(state, claim)
    checks = {key: check_state for key, check_state in state.checks.items() if owner.owns(key, _target(check_state))}
    probes = tuple(probe for probe in state.probes if owner.owns_probe(probe))
    ready, held = _split_outbox(state.outbox, owner)
    plain = [entry for entry in held if entry.channel in claim.channels and not entry.alert.changes]
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
        checks={key: check_state for key, check_state in state.checks.items() if key not in checks},
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


class _Owner:
    """Decides whose each part of a state is."""

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

    def owns_change(self, change: Change) -> bool:
        return self.owns(change.id, change.target) or (_is_machines(change.id) and self._claim.ran_last)


def _split_outbox(outbox: Collection[OutboxEntry], owner: _Owner) -> tuple[list[OutboxEntry], list[OutboxEntry]]:
    """Return the waiting alerts of this configuration, and those that are left; one of both is parted."""
    channels = owner.channels
    reached = [entry for entry in outbox if entry.channel in channels and entry.alert.changes]
    ready, held = split(reached, lambda change: not owner.owns_change(change))
    return ready, [*held, *(entry for entry in outbox if entry not in reached)]


def _is_machines(step_id: str) -> bool:
    """Return whether a step's name does not show whose it is: the machine's, a unit's, a certificate's."""
    return step_id == NETWORK or step_id.startswith((UNIT, CERTIFICATE))


def _target(check_state: CheckState) -> str:
    return check_state.target or check_state.announced.target

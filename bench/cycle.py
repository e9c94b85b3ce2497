"""The cost of one full cycle, compared with the least that a cycle needs and with other tools.

The real command as a timer starts it: the second and later runs, and runs with all that the state can remember. Every
client verifies certificates with the same full bundle of CAs. Ratios are those of neighbours in strict alternation.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from bench.commands import Command, Spread, Usage, alternate, ratios, run, spread
from bench.environment import Environment, Ports, has_floor
from bench.peers import Peer, installed
from bench.tables import Bound, print_table
from mailmon.mail.probe.probe import make_token
from mailmon.model import Probe
from mailmon.store import state

MAX_WALL, MAX_CPU, MAX_PEAK_MIB, MAX_CONNECTIONS = 2.5, 3.0, 48.0, 2
PEER_ROUNDS, SLOW_PEER_ROUNDS = 5, 2
# Two days of runs, one every five minutes: the most that the state remembers of one route.
FULL_MEMORY = 576
_HEAD = ("one cycle", "runs", "wall ms", "wall ratio", "CPU ms", "CPU ratio", "peak MiB", "connections")


def measure(environment: Environment, rounds: int) -> list[Bound]:
    """Measure the floor, mailmon and the peers that are installed; print them; return the bounds of both mailmons."""
    young = Peer("mailmon check, second run", lambda ports: environment.check(environment.monitor(ports)))
    old = Peer("mailmon check, after two days", lambda ports: _with_full_memory(environment, ports))
    floor = [Peer("floor.py --wait prop", environment.floor)] if has_floor() else []
    rows = _measure_together(environment, [*floor, young, old], rounds, has_base=bool(floor))
    for peer in installed(environment):
        few = SLOW_PEER_ROUNDS if peer.is_slow else PEER_ROUNDS
        rows += _measure_together(environment, [*floor, peer], few, has_base=bool(floor))[len(floor) :]
    print_table("One cycle: medians (quartiles)", _HEAD, [row.cells() for row in rows])
    return [bound for row in rows[len(floor) : len(floor) + 2] for bound in row.bounds()]


class _Row:
    """The figures of one client; `base` are the runs of the floor beside them."""

    def __init__(self, name: str, runs: Sequence[Usage], base: Sequence[Usage], connections: int) -> None:
        self._name = name
        self._runs = runs
        self._connections = connections
        self._ratios = [ratios(runs, base, figure) for figure in (_wall, _cpu)] if base else []

    def cells(self) -> list[str]:
        wall, cpu = [ratio.show() for ratio in self._ratios] or ["-", "-"]
        return [
            self._name,
            str(len(self._runs)),
            self._spread(_wall).show("{:.0f}", 1000),
            wall,
            self._spread(_cpu).show("{:.0f}", 1000),
            cpu,
            f"{self._spread(_peak_mib).median:.1f}",
            str(self._connections),
        ]

    def bounds(self) -> list[Bound]:
        bounds = [
            Bound(f"{self._name}: peak memory", max(map(_peak_mib, self._runs)), MAX_PEAK_MIB, "{:.1f} MiB"),
            Bound(f"{self._name}: connections", self._connections, MAX_CONNECTIONS, "{:.0f}"),
        ]
        names = (("wall", MAX_WALL), ("CPU", MAX_CPU))
        for (what, most), ratio in zip(names, self._ratios, strict=False):
            bounds.append(Bound(f"{self._name}: {what}, times the floor's", ratio.median, most))
        return bounds

    def _spread(self, figure: Callable[[Usage], float]) -> Spread:
        return spread(self._runs, figure)


def _measure_together(environment: Environment, clients: Sequence[Peer], rounds: int, *, has_base: bool) -> list[_Row]:
    commands = [client.at(environment.ports(client.sending)) for client in clients]
    runs = alternate(commands, rounds, environment.directory)
    base = runs[0] if has_base else []
    return [
        _Row(client.name, mine, base, _count_connections(environment, client))
        for client, mine in zip(clients, runs, strict=True)
    ]


def _count_connections(environment: Environment, client: Peer) -> int:
    """Count what one run opens, through links that only count; not a run whose time is taken."""
    with environment.links(0.0, client.sending) as (smtp, imap):
        command = client.at(Ports(smtp.port, imap.port))
        before = smtp.connections + imap.connections
        run(command, environment.directory)
        return smtp.connections + imap.connections - before


def _with_full_memory(environment: Environment, ports: Ports) -> Command:
    """Return a check whose state is as large as it becomes: copies of a settled probe under tokens of their own."""
    monitor = environment.monitor(ports)
    command = environment.check(monitor)
    memory = state.peek(monitor.state_file).state
    probes = tuple(_earlier(memory.probes[-1], number) for number in reversed(range(FULL_MEMORY)))
    state.save(monitor.state_file, memory._replace(probes=probes))
    return command


def _earlier(probe: Probe, number: int) -> Probe:
    # A little less than five minutes apart, so that none gets too old while the bench runs.
    ago = timedelta(minutes=number * 4.9)
    token = make_token(secrets.token_bytes(16))
    settled_at = probe.settled_at - ago if probe.settled_at else None
    return probe._replace(token=token, planned_at=probe.planned_at - ago, settled_at=settled_at)


def _wall(usage: Usage) -> float:
    return usage.wall_s


def _cpu(usage: Usage) -> float:
    return usage.cpu_s


def _peak_mib(usage: Usage) -> float:
    return usage.peak_kib / 1024

"""The round trips of one cycle, counted over a link with a round-trip time of 50 ms.

The time of the cycle itself, start-up excluded, in units of the round trip; what mailmon computes meanwhile and what
the server takes counts as a part of a round trip too.
"""

from __future__ import annotations

import json

from bench.commands import Command, Spread, run
from bench.environment import Environment, Ports, has_floor
from bench.tables import Bound, print_table

ROUND_TRIP_S = 0.05
MAX_ROUND_TRIPS = 20.0
_HEAD = ("one cycle over a link", "runs", "round trips")


def measure(environment: Environment, rounds: int) -> list[Bound]:
    """Measure mailmon and the floor, print them, return mailmon's bound."""
    with environment.links(ROUND_TRIP_S / 2) as (smtp, imap):
        ports = Ports(smtp.port, imap.port)
        mailmon = environment.check(environment.monitor(ports))
        rows = [("mailmon check", mailmon, "duration_s")]
        if has_floor():
            rows.append(("floor.py, one command after the other", environment.floor(ports), "total"))
        counted = [_count(environment, command, key, rounds) for _, command, key in rows]
    cells = [(name, str(rounds), one.show("{:.1f}")) for (name, _, _), one in zip(rows, counted, strict=True)]
    print_table(f"Round trips of {ROUND_TRIP_S * 1000:.0f} ms: medians (quartiles)", _HEAD, cells)
    return [Bound("mailmon check: round trips", counted[0].median, MAX_ROUND_TRIPS, "{:.1f}")]


def _count(environment: Environment, command: Command, key: str, rounds: int) -> Spread:
    durations_s = [json.loads(run(command, environment.directory).stdout)[key] for _ in range(rounds)]
    return Spread.of([duration_s / ROUND_TRIP_S for duration_s in durations_s])

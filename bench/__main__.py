"""Run the benchmarks: `python -m bench [PART ...] [--rounds N]`. The exit code is 1 when a bound is missed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable

from bench import (
    bounce_folds,
    bounce_scan,
    cycle,
    delivery,
    domains,
    large_mailbox,
    round_trips,
    scale,
    testssl,
)
from bench.environment import Environment, SkipError, running_environment
from bench.tables import Bound, print_bounds

ON_A_REAL_SERVER: dict[str, Callable[[Environment, int], list[Bound]]] = {
    "cycle": cycle.measure,
    "round_trips": round_trips.measure,
    "delivery": delivery.measure,
    "bounce_scan": bounce_scan.measure,
    "testssl": testssl.measure,
}
# Parts that bring their own servers.
ON_THEIR_OWN: dict[str, Callable[[int], list[Bound]]] = {
    "bounce_folds": bounce_folds.measure,
    "domains": domains.measure,
    "large_mailbox": large_mailbox.measure,
    "scale": scale.measure,
}
ROUNDS = {
    "cycle": 21,
    "round_trips": 7,
    "delivery": 10,
    "bounce_scan": 11,
    "large_mailbox": 11,
    "testssl": 2,
    "domains": 5,
    "scale": 3,
    "bounce_folds": 2,
}
EXIT_OK, EXIT_MISSED, EXIT_NOTHING_MEASURED = 0, 1, 2


def main() -> int:
    """Run the parts that were asked for, all without names."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*ROUNDS, []], help=", ".join(ROUNDS))
    parser.add_argument("--rounds", type=_rounds, metavar="N", help="how often each command is run, at least twice")
    arguments = parser.parse_args()
    parts = arguments.parts or list(ROUNDS)
    rounds = {part: arguments.rounds or ROUNDS[part] for part in parts}
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, load average {os.getloadavg()[0]:.2f}")
    bounds: list[Bound] = []
    on_server = [part for part in parts if part in ON_A_REAL_SERVER]
    was_skipped = False
    try:
        if on_server:
            with running_environment() as environment:
                for part in on_server:
                    bounds += ON_A_REAL_SERVER[part](environment, rounds[part])
    except SkipError as exc:
        print(f"skipped: {', '.join(on_server)}: {exc}")
        was_skipped = True
    for part in (part for part in parts if part in ON_THEIR_OWN):
        try:
            bounds += ON_THEIR_OWN[part](rounds[part])
        except SkipError as exc:
            print(f"skipped: {part}: {exc}")
            was_skipped = True
    print_bounds(bounds)
    if any(not bound.is_kept for bound in bounds):
        return EXIT_MISSED
    return EXIT_NOTHING_MEASURED if was_skipped else EXIT_OK


def _rounds(text: str) -> int:
    number = int(text)
    if number < 2:
        raise argparse.ArgumentTypeError("quartiles take two runs or more")
    return number


if __name__ == "__main__":
    sys.exit(main())

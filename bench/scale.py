"""The cost of a thousand mailboxes in one run, compared with the least that as many cycles need in one process.

Two kinds of run in turn: `mailmon check` with an account and a route for each mailbox, and scale.py of the testbed,
which does the floor's cycle for each with as many threads. Both verify the certificate against the bed's CA alone.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.commands import Command, Usage, base_environment, ratios, run, spread
from bench.environment import SkipError
from bench.tables import Bound, print_table
from tests.bed import Bed, bed_directory, missing_programs
from tests.monitor import Monitor

MANY = int(os.environ.get("MAILMON_BENCH_MAILBOXES", "1000"))
FEW, WORKERS = 100, 16
MAX_CPU, MAX_WALL, MAX_PEAK_MIB, MAX_GROWTH = 2.5, 1.25, 96.0, 1.2
_SCALE = Path(os.environ.get("MAILMON_TEST_DATA", ""), "testbed", "scale.py")


def measure(rounds: int) -> list[Bound]:
    """Measure many and few mailboxes; print them. Raises SkipError."""
    if missing := missing_programs():
        raise SkipError(f"no mail server to measure with; missing: {', '.join(missing)} (make test-system-deps)")
    if not _SCALE.is_file():
        raise SkipError("MAILMON_TEST_DATA does not name the folder with testbed/scale.py")
    directory = bed_directory()
    try:
        with Bed(directory, users=MANY) as bed, tempfile.TemporaryDirectory(prefix="bench-") as files:
            return _measure(bed, Path(files), rounds)
    finally:
        shutil.rmtree(directory)


def _measure(bed: Bed, directory: Path, rounds: int) -> list[Bound]:
    environ = base_environment(directory)
    ports = {"TB_SUBMISSION": str(bed.ports["submission"]), "TB_IMAPS": str(bed.ports["imaps"])}
    floor = Command(
        [sys.executable, str(_SCALE), "threads", str(MANY), str(WORKERS)], environ | ports | {"TB_CA": str(bed.ca_file)}
    )
    checks = {number: _check(bed, directory, environ, number) for number in (FEW, MANY)}
    base: list[Usage] = []
    runs: dict[int, list[Usage]] = {FEW: [], MANY: []}
    for number in range(rounds + 1):
        few, least, many = (run(one, directory) for one in (checks[FEW], floor, checks[MANY]))
        _all_arrived(few, FEW)
        _all_arrived(many, MANY)
        if number:  # the first round makes the mailboxes' indexes
            base.append(least)
            runs[FEW].append(few)
            runs[MANY].append(many)
    return _report(base, runs)


def _report(base: list[Usage], runs: dict[int, list[Usage]]) -> list[Bound]:
    few, many = runs[FEW], runs[MANY]
    wall, cpu = (ratios(many, base, figure) for figure in (_wall_s, _cpu_s))
    growth = (spread(many, _cpu_s).median / MANY) / (spread(few, _cpu_s).median / FEW)
    peak_mib = max(usage.peak_kib for usage in many) / 1024
    named = {f"scale.py threads {MANY} {WORKERS}": base, f"mailmon check, {MANY}": many, f"mailmon check, {FEW}": few}
    rows = [
        (name, _shown(mine, _wall_s), _shown(mine, _cpu_s), f"{mine[-1].peak_kib / 1024:.0f}")
        for name, mine in named.items()
    ]
    print_table("Mailboxes in one run", ("run", "wall s", "client CPU s", "peak MiB"), rows)
    return [
        Bound(f"{MANY} mailboxes: client CPU, times the floor's", cpu.median, MAX_CPU),
        Bound(f"{MANY} mailboxes: wall, times the floor's", wall.median, MAX_WALL),
        Bound(f"{MANY} mailboxes: peak memory", peak_mib, MAX_PEAK_MIB, "{:.1f} MiB"),
        Bound(f"CPU a mailbox at {MANY}, times that at {FEW}", growth, MAX_GROWTH),
    ]


def _check(bed: Bed, directory: Path, environ: dict[str, str], count: int) -> Command:
    trust = {"host": bed.host, "ca_file": str(bed.ca_file)}
    accounts: dict[str, Any] = {}
    routes: dict[str, Any] = {}
    for number in range(count):
        name, address = f"u{number:04d}", f"u{number:04d}@mail.test"
        accounts[name] = {
            "address": address,
            "password_file": "password",
            "smtp": {**trust, "port": bed.ports["submission"], "security": "starttls"},
            "imap": {**trust, "port": bed.ports["imaps"], "security": "tls"},
        }
        routes[name] = {"from": name, "to": address, "in": name}
    config = {
        "accounts": accounts, "routes": routes, "deadline_s": 600, "limits": {"workers": WORKERS},
        # Nothing listens there: in a quiet run nobody is told anything.
        "notify": {"ntfy": {"server": "http://127.0.0.1:9", "topic": "bench"}},
    }  # fmt: skip
    place = directory / f"monitor-{count}"
    place.mkdir()
    (place / "password").write_text(bed.password)
    (place / "password").chmod(0o600)
    monitor = Monitor(place, config, dict(environ))
    monitor.write()
    return Command(monitor.command("check", "--json"), environ)


def _all_arrived(usage: Usage, count: int) -> None:
    """Every probe must be accounted for: a run that loses some is no measurement."""
    steps = [step for step in json.loads(usage.stdout)["steps"] if step["check"] == "receive"]
    arrived = sum(step["status"] == "ok" and "delivery_s" in step["metrics"] for step in steps)
    assert (len(steps), arrived) == (count, count), f"{arrived} of {count} probes arrived"


def _shown(runs: list[Usage], figure: Callable[[Usage], float]) -> str:
    return spread(runs, figure).show("{:.2f}")


def _wall_s(usage: Usage) -> float:
    return usage.wall_s


def _cpu_s(usage: Usage) -> float:
    return usage.cpu_s

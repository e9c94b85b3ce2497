"""Runs of commands with figures that can be compared."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import launcher

TIMEOUT_S = 600.0
# What could change how a command runs; PYTHON* too, as the calls for no bytecode or for unbuffered output do.
_FOREIGN = ("MAILMON_", "SSL_CERT", "XDG_", "PYTHON", "TB_", "NO_COLOR")


@dataclass(frozen=True)
class Usage:
    """What one run of a command has cost, and what it said on stdout."""

    wall_s: float
    cpu_s: float
    peak_kib: int
    stdout: str


@dataclass(frozen=True)
class Command:
    """An argv with its environment."""

    argv: Sequence[str]
    environ: Mapping[str, str]


class CommandError(Exception):
    """A command that is to be measured does not do its work; the text holds its last words."""


def base_environment(directory: Path) -> dict[str, str]:
    """Return what all commands get: bytecode is compiled once and kept in `directory`, as an installation does it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return {**kept, "HOME": str(directory), "PYTHONPYCACHEPREFIX": str(directory / "bytecode")}


def run(command: Command, directory: Path) -> Usage:
    """Run a command to its end. Raises CommandError when it ends with anything but 0."""
    figures = directory / "figures.json"
    argv = [sys.executable, "-I", "-S", launcher.__file__, str(figures), *command.argv]
    done = subprocess.run(
        argv, env=dict(command.environ), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise CommandError(f"{command.argv[0]}: {done.stderr.strip()[-400:]}")
    read = json.loads(figures.read_text())
    if read["exit_code"]:
        words = (done.stderr + done.stdout).strip()[-400:]
        raise CommandError(f"{' '.join(command.argv[:4])} ended with {read['exit_code']}: {words}")
    return Usage(read["wall_s"], read["cpu_s"], read["peak_kib"], done.stdout)


def alternate(commands: Sequence[Command], rounds: int, directory: Path) -> list[list[Usage]]:
    """Run commands in turn, A B C A B C ...; return the runs of each. One round before is not counted."""
    runs: list[list[Usage]] = [[] for _ in commands]
    for number in range(rounds + 1):
        for command, mine in zip(commands, runs, strict=True):
            usage = run(command, directory)
            if number:
                mine.append(usage)
    return runs


@dataclass(frozen=True)
class Spread:
    """The middle of some figures, and the quarters around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> Spread:
        """Return the median and the quartiles of two figures or more."""
        low, median, high = statistics.quantiles(figures, n=4, method="inclusive")
        return cls(median, low, high)

    def show(self, form: str = "{:.2f}", scale: float = 1.0) -> str:
        """Return `median (low-high)`."""
        median, low, high = (form.format(figure * scale) for figure in (self.median, self.low, self.high))
        return f"{median} ({low}-{high})"


def spread(runs: Sequence[Usage], figure: Callable[[Usage], float]) -> Spread:
    """Return the spread of one figure over some runs."""
    return Spread.of([figure(usage) for usage in runs])


def ratios(runs: Sequence[Usage], to: Sequence[Usage], figure: Callable[[Usage], float]) -> Spread:
    """Return the spread of the ratios of neighbours: what slows the machine down slows both of them down."""
    return Spread.of([figure(one) / figure(other) for one, other in zip(runs, to, strict=True)])

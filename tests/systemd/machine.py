"""Booting a tree, and reading what it left."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 330.0
# The last two are for IPAddressDeny=, which is a BPF program.
_FLAGS = (
    *("--quiet", "--boot", "--register=no", "--keep-unit", "--private-network", "--console=pipe"),
    *("--capability=all", "--system-call-filter=bpf"),
)


@dataclass(frozen=True, repr=False)  # it would fill the page of each test that fails
class Trial:
    """What the scenarios saw, by name, and all that the machine printed."""

    seen: dict[str, dict[str, Any]]
    printed: str

    def scenario(self, name: str) -> dict[str, Any]:
        """Return what a scenario saw; one that broke fails the test with its traceback."""
        assert name in self.seen, f"the scenario {name} was not played; the machine printed:\n{self.printed[-4000:]}"
        assert "error" not in self.seen[name], self.seen[name]["error"]
        return self.seen[name]


def boot(tree: Path) -> Trial:
    """Boot a tree and wait until it has turned itself off; after some minutes it is killed."""
    results, log = tree / "opt/trial/results.json", tree.with_name("printed")
    environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    with log.open("wb") as output:
        machine = subprocess.Popen(
            ["systemd-nspawn", *_FLAGS, "--directory", str(tree)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            machine.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            machine.kill()  # its processes die with it: it is the first of their own world
            machine.wait()
    seen = json.loads(results.read_text()) if results.exists() else {}
    return Trial(seen, log.read_text(errors="replace"))

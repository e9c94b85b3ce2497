"""Evaluation by Nix, and the units that come of it."""

from __future__ import annotations

import atexit
import json
import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
GOLDEN = HERE / "golden"

# The lines that all services have in common; written once, and looked for in each.
HARDENING = GOLDEN / "hardening.golden"
_ELIDED = "# ... and the lines of hardening.golden"

needs_nix = pytest.mark.skipif(shutil.which("nix-instantiate") is None, reason="nix is not installed (apt: nix-bin)")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (apt: systemd)"
)


class Answer(NamedTuple):
    """What nix-instantiate has printed, and whether it was content."""

    is_content: bool
    value: Any
    error: str


def ask(expression: str) -> Answer:
    """Evaluate an expression. Files that it makes (builtins.toFile) are in the store afterwards."""
    command = ["nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode", "--expr", expression]
    environ = {**os.environ, **store()}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, check=False)
    # On an error half a document is on stdout.
    value = json.loads(done.stdout) if done.returncode == 0 else None
    return Answer(done.returncode == 0, value, _said(done.stderr))


@cache
def store() -> dict[str, str]:
    """Return the environment in which Nix can write: without its daemon an ordinary user has a store of their own."""
    home = os.environ.get("HOME") or "/"
    if os.geteuid() == 0 or Path("/nix/var/nix/daemon-socket/socket").exists():
        return {"HOME": home}
    own = tempfile.mkdtemp(prefix="mailmon-nix-")
    atexit.register(shutil.rmtree, own, ignore_errors=True)
    return {"HOME": own, "NIX_REMOTE": f"local?root={own}"}


def _said(stderr: str) -> str:
    return re.sub(r"^warning: the group 'nixbld'.*\n", "", stderr, flags=re.M)


class Machine(NamedTuple):
    """A directory that stands for the programs of the machine, and the library that the module gets."""

    programs: Path
    library: str = ""
    # A directory whose bin/ holds systemctl and systemd-run; by default that of the programs.
    systemd: str = ""

    def evaluate(self, configurations: str, *, can_execute: bool = True) -> Answer:
        """Ask what the module makes of configurations: a Nix expression that is a set of them by name."""
        arguments = f'{{ library = "{self.library}"; mailmon = "{self.programs}"; '
        arguments += f'systemd = "{self.systemd or self.programs}"; '
        arguments += f"canExecute = {str(can_execute).lower()}; }}"
        expression = f"builtins.mapAttrs (_: import {HERE / 'evaluate.nix'} {arguments}) ({configurations})"
        return ask(expression)


def make_machine(directory: Path, library: str = "") -> Machine:
    """Make the programs: each does nothing, and that well."""
    programs = directory / "programs"
    (programs / "bin").mkdir(parents=True)
    for name in ("mailmon", "systemctl", "systemd-run"):
        program = programs / "bin" / name
        program.write_text("#!/bin/sh\nexit 0\n")
        program.chmod(0o755)
    return Machine(programs, library)


def render(name: str, made: dict[str, Any], machine: Machine) -> str:
    """Return what the module has made of a configuration, as it stands in golden/NAME.golden."""
    parts = [f"# What nix/module.nix makes of {name} in accepted.nix."]
    parts += [f"warning: {warning}" for warning in made["warnings"]]
    for unit, text in sorted(made["units"].items()):
        parts.append(f"\n## {unit}\n{_elide(text).strip()}")
    for unit, document in sorted(made["documents"].items()):
        if not unit.endswith(("-failure", "-summary")):
            parts.append(f"\n## the configuration of {unit}\n{json.dumps(document, indent=2, sort_keys=True)}")
    parts += [f"\n## the command {wrapper}" for wrapper in sorted(made["wrappers"])]
    return _portable("\n".join(parts) + "\n", machine)


def _portable(text: str, machine: Machine) -> str:
    """Leave out what differs from machine to machine."""
    return re.sub(r"/nix/store/[a-z0-9]{32}-mailmon", "/nix/store/HASH-mailmon", text).replace(
        str(machine.programs), "/nix/store/HASH-mailmon"
    )


def _elide(unit: str) -> str:
    """Take the common lines out of a service, if all of them are there."""
    common = hardening_lines()
    lines = unit.splitlines()
    if not all(line in lines for line in common):
        return unit
    return "\n".join([*(line for line in lines if line not in common)]).rstrip() + f"\n{_ELIDED}"


@cache
def hardening_lines() -> tuple[str, ...]:
    """Return the lines of hardening.golden that are directives."""
    lines = HARDENING.read_text().splitlines() if HARDENING.exists() else []
    return tuple(line for line in lines if line and not line.startswith("#"))


def directives(unit: str, section: str = "Service") -> list[tuple[str, str]]:
    """Return the directives of a section in their order, truth values as systemd's other spelling has them."""
    found, here = [], ""
    for line in unit.splitlines():
        if line.startswith("["):
            here = line.strip("[]")
        elif here == section and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append((key, {"true": "yes", "false": "no"}.get(value, value)))
    return found


def names(kind: str) -> list[str]:
    """Return the names of the configurations in accepted.nix or refused.nix, none where Nix is missing."""
    if shutil.which("nix-instantiate") is None:
        return []
    answer = ask(f"builtins.attrNames (import {HERE / kind}.nix)")
    assert answer.is_content, answer.error
    return list(answer.value)

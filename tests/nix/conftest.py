"""What the tests of the Nix side share: all accepted configurations, evaluated once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.nix.support import HERE, Machine, make_machine


class Made(NamedTuple):
    """What the module made of each accepted configuration, and on what machine."""

    of: dict[str, dict[str, Any]]
    machine: Machine

    def services(self) -> dict[str, str]:
        """Return the text of all services, by CONFIGURATION/UNIT."""
        return {
            f"{name}/{unit}": text
            for name, made in self.of.items()
            for unit, text in made["units"].items()
            if unit.endswith(".service")
        }


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a machine with programs that do nothing, and the stand-in for nixpkgs' lib."""
    directory = tmp_path_factory.mktemp("machine")
    # An ordinary user's programs and store are asked for by root's systemd as well.
    directory.chmod(0o755)
    return make_machine(directory)


@pytest.fixture(scope="session")
def made(machine: Machine) -> Made:
    """Return what the module makes of accepted.nix."""
    answer = machine.evaluate(f"import {HERE / 'accepted.nix'}")
    assert answer.is_content, answer.error
    return Made(answer.value, machine)


@pytest.fixture(scope="session")
def real_machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a machine with the lib that NIXPKGS_LIB names: the directory that holds lib's default.nix."""
    library = os.environ.get("NIXPKGS_LIB")
    if not library:
        pytest.skip("NIXPKGS_LIB does not name a nixpkgs/lib")
    assert (Path(library) / "default.nix").is_file(), f"NIXPKGS_LIB={library}: there is no default.nix"
    return make_machine(tmp_path_factory.mktemp("real"), str(Path(library).resolve()))

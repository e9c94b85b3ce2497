"""Everything in flake.nix evaluates, with a stand-in for nixpkgs (tests/nix/flake.nix)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from mypy import api

from tests.nix.support import ROOT, ask, needs_nix, store

pytestmark = [needs_nix, pytest.mark.skipif(shutil.which("nix") is None, reason="nix is not installed (apt: nix-bin)")]

LINUX, DARWIN = ("aarch64-linux", "x86_64-linux"), ("aarch64-darwin", "x86_64-darwin")
# What a checkout has beside the project, and what would only be copied.
_BESIDE = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist", "build", ".ci")

# The machines of a NixOS test, as its driver has them: enough for the checker of types.
_DRIVER = """
from contextlib import AbstractContextManager
class Machine:
    def succeed(self, *commands: str) -> str: ...
    def fail(self, *commands: str) -> str: ...
    def execute(self, command: str) -> tuple[int, str]: ...
    def wait_for_unit(self, unit: str) -> None: ...
    def wait_for_open_port(self, port: int) -> None: ...
    def wait_until_succeeds(self, command: str) -> str: ...
def start_all() -> None: ...
def subtest(name: str) -> AbstractContextManager[None]: ...
mail: Machine
phone: Machine
watcher: Machine
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of the project: what is evaluated as a flake is copied into the store, all of it."""
    return Path(shutil.copytree(ROOT, tmp_path / "checkout", ignore=_BESIDE))


def flake(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run `nix flake` on a copy of the project, with the stand-in for nixpkgs."""
    features = ("--extra-experimental-features", "nix-command flakes")
    stand_in = ("--no-write-lock-file", "--override-input", "nixpkgs", f"path:{checkout / 'tests' / 'nix'}")
    words = ["nix", *features, "flake", *command, f"path:{checkout}", *stand_in]
    environ = {**os.environ, **store()}
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, env=environ)


def test_it_offers_the_program_the_module_and_their_tests(checkout: Path) -> None:
    shown = flake(checkout, "show", "--json")
    assert shown.returncode == 0, shown.stderr
    offered = json.loads(shown.stdout)
    for system in (*LINUX, *DARWIN):
        assert set(offered["packages"][system]) == {"default", "mailmon", "mail-monitor"}
        assert set(offered["apps"][system]) == {"default", "demo", "mail-monitor"}
        assert set(offered["devShells"][system]) == {"default"}
    for system in LINUX:
        assert set(offered["checks"][system]) == {"package", "module", "vm"}
    assert set(offered["checks"]) == set(LINUX)
    assert set(offered["nixosModules"]) == {"default", "mailmon", "mail-monitor"}
    assert set(offered["overlays"]) == {"default"}


def test_nix_has_nothing_against_it(checkout: Path) -> None:
    checked = flake(checkout, "check", "--no-build")
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("file", "good", "bad", "says"),
    [
        # Each is something that only an evaluation of that part can find.
        (
            "nix/vm-test.nix",
            'passwordFile = "/run/secrets/mailmon"',
            "passwordFile = ./vm-test.nix",
            "in the Nix store",
        ),
        ("nix/vm-test.nix", "services.mailmon = {", "services.mailmon = { intervall = 1;", "does not exist"),
        ("nix/module-check.nix", 'onCalendar = [ "*:0/10" ]', 'onCalendar = [ "25:00" ]', "no calendar expression"),
        ("nix/package.nix", "../constraints.txt", "../missing.txt", "missing.txt"),
        ("nix/package.nix", "python3Packages.rich", "python3Packages.richer", "richer"),
    ],
)
def test_nix_would_have_something_against_a_mistake(checkout: Path, file: str, good: str, bad: str, says: str) -> None:
    path = checkout / file
    text = path.read_text()
    assert good in text
    path.write_text(text.replace(good, bad))
    checked = flake(checkout, "check", "--no-build")
    assert checked.returncode != 0
    assert says in checked.stderr


def test_there_is_no_lock_that_nobody_here_could_have_made() -> None:
    assert not (ROOT / "flake.lock").exists()


def test_the_script_of_the_virtual_machines_is_python_without_mistakes(tmp_path: Path) -> None:
    answer = ask(f"(import {ROOT / 'nix' / 'vm-test.nix'} {{ module = {{ }}; }}).testScript")
    assert answer.is_content, answer.error
    script = tmp_path / "script.py"
    script.write_text(_DRIVER + answer.value)
    told, _, code = api.run(["--strict", "--disable-error-code=empty-body", "--cache-dir=/dev/null", str(script)])
    assert code == 0, told


def test_the_package_depends_on_what_the_project_says() -> None:
    """The names in nixpkgs differ from the project's only in their case."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["sandbox"], *extras["xlsx"], *extras["dkim"], *extras["apprise"]]
    wanted = {re.split(r"[^A-Za-z0-9-]", line)[0] for line in lines}
    package = (ROOT / "nix" / "package.nix").read_text()
    given = package[package.index("  dependencies = [") : package.index("  nativeBuildInputs")]
    assert set(re.findall(r"python3Packages\.([a-z0-9-]+)", given)) == wanted

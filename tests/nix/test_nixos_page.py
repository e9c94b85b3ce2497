"""The configurations on docs/nixos.md work as they stand there."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from tests.nix.support import HERE, ROOT, Machine, ask, needs_nix, store
from tests.nix.test_flake import checkout

__all__ = ["checkout"]
pytestmark = needs_nix

PAGE = (ROOT / "docs" / "nixos.md").read_text("utf-8")
BLOCKS = re.findall(r"```nix\n(.*?)```", PAGE, re.S)
FLAKES = [block for block in BLOCKS if "nixosConfigurations" in block]
MODULES = [block for block in BLOCKS if block not in FLAKES]
_OPTIONS = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.M)))

# The two ways to have secrets, as far as the page uses them.
_SECRETS = """
{ lib, ... }:
let
  of = prefix: lib.mkOption {
    type = lib.types.attrsOf (lib.types.submodule ({ name, ... }: {
      options.file = lib.mkOption { type = lib.types.path; };
      options.path = lib.mkOption { type = lib.types.str; default = "${prefix}/${name}"; };
    }));
    default = { };
  };
in
{
  options.sops.defaultSopsFile = lib.mkOption { type = lib.types.path; };
  options.sops.secrets = of "/run/secrets";
  options.age.secrets = of "/run/agenix";
}
"""


@pytest.mark.parametrize("number", range(len(MODULES)))
def test_a_configuration_on_the_page_is_accepted_without_a_warning(
    machine: Machine, number: int, tmp_path: Path
) -> None:
    (tmp_path / "secrets.nix").write_text(_SECRETS)
    (tmp_path / "page.nix").write_text(MODULES[number])
    answer = machine.evaluate(f"{{ page = {{ imports = [ {tmp_path}/secrets.nix {tmp_path}/page.nix ]; }}; }}")
    assert answer.is_content, answer.error
    page = answer.value["page"]
    assert (page["failed"], page["warnings"]) == ([], [])
    for document in page["documents"].values():
        path = tmp_path / "config.json"
        path.write_text(json.dumps(document))
        asked = ["config", "validate", "--no-secrets", "--config", str(path)]
        result = CliRunner().invoke(cli, asked, env={"STATE_DIRECTORY": str(tmp_path)}, catch_exceptions=False)
        assert result.exit_code == 0


def test_there_is_a_configuration_for_each_thing_that_the_page_is_about() -> None:
    together = "".join(MODULES)
    assert len(MODULES) >= 6
    for thing in (
        "sops.secrets",
        "age.secrets",
        "instances.",
        "settings = {",
        "summary.enable = true",
        'stateDirectory = "/var/lib/mail-monitor"',
    ):
        assert thing in together


def test_the_flake_on_the_page_makes_a_system(checkout: Path, tmp_path: Path) -> None:
    (flake_block,) = FLAKES
    own = tmp_path / "own"
    own.mkdir()
    (own / "flake.nix").write_text(flake_block)
    (own / "mailmon.nix").write_text(MODULES[0])
    overridden = [
        *("--override-input", "nixpkgs", f"path:{checkout / 'tests' / 'nix'}"),
        *("--override-input", "mailmon", f"path:{checkout}"),
    ]
    features = ("--extra-experimental-features", "nix-command flakes")
    environ = {**os.environ, **store()}
    command = ["nix", *features, "flake", "check", "--no-build", f"path:{own}", "--no-write-lock-file", *overridden]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    (own / "mailmon.nix").write_text(MODULES[0].replace("smtp.host", "smtp.hots"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environ)
    assert "smtp.hots' does not exist" in done.stderr


def test_every_option_is_on_the_page_and_no_other() -> None:
    expression = f"""
    let lib = import {HERE / "lib.nix"};
        options = import {ROOT / "nix" / "options.nix"} {{
          inherit lib;
          pkgs = import {HERE / "pkgs.nix"} {{ inherit lib; mailmon = "/"; }};
          name = "main";
          package = null;
          packageText = "";
          enable = lib.mkEnableOption "";
        }};
        paths = prefix: set: builtins.concatLists (lib.mapAttrsToList (name: value:
          if value ? _type then [ "${{prefix}}${{name}}" ] else paths "${{prefix}}${{name}}." value) set);
    in paths "" options
    """
    answer = ask(expression)
    assert answer.is_content, answer.error
    assert len(answer.value) > 20
    assert sorted(_OPTIONS) == sorted(answer.value)

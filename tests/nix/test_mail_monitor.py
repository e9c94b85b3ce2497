"""A configuration of the small monitor evaluates when only the flake input changes, and is told what to change."""

from __future__ import annotations

import re

import pytest

from tests.nix.conftest import Made
from tests.nix.support import HERE, ROOT, Machine, ask, directives, needs_nix

pytestmark = needs_nix
PAGE = (ROOT / "docs" / "nixos.md").read_text("utf-8")
TABLE = re.findall(r"^\| (flake|command|unit|user|file|option) \| `(.*?)` \| (.*?) \|$", PAGE, re.M)


def test_everything_that_its_readme_shows_evaluates_and_says_what_to_change(made: Made) -> None:
    """The two further names did not exist, and a leftover override made an empty unit without a word."""
    seen = made.of["mail-monitor-as-in-its-readme"]
    assert seen["failed"] == []
    said = "\n".join(seen["warnings"])
    for old, new in (("primary", "instances.primary"), ("backup", "instances.backup")):
        assert f"services.mail-monitor-{old} is now services.mailmon.{new}:" in said
    assert re.search(r"systemd\.timers\.mail-monitor: .* write systemd\.timers\.mailmon-main ", said)
    assert re.search(r"systemd\.services\.mail-monitor-primary: .* write systemd\.services\.mailmon-primary\.", said)
    assert {"mailmon-primary.timer", "mailmon-backup.timer"} <= set(seen["units"])
    backup = dict(directives(seen["units"]["mailmon-backup.timer"], "Timer"))
    assert backup["OnUnitActiveSec"] == "30min"


def test_one_that_told_nobody_still_evaluates_and_is_warned(machine: Machine) -> None:
    answer = machine.evaluate("""{ it.services.mail-monitor = {
        enable = true; smtp.host = "a.example"; imap.host = "a.example"; ntfy.enable = false;
        credentials = { username = "m@example.org"; passwordFile = "/run/secrets/m"; };
    }; }""")
    assert answer.is_content, answer.error
    assert answer.value["it"]["failed"] == []
    assert "services.mail-monitor.ntfy.enable is false, so no alert is sent" in "\n".join(
        answer.value["it"]["warnings"]
    )


@pytest.mark.parametrize("kind", ["timers", "services"])
@pytest.mark.parametrize("name", ["mail-monitor", "mail-monitor-backup"])
def test_a_leftover_override_is_named_also_under_the_new_name(machine: Machine, kind: str, name: str) -> None:
    configuration = f"(import {HERE / 'basis.nix'}).with_ {{ }}"
    override = f"{{ systemd.{kind}.{name}.wantedBy = [ ]; }}"
    answer = machine.evaluate(f"{{ it = {{ imports = [ ({configuration}) {override} ]; }}; none = {configuration}; }}")
    assert answer.is_content, answer.error
    [warning] = answer.value["it"]["warnings"]
    unit = {"mail-monitor": "mailmon-main", "mail-monitor-backup": "mailmon-backup"}[name]
    assert warning.startswith(f"systemd.{kind}.{name}: there is no")
    assert f"write systemd.{kind}.{unit}" in warning
    assert answer.value["none"]["warnings"] == []


def test_the_alias_of_the_flake_is_the_module_with_a_warning() -> None:
    modules = f"""
    let
      lib = import {HERE / "lib.nix"};
      flake = (import {ROOT / "flake.nix"}).outputs {{
        self = flake;
        nixpkgs = {{ inherit lib; legacyPackages = {{ }}; }};
      }};
      of = module: (lib.evalModules {{
        modules = [
          (import {HERE / "nixos.nix"} {{ inherit lib; systemd = "/"; }})
          module
          {{ services.mail-monitor = {{
            enable = true; smtp.host = "a.example"; imap.host = "a.example"; ntfy.topic = "x";
            ntfy.server = "https://ntfy.example.org";
            credentials = {{ username = "m@example.org"; passwordFile = "/run/secrets/m"; }};
          }}; }}
        ];
        specialArgs.pkgs = import {HERE / "pkgs.nix"} {{ inherit lib; mailmon = "/"; }};
      }}).config;
    in builtins.mapAttrs (_: module: {{
      inherit (of module) warnings;
      host = (of module).services.mailmon.smtp.host;
    }}) flake.nixosModules
    """
    answer = ask(modules)
    assert answer.is_content, answer.error
    assert {of["host"] for of in answer.value.values()} == {"a.example"}
    more = set(answer.value["mail-monitor"]["warnings"]) - set(answer.value["mailmon"]["warnings"])
    assert more == {"nixosModules.mail-monitor is now nixosModules.mailmon (or nixosModules.default): import that one."}


def options(file: str) -> set[str]:
    """Return the dotted names of the options that a Nix expression declares."""
    answer = ask(f"""
    let lib = import {HERE / "lib.nix"};
        paths = prefix: set: builtins.concatLists (lib.mapAttrsToList (name: value:
          if value ? _type then [ "${{prefix}}${{name}}" ] else paths "${{prefix}}${{name}}." value) set);
    in paths "" ({file})
    """)
    assert answer.is_content, answer.error
    return set(answer.value)


def test_the_table_on_the_page_has_every_old_option_and_only_new_ones_that_exist() -> None:
    old = options(f"(import {ROOT / 'nix' / 'mail-monitor.nix'} {{ inherit lib; config = {{ }}; }}).options.services")
    listed = {name.removeprefix("services.") for kind, name, _ in TABLE if kind == "option"}
    assert {name for name in listed if name.startswith("mail-monitor.")} == {
        name for name in old if name.startswith("mail-monitor.")
    }
    others = {name.partition(".")[0] for name in old} - {"mail-monitor"}
    assert {name for name in listed if "." not in name} == others
    new = options(f"""import {ROOT / "nix" / "options.nix"} {{
      inherit lib; name = "main"; package = null; packageText = ""; enable = lib.mkEnableOption "";
      pkgs = import {HERE / "pkgs.nix"} {{ inherit lib; mailmon = "/"; }};
    }}""")
    for _, _, cell in TABLE:
        for name in re.findall(r"`services\.mailmon\.([^`]+)`", cell):
            assert name in new or re.fullmatch(r"instances\.(primary|backup)", name), name


def test_the_units_in_the_table_are_those_that_the_module_makes(made: Made) -> None:
    units = made.of["mail-monitor"]["units"]
    named = [new for kind, old, new in TABLE if kind == "unit" and old.startswith("mail-monitor.")]
    assert len(named) == 2
    assert {name.strip("`") for name in named} <= set(units)

"""What nix/module.nix makes of a configuration, and its messages about mistakes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from tests.nix.conftest import Made
from tests.nix.support import GOLDEN, HERE, Machine, ask, directives, names, needs_nix, render

pytestmark = needs_nix
ACCEPTED, REFUSED = names("accepted"), names("refused")


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_units_are_those_that_were_read_and_found_good(made: Made, name: str) -> None:
    assert made.of[name]["failed"] == []
    expected = (GOLDEN / f"{name}.golden").read_text()
    assert render(name, made.of[name], made.machine) == expected, "python -m tests.nix.golden, and read the difference"


def test_there_is_a_golden_file_for_each_configuration_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*ACCEPTED, "hardening"}


def _refusal(machine: Machine, name: str) -> tuple[str, str]:
    """Return the words that are wanted, and what was said."""
    wanted = ask(f"(import {HERE / 'refused.nix'}).{name}.says")
    assert wanted.is_content, wanted.error
    answer = machine.evaluate(f"{{ it = (import {HERE / 'refused.nix'}).{name}.of; }}")
    said = "\n".join(answer.value["it"]["failed"]) if answer.is_content else answer.error
    return str(wanted.value), said


@pytest.mark.parametrize("name", REFUSED)
def test_nonsense_is_refused_with_what_to_write_instead(machine: Machine, name: str) -> None:
    wanted, said = _refusal(machine, name)
    assert wanted in said


@pytest.mark.parametrize("name", REFUSED)
def test_no_refusal_repeats_a_credential(machine: Machine, name: str) -> None:
    assert "hunter2" not in _refusal(machine, name)[1]


@pytest.mark.parametrize("name", ACCEPTED)
def test_mailmon_accepts_the_configuration_and_is_given_its_deadline_and_30_s(
    made: Made, name: str, tmp_path: Path
) -> None:
    units = {unit: text for unit, text in made.of[name]["units"].items() if "-summary" not in unit}
    runs = {unit: text for unit, text in units.items() if re.search(r"mailmon check ", text)}
    assert len(runs) == len(units) / 3
    for unit, text in runs.items():
        path = tmp_path / "config.json"
        path.write_text(json.dumps(made.of[name]["documents"][unit.removesuffix(".service")]))
        asked = ["config", "validate", "--no-secrets", "--config", str(path)]
        result = CliRunner().invoke(cli, asked, env={"STATE_DIRECTORY": str(tmp_path)}, catch_exceptions=False)
        assert result.exit_code == 0
        deadline = re.search(r"a run takes at most ([0-9.]+) s", result.output)
        assert deadline is not None
        timeout = dict(directives(text))["TimeoutStartSec"]
        assert 30 <= int(timeout) - float(deadline[1]) < 31


def test_a_program_for_another_machine_is_not_asked(machine: Machine, made: Made) -> None:
    answer = machine.evaluate(f"{{ inherit (import {HERE / 'accepted.nix'}) minimal; }}", can_execute=False)
    assert answer.is_content, answer.error
    assert answer.value["minimal"] == {**made.of["minimal"], "build": {}}


@pytest.mark.parametrize("name", ACCEPTED)
def test_no_path_of_a_credential_is_in_the_configuration_file(made: Made, name: str) -> None:
    written = json.dumps(made.of[name]["documents"])
    if name != "password-file-in-settings":
        assert "/run/secrets" not in written


def test_what_the_small_monitor_remembers_stays_where_it_is(made: Made) -> None:
    unit = dict(directives(made.of["mail-monitor"]["units"]["mailmon-main.service"]))
    assert unit["StateDirectory"] == "mail-monitor"

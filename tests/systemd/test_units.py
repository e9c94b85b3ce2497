"""The shipped units pass systemd's own checkers, are as tight as possible, and agree with their page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from mailmon.config import Overrides, load, resolve
from mailmon.model.run import EXIT_FAILED, EXIT_UNKNOWN
from mailmon.run import own_failures as failed_unit
from tests.systemd import units
from tests.systemd.units import SERVICES, TIMERS

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")

DROP_INS = units.blocks_of(units.PAGE.read_text("utf-8"), "ini")
# What no unit of mailmon may lose, whatever the score says.
TIGHT = {
    "DynamicUser": "yes",
    "StateDirectoryMode": "0700",
    "UMask": "0077",
    "CapabilityBoundingSet": "",
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "ProcSubset": "pid",
    "RestrictAddressFamilies": "AF_INET AF_INET6",
    "SystemCallArchitectures": "native",
    "KeyringMode": "private",
    "LimitCORE": "0",
}
ON = """PrivateUsers PrivateTmp PrivateDevices PrivateMounts PrivateIPC RemoveIPC RestrictSUIDSGID RestrictNamespaces
    RestrictRealtime LockPersonality MemoryDenyWriteExecute ProtectClock ProtectControlGroups ProtectHostname
    ProtectKernelLogs ProtectKernelModules ProtectKernelTunables"""


@pytest.fixture
def copies(tmp_path: Path) -> list[Path]:
    """Return the shipped units in a directory of their own, with a program that exists."""
    program = tmp_path / "bin" / "mailmon"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return units.copy_units(tmp_path / "units", str(program))


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "--no-pager", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def complaints(*paths: Path) -> tuple[int, str]:
    """Return the exit code and all words of systemd-analyze verify: a mere warning leaves the code at 0."""
    run = analyze("verify", "--man=no", *paths)
    return run.returncode, run.stdout + run.stderr


def exposure(path: Path) -> float:
    run = analyze("security", "--offline=true", "--threshold=100", path)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", run.stdout)
    assert found, run.stdout + run.stderr
    return float(found[1])


def put_drop_in(path: Path, text: str) -> None:
    directory = path.with_name(f"{path.name}.d")
    directory.mkdir()
    (directory / "override.conf").write_text(text)


def test_all_units_are_shipped(copies: list[Path]) -> None:
    assert {path.name for path in copies} == {*SERVICES, *TIMERS}


def test_systemd_has_nothing_to_say_against_the_units(copies: list[Path]) -> None:
    assert complaints(*copies) == (0, "")


def test_systemd_would_say_something_against_a_wrong_unit(copies: list[Path]) -> None:
    """The check above demands silence, because a wrong line leaves the exit code as it is."""
    [service] = [path for path in copies if path.name == "mailmon.service"]
    service.write_text(service.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))
    exit_code, words = complaints(service)
    assert (exit_code, "ProtectHomes" in words) == (0, True)


@pytest.mark.parametrize("number", range(len(DROP_INS)))
def test_systemd_has_nothing_to_say_against_a_drop_in_of_the_page(copies: list[Path], number: int) -> None:
    text = DROP_INS[number].replace("/usr/bin/mailmon", str(copies[0].parent.parent / "bin" / "mailmon"))
    kinds = {"[Timer]": "mailmon.timer", "[Service]": "mailmon.service"}
    [unit] = [path for path in copies if path.name == kinds[text.splitlines()[0]]]
    put_drop_in(unit, text)
    assert complaints(unit) == (0, "")


@pytest.mark.parametrize("unit", SERVICES)
def test_the_exposure_is_as_low_as_it_gets_with_a_network(copies: list[Path], unit: str) -> None:
    [path] = [path for path in copies if path.name == unit]
    assert exposure(path) <= 1.1


@pytest.mark.parametrize("unit", SERVICES)
def test_a_list_of_allowed_addresses_lowers_the_exposure(copies: list[Path], unit: str) -> None:
    """systemd-analyze reads no drop-ins offline, so the lines go into the unit."""
    [path] = [path for path in copies if path.name == unit]
    path.write_text(path.read_text() + units.drop_in("IPAddressAllow"))
    assert exposure(path) <= 1.0


@pytest.mark.parametrize("unit", SERVICES)
def test_every_line_of_the_hardening_has_its_why_above_it(unit: str) -> None:
    lines = units.hardening_of(unit)
    assert [line.key for line in lines if not re.match(r"# \S.*\w", line.above)] == []
    assert len({line.above for line in lines}) == len(lines), "two lines share their why"


@pytest.mark.parametrize("unit", SERVICES)
def test_all_services_are_hardened_in_the_same_way(unit: str) -> None:
    assert units.hardening_of(unit) == units.hardening_of("mailmon.service")
    assert {**TIGHT, **dict.fromkeys(ON.split(), "yes")}.items() <= {
        line.key: line.value for line in units.hardening_of(unit)
    }.items()


def test_the_failure_unit_has_the_state_secrets_and_user_of_the_failed_unit() -> None:
    for key in ("User", "StateDirectory", "LoadCredential", "Environment"):
        failure = units.values_of("mailmon-failure@.service", key)
        assert failure == units.values_of("mailmon@.service", key) != [], key
        assert units.values_of("mailmon.service", key) == [value.replace("%i", "config") for value in failure], key
        summary = [units.values_of(unit, key) for unit in (units.SUMMARY, units.SUMMARY_FAILURE)]
        assert summary == [units.values_of("mailmon.service", key)] * 2, key
    assert units.values_of("mailmon.service", "OnFailure") == ["mailmon-failure@config.service"]
    assert units.values_of("mailmon@.service", "OnFailure") == ["mailmon-failure@%i.service"]


@pytest.mark.parametrize("unit", ["mailmon.service", "mailmon@.service"])
def test_systemd_waits_longer_than_the_run_and_takes_what_it_found_for_a_success(unit: str, tmp_path: Path) -> None:
    [example] = units.blocks_of(units.section_of_page("Install"), "json")
    path = tmp_path / "config.json"
    path.write_text(example)
    setup = resolve(load(path, Overrides(), {"HOME": str(tmp_path)}), path, {}, with_secrets=False)
    assert units.values_of(unit, "TimeoutStartSec") == [f"{setup.deadline_s + 30:.0f}"]
    assert units.values_of(unit, "SuccessExitStatus") == [f"{EXIT_FAILED} {EXIT_UNKNOWN}"]


def test_systemd_waits_longer_than_the_message_of_a_failure_takes() -> None:
    assert units.values_of("mailmon-failure@.service", "TimeoutStartSec") == [f"{failed_unit.DEADLINE_S + 30:.0f}"]


def test_no_two_units_share_the_one_that_tells_of_their_failure() -> None:
    """systemd does not say how a unit has ended to what several name in OnFailure= (systemd.exec(5))."""
    named = [
        units.values_of(unit, "OnFailure")[0].replace("%i", "config") for unit in ("mailmon.service", units.SUMMARY)
    ]
    assert named == ["mailmon-failure@config.service", units.SUMMARY_FAILURE]
    [told] = units.values_of(units.SUMMARY_FAILURE, "ExecStart")
    assert "--any-exit-code" in told


def test_the_summary_comes_once_a_day_also_after_a_night_without_power() -> None:
    [calendar] = units.values_of("mailmon-summary.timer", "OnCalendar")
    assert "Normalized form: *-*-* 07:00:00" in analyze("calendar", calendar).stdout
    assert units.values_of("mailmon-summary.timer", "Persistent") == ["yes"]
    [start] = units.values_of("mailmon-summary.service", "ExecStart")
    assert start.startswith(f"{units.PROGRAM} bounces summary --send ")


@pytest.mark.parametrize("unit", [unit for unit in TIMERS if unit != "mailmon-summary.timer"])
def test_the_times_of_the_timers_are_times_to_systemd(unit: str) -> None:
    spans = {key: units.values_of(unit, key) for key in ("OnBootSec", "OnUnitActiveSec", "RandomizedDelaySec")}
    for key, values in spans.items():
        assert [analyze("timespan", value).returncode for value in values] == [0], key
    assert units.values_of(unit, "Persistent") == [], "it does nothing without OnCalendar="


def test_the_calendar_of_the_page_is_one_to_systemd() -> None:
    lines = [line for block in DROP_INS for line in units.lines_of(block)]
    expressions = [line.value for line in lines if line.key == "OnCalendar"]
    assert len(expressions) == 2
    assert [analyze("calendar", text).returncode for text in expressions] == [0, 0]


def test_a_drop_in_of_a_timer_takes_the_shipped_times_away() -> None:
    """Times of timers add up, unless an empty one comes first."""
    timers = [units.lines_of(block) for block in DROP_INS if block.startswith("[Timer]")]
    assert [(lines[0].key, lines[0].value) for lines in timers] == [("OnUnitActiveSec", "")] * 2

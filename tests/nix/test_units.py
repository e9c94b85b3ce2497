"""The module's units, checked by systemd itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.nix.conftest import Made
from tests.nix.support import GOLDEN, ROOT, directives, names, needs_nix, needs_systemd

pytestmark = [needs_nix, needs_systemd]
ACCEPTED = names("accepted")
NOTHING = "switched-off"

# What OnFailure= of the configurations names, for systemd to find.
_FURTHER = {
    "page-me.service": "[Unit]\nDescription=Page\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "light-red.target": "[Unit]\nDescription=Light\n",
}


def write(made: Made, name: str, directory: Path) -> list[Path]:
    """Write the units of a configuration, and what they name, into a directory; return the paths of the former."""
    for unit, text in _FURTHER.items():
        (directory / unit).write_text(text)
    paths = []
    for unit, text in made.of[name]["units"].items():
        paths.append(directory / unit)
        paths[-1].write_text(text)
    return paths


@pytest.mark.parametrize("name", [name for name in ACCEPTED if name != NOTHING])
def test_systemd_has_nothing_to_say_of_the_units(made: Made, name: str, tmp_path: Path) -> None:
    paths = write(made, name, tmp_path)
    command = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_would_have_something_to_say_of_a_unit_that_is_wrong(made: Made, tmp_path: Path) -> None:
    paths = write(made, "minimal", tmp_path)
    for path in paths:
        path.write_text(path.read_text().replace("[Service]", "[Service]\nProtectHoem=yes"))
    command = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "ProtectHoem" in done.stdout + done.stderr


def exposure(path: Path) -> float:
    """Return how exposed systemd thinks a service is, 0 to 10."""
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=11", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    overall = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert overall, done.stdout
    return float(overall[1])


@pytest.mark.parametrize("name", [name for name in ACCEPTED if name != NOTHING])
def test_the_services_are_exposed_as_little_as_something_that_talks_can_be(
    made: Made, name: str, tmp_path: Path
) -> None:
    services = [path for path in write(made, name, tmp_path) if path.suffix == ".service"]
    assert services
    for path in services:
        text = path.read_text()
        bound = 1.0 if "IPAddressDeny=any" in text else 1.1
        assert exposure(path) <= bound


def test_only_the_run_gets_what_local_checks_take(made: Made, tmp_path: Path) -> None:
    services = {path.name: path.read_text() for path in write(made, "local-checks-and-certificates", tmp_path)}
    opened = [name for name, text in services.items() if "SupplementaryGroups=" in text or "AF_UNIX" in text]
    assert opened == ["mailmon-main.service"]
    assert "SupplementaryGroups=postdrop" in services["mailmon-main.service"]
    assert (
        "PrivateUsers=yes" in services["mailmon-main.service"]
        or "PrivateUsers=true" in services["mailmon-main.service"]
    )


@pytest.mark.parametrize("shipped", [path.name for path in sorted((ROOT / "systemd").glob("*.service"))])
def test_the_units_for_other_distributions_are_hardened_in_the_same_way(shipped: str) -> None:
    ours = directives("[Service]\n" + (GOLDEN / "hardening.golden").read_text())
    # A static user is an option on NixOS, so this line is not among the common ones there.
    ours.append(("DynamicUser", "yes"))
    text = (ROOT / "systemd" / shipped).read_text()
    theirs = directives("[Service]\n# " + text.partition("# --- Hardening")[2])
    assert len(ours) > 30
    assert sorted(ours) == sorted(theirs)


def test_the_summary_is_sent_as_on_other_distributions(made: Made) -> None:
    units, shipped = made.of["summary"]["units"], ROOT / "systemd"
    timer = (shipped / "mailmon-summary.timer").read_text()
    assert sorted(directives(units["mailmon-main-summary.timer"], "Timer")) == sorted(directives(timer, "Timer"))
    ours, theirs = units["mailmon-main-summary.service"], (shipped / "mailmon-summary.service").read_text()
    assert dict(directives(ours)).keys() == dict(directives(theirs)).keys()
    for key in ("Type", "TimeoutStartSec"):
        assert dict(directives(ours))[key] == dict(directives(theirs))[key]
    for key in ("Wants", "After", "StartLimitIntervalSec"):
        assert dict(directives(ours, "Unit"))[key] == dict(directives(theirs, "Unit"))[key]
    assert dict(directives(ours, "Unit"))["OnFailure"] == "mailmon-main-summary-failure.service"


@pytest.mark.parametrize(
    ("name", "timer"),
    [
        ("calendar", "mailmon-main"),
        ("calendars", "mailmon-main"),
        ("summary", "mailmon-main-summary"),
        ("summary-only-if-any", "mailmon-main-summary"),
    ],
)
def test_systemd_can_tell_when_a_calendar_expression_is_next(made: Made, name: str, timer: str) -> None:
    for key, value in directives(made.of[name]["units"][f"{timer}.timer"], "Timer"):
        if key == "OnCalendar":
            subprocess.run(["systemd-analyze", "calendar", value], capture_output=True, timeout=60, check=True)


def test_what_tells_of_a_failure_starts_although_a_file_is_missing(made: Made) -> None:
    """systemd.exec(5): SetCredential= of the same name is used where LoadCredential= finds no file."""
    for name, unit in made.services().items():
        found = directives(unit)
        loaded = [value.partition(":")[0] for key, value in found if key == "LoadCredential"]
        replaced = [value.partition(":")[0] for key, value in found if key == "SetCredential"]
        assert replaced == (loaded if name.endswith("-failure.service") else [])

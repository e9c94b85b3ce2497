"""The shipped units and their page, parsed, and installed where a test wants them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "systemd"
PAGE = ROOT / "docs" / "systemd.md"
PROGRAM = "/opt/mailmon/bin/mailmon"
_CHECK = ("mailmon.service", "mailmon@.service", "mailmon-failure@.service")
SUMMARY, SUMMARY_FAILURE = "mailmon-summary.service", "mailmon-summary-failure.service"
SERVICES = (*_CHECK, SUMMARY, SUMMARY_FAILURE)
TIMERS = ("mailmon.timer", "mailmon@.timer", "mailmon-summary.timer")


class Line(NamedTuple):
    """One assignment in a unit, with the line above it."""

    section: str
    key: str
    value: str
    above: str


def lines_of(text: str) -> list[Line]:
    """Return the assignments of a unit in their order."""
    found, section, above = [], "", ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.append(Line(section, key, value, above))
        above = line
    return found


def values_of(unit: str, key: str) -> list[str]:
    """Return the values of a key in a shipped unit."""
    return [line.value for line in lines_of((SHIPPED / unit).read_text("utf-8")) if line.key == key]


def hardening_of(unit: str) -> list[Line]:
    """Return the lines that stand under the heading of the hardening in a shipped unit."""
    return lines_of((SHIPPED / unit).read_text("utf-8").partition("# --- Hardening")[2].partition("\n")[2])


def copy_units(directory: Path, program: str) -> list[Path]:
    """Copy all shipped units into a directory, with the path of another program; return them."""
    directory.mkdir(parents=True, exist_ok=True)
    copies = []
    for unit in sorted(SHIPPED.iterdir()):
        copy = directory / unit.name
        copy.write_text(unit.read_text("utf-8").replace(PROGRAM, program), "utf-8")
        copies.append(copy)
    return copies


def section_of_page(heading: str) -> str:
    """Return the text under a heading of the page."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S)
    assert found, f"{PAGE.name} has no section {heading!r}"
    return found[1]


def blocks_of(text: str, language: str) -> list[str]:
    """Return the blocks of a language in a text of the page."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands_in(heading: str) -> list[str]:
    """Return the commands under a heading of the page; all of them are root's."""
    console = "".join(blocks_of(section_of_page(heading), "console"))
    return [line.removeprefix("# ") for line in console.splitlines() if line.startswith("# ")]


def drop_in(word: str) -> str:
    """Return the drop-in on the page that holds a word."""
    [found] = [block for block in blocks_of(PAGE.read_text("utf-8"), "ini") if word in block]
    return found

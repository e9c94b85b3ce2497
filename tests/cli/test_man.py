"""Manual pages: one per command, readable by man(1)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mailmon.cli.man import _EXIT_STATUS
from tests.cli.programs import run
from tests.cli.test_help import EVERY_COMMAND


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("man")
    written = run(directory, "man", "--output", str(directory / "man1"))
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    return directory / "man1"


def test_every_command_has_its_page(pages: Path) -> None:
    wanted = {"-".join(("mailmon", *path)) + ".1" for path, _ in EVERY_COMMAND}
    assert {page.name for page in pages.iterdir()} == wanted


def test_man_shows_every_page_without_a_complaint(pages: Path) -> None:
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    for page in sorted(pages.iterdir()):
        shown = subprocess.run(
            ["groff", "-k", "-ww", "-man", "-Tutf8", "-P-cbou", str(page)],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert shown.stderr == ""
        assert "NAME" in shown.stdout


def test_a_page_says_what_the_help_says(pages: Path) -> None:
    page = (pages / "mailmon-silence.1").read_text()
    assert "\\fB\\-\\-for DURATION\\fR\nHow long, from now: for example 30m, 2h or 1d." in page
    assert '.nf\nExamples:\n  mailmon silence office \\-\\-for 2h \\-\\-why "new disk"\n' in page
    assert ".BR mailmon\\-check (1)" in (pages / "mailmon.1").read_text()


def test_the_exit_codes_are_those_of_the_documentation() -> None:
    rows = (Path(__file__).parents[2] / "docs" / "exit-codes.md").read_text().splitlines()
    documented = {row.split("|")[1].strip() for row in rows if row.startswith("| ") and row[2].isdigit()}
    assert {code for code, _ in _EXIT_STATUS} == documented

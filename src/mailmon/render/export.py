"""Bounces exported as CSV, JSON or XLSX, row by row, in constant memory; no cell can be a formula."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Protocol

from mailmon.errors import MissingExtraError
from mailmon.model.bounces import BounceRow
from mailmon.render.document import LIST_SCHEMA, instant, row_document
from mailmon.text import fit_characters, visible

# A cell of Excel holds 32,767; what is longer is cut.
MAX_CHARS = 32_000
# A program with another separator may see cells begin behind one; the fullwidth forms are taken for the plain ones.
_TRIGGER = re.compile(r"(^|;)([\s'\"]*)(?=[=+\-@＝＋－﹣﹢＠﹫])")
# In the order of docs/bounce-log.md; a new column comes last.
COLUMNS = tuple("hard" if name == "is_hard" else name for name in BounceRow._fields)
ROWS_A_SHEET = 1_000_000
_HARD = {True: "true", False: "false", None: ""}


class _Sheet(Protocol):
    def write_string(self, row: int, column: int, string: str) -> object: ...
    def write_number(self, row: int, column: int, number: float) -> object: ...
    def write_boolean(self, row: int, column: int, boolean: bool) -> object: ...
    def freeze_panes(self, row: int, column: int) -> object: ...


class _Workbook(Protocol):
    def add_worksheet(self, name: str) -> _Sheet: ...
    def close(self) -> object: ...


def write_csv(rows: Iterable[BounceRow], file: BinaryIO, scratch: Path) -> None:
    """Write CSV (RFC 4180) with a header line, in UTF-8 without a byte order mark."""
    del scratch
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow((row.id, *_cells(row)))
    text.flush()
    text.detach()


def write_json(rows: Iterable[BounceRow], file: BinaryIO, scratch: Path) -> None:
    """Write one document, as `bounces list --json` does; text is not escaped for spreadsheets."""
    del scratch
    file.write(f'{{"schema": "{LIST_SCHEMA}", "bounces": ['.encode())
    separator = "\n"
    for row in rows:
        file.write(f"{separator}{json.dumps(row_document(row), ensure_ascii=False)}".encode("utf-8", "replace"))
        separator = ",\n"
    file.write(b"\n]}\n")


def write_xlsx(rows: Iterable[BounceRow], file: BinaryIO, scratch: Path) -> None:
    """Write a workbook without formulas. `scratch` is a directory for temporary files.

    Raises MissingExtraError where the library is not installed. More rows than a sheet can hold go to further sheets.
    """
    workbook = _workbook(file, scratch)
    numbers, sheet = 0, _new_sheet(workbook, 1)
    for row in rows:
        if numbers == ROWS_A_SHEET:
            numbers, sheet = 0, _new_sheet(workbook, row.id)
        numbers += 1
        sheet.write_number(numbers, 0, row.id)
        for column, text in enumerate(_cells(row), 1):
            if column == _HARD_COLUMN and row.is_hard is not None:
                sheet.write_boolean(numbers, column, row.is_hard)
            elif text:
                sheet.write_string(numbers, column, text)
    workbook.close()


Writer = Callable[[Iterable[BounceRow], BinaryIO, Path], None]
WRITERS: dict[str, Writer] = {"csv": write_csv, "json": write_json, "xlsx": write_xlsx}
_HARD_COLUMN = COLUMNS.index("hard")


def _cells(row: BounceRow) -> Iterator[str]:
    """Yield all cells except the id, escaped."""
    yield instant(row.received_at)
    yield from map(safe_cell, row[2:_HARD_COLUMN])  # type: ignore[arg-type]
    yield _HARD[row.is_hard]
    yield from map(safe_cell, row[_HARD_COLUMN + 1 : -3])  # type: ignore[arg-type]
    yield safe_cell("; ".join(row.original_to))
    yield safe_cell("; ".join(row.original_cc))
    yield safe_cell(row.original_recipient)


def _workbook(file: BinaryIO, scratch: Path) -> _Workbook:
    try:
        library = import_module("xlsxwriter")
    except ModuleNotFoundError as exc:
        raise MissingExtraError(
            "XLSX requires the package XlsxWriter, which is not installed",
            "Install it with: pip install 'mailmon[xlsx]', or use --format csv.",
        ) from exc
    options = {
        "constant_memory": True,
        "tmpdir": str(scratch),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    workbook: _Workbook = library.Workbook(file, options)
    return workbook


def _new_sheet(workbook: _Workbook, number: int) -> _Sheet:
    sheet = workbook.add_worksheet("bounces" if number == 1 else f"bounces from {number}")
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name)
    sheet.freeze_panes(1, 0)
    return sheet


def safe_cell(text: str) -> str:
    """Return text as one line that no spreadsheet takes for a formula (OWASP, CSV injection): a quote precedes what
    could begin one, control characters are escaped.

    >>> safe_cell('=HYPERLINK("http://192.0.2.1")'), safe_cell("550 no"), safe_cell("a\\r\\n-1")
    ('\\'=HYPERLINK("http://192.0.2.1")', '550 no', 'a\\\\r\\\\n-1')
    """
    if text.isprintable() and len(text) < MAX_CHARS and ";" not in text and not _TRIGGER.match(text):
        return text  # nearly all are like that
    return fit_characters(_TRIGGER.sub(r"\1\2'", visible(text, MAX_CHARS)), MAX_CHARS)

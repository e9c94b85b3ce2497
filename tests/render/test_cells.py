"""No spreadsheet takes foreign text for a formula."""

from __future__ import annotations

import csv
import doctest
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.render import export
from mailmon.render.export import MAX_CHARS, safe_cell

TRIGGERS = "=+-@＝＋－＠﹢﹣﹫\t\r\n"
CELLS = [
    ("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("＝1", "'＝1"),
    ("  =1", "  '=1"), ('"=1', "\"'=1"), ("'=1", "''=1"), ("no;=1", "no;'=1"), ("no; -1", "no; '-1"),
    ("\t=1", "\\t=1"), ("\r=1", "\\r=1"), ("\n=1", "\\n=1"), ("\0=1", "\\x00=1"), ("a\x1b[31m", "a\\x1b[31m"),
    ("\u202e=1", "\\u202e=1"), ("\ufeff=1", "\\ufeff=1"), ("\u00a0=1", "\\xa0=1"),
    ("550 5.1.1 a-b=c+d@e", "550 5.1.1 a-b=c+d@e"), ("bob@example.org", "bob@example.org"), ("", ""),
]  # fmt: skip


def test_the_examples_are_true() -> None:
    assert doctest.testmod(export).failed == 0


@pytest.mark.parametrize(("text", "cell"), CELLS)
def test_a_quote_stands_before_what_could_begin_a_formula(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@given(st.text(st.one_of(st.sampled_from(TRIGGERS + " ;,\"'"), st.characters()), max_size=30))
def test_no_cell_begins_a_formula_however_the_file_is_split(text: str) -> None:
    cell = safe_cell(text)
    assert cell.isprintable()
    file = io.StringIO()
    csv.writer(file).writerow(["1", cell])
    fields = [cell, *file.getvalue().rstrip("\r\n").split(";")]
    assert not any(field.lstrip(" '\"").startswith(tuple(TRIGGERS)) and "'" not in field[:9] for field in fields)
    assert not any(field.strip()[:1] in TRIGGERS for field in fields if field.strip())


@pytest.mark.parametrize("text", ["x" * 100_000, "\U0001f600\x00" * 40_000, "; =" * 50_000])
def test_a_cell_is_no_longer_than_a_spreadsheet_takes(text: str) -> None:
    assert len(safe_cell(text)) <= MAX_CHARS

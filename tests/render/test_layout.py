"""Printed text fits the terminal, and nothing that is read or copied is cut."""

from __future__ import annotations

import doctest
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.model.findings import Severity, Verdict
from mailmon.render import diagnosis as report
from mailmon.render import layout, shorten
from mailmon.render.diagnosis import finding_lines, service_lines
from mailmon.render.domain import record_lines, wanted_lines
from mailmon.render.layout import Line, Paper, Row, cells_of, hanging, table
from tests.render.pages import ARPA6, DIGEST, DOMAIN, KEY, LONGEST, SELECTOR, V6, diagnosis, survey

GOLDEN = Path(__file__).with_name("golden")
WIDTHS = (60, 80, 120, None)
# What is longer than a line has no place to break.
LONG = 26


def copied() -> Iterator[str]:
    """Yield the lines of fixes that are to be copied."""
    for one in diagnosis().findings:
        yield from (line.strip() for line in one.fix.splitlines() if line.startswith(" "))


def printed(page: str, paper: Paper, *, is_verbose: bool = False) -> list[str]:
    """Return the lines of a page as they are printed."""
    if page == "dns":
        found = survey()
        lines: list[Line] = [*finding_lines(found.findings, paper, is_verbose=is_verbose), Line()]
        lines += [*record_lines(found, paper, found.findings), Line(), *map(Line, wanted_lines(found))]
    else:
        seen = diagnosis()
        lines = [*finding_lines(seen.findings, paper, is_verbose=is_verbose), Line(), *service_lines(seen, paper)]
    return [line.plain for line in lines]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("page", ["dns", "diagnose"])
def test_a_page_looks_as_it_did(page: str, columns: int | None) -> None:
    """MAILMON_GOLDEN=1 writes the files anew; look at what changed."""
    lines = printed(page, Paper(columns))
    file = GOLDEN / f"{page}-{columns or 'piped'}.txt"
    if os.environ.get("MAILMON_GOLDEN"):
        file.write_text("\n".join(lines) + "\n", "utf-8")
    assert lines == file.read_text("utf-8").splitlines()


@pytest.mark.parametrize("columns", [40, 60, 72, 80, 100, 120, 200])
@pytest.mark.parametrize("page", ["dns", "diagnose"])
@pytest.mark.parametrize("is_verbose", [False, True])
def test_no_line_is_wider_than_the_terminal_except_one_word_or_a_record_to_copy(
    page: str, columns: int, is_verbose: bool
) -> None:
    wanted = {*wanted_lines(survey()), *copied()}
    for line in printed(page, Paper(columns), is_verbose=is_verbose):
        is_free = line in wanted or line.strip() in wanted or line.lstrip().startswith("expected: ") or LONGEST in line
        assert cells_of(line) <= columns or is_free or max(map(cells_of, line.split())) > columns - LONG, line


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 120, None])
def test_names_targets_and_ids_are_in_full(columns: int | None) -> None:
    words = "\n".join(printed("dns", Paper(columns))).split()
    for row in survey().records:
        assert (V6 if row.name == ARPA6 else row.name.replace("10.2.0.192.in-addr.arpa", "192.0.2.10")) in words
    for one in survey().findings:
        assert {one.id, one.target} <= set(words)
    words = "\n".join(printed("diagnose", Paper(columns))).split()
    for found in diagnosis().findings:
        assert found.status is Verdict.PASS or {found.id, found.target.split()[0].rstrip(",")} <= {
            word.rstrip(",") for word in words
        }
    for service in diagnosis().services:
        assert set(service.target.split()) <= set(words)


@pytest.mark.parametrize("columns", [40, 80, 120, None])
def test_a_key_is_short_where_it_was_found_and_whole_where_it_is_to_be_published(columns: int | None) -> None:
    lines = printed("dns", Paper(columns))
    assert f"new._domainkey.{DOMAIN} TXT  v=DKIM1; k=rsa; p={KEY}" in lines
    assert sum(KEY in line for line in lines) == 1
    assert not any(DIGEST in line for line in lines)
    assert any("3 1 1 0b9fa5a59eed…d301c5afc3" in line for line in lines)


def test_a_row_of_ip6_arpa_squeezes_no_other_column() -> None:
    found = survey()
    short = found._replace(records=tuple(one for one in found.records if len(one.name) < 60 or one.name == ARPA6))
    lines = [line.plain for line in record_lines(short, Paper(120), found.findings)]
    row = next(line for line in lines if line.startswith(f"⚠ {V6} "))
    assert row.split() == ["⚠", V6, "PTR", "mx1.firm.example"]
    assert not any("arpa" in line for line in lines)


def test_each_severity_has_a_symbol_of_its_own_and_a_notice_has_no_cross() -> None:
    for paper in (Paper(80), Paper(80, is_unicode=False)):
        kinds = [*Severity, Verdict.PASS, Verdict.UNKNOWN, Verdict.SKIPPED]
        marks = [paper.mark(kind) for kind in kinds]
        assert len({*marks}) == len(kinds)
        assert {cells_of(mark) for mark in marks} == {1}
    assert "❌" not in "".join(printed("dns", Paper(80)))
    assert any(line.startswith("• _smtp._tls.") for line in printed("dns", Paper(80)))


@pytest.mark.parametrize("page", ["dns", "diagnose"])
def test_without_utf8_all_is_ascii(page: str) -> None:
    lines = printed(page, Paper(80, is_unicode=False))
    assert "".join(lines).isascii()
    assert any(line.startswith("x error ") or line.startswith("# critical ") for line in lines)


def test_piped_each_finding_and_each_value_is_one_line_of_fields() -> None:
    lines = [line.split("\t") for line in printed("dns", Paper(None)) if "\t" in line]
    kinds = {one.id: one.severity.value if one.severity else one.status.value for one in survey().findings}
    found = {fields[2]: fields for fields in lines if fields[1] in kinds.values()}
    assert {name: fields[1] for name, fields in found.items()} == kinds
    assert all(fields[3] in (DOMAIN, V6) for fields in found.values())
    exchangers = [fields[3] for fields in lines if fields[2] == "MX"]
    assert exchangers == list(survey().records[0].found)
    assert not any(field != field.strip() or "  " in field for fields in lines for field in fields)


def test_the_same_finding_on_several_ports_is_one_block_with_all_targets() -> None:
    text = " ".join(" ".join(printed("diagnose", Paper(80))).split())
    host = "mail-relay-01.frankfurt.customers.firm.example"
    listed = ", ".join(f"{host}:25, 993 ({address})" for address in ("192.0.2.10", V6))
    assert f"tls.no_tls13 {listed}" in text


def test_wide_characters_count_twice_and_words_without_spaces_may_break() -> None:
    lines = list(hanging("説明" * 40, 30, "  "))
    assert all(cells_of(line) <= 30 for line in lines)
    assert "".join(line.strip() for line in lines) == "説明" * 40


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (ARPA6, V6),
        ("10.2.0.192.in-addr.arpa", "192.0.2.10"),
        ("10.2.0.192.IN-ADDR.ARPA: no", "192.0.2.10: no"),
        ("2.0.192.in-addr.arpa", "2.0.192.in-addr.arpa"),
        ("0/25.10.2.0.192.in-addr.arpa", "0/25.10.2.0.192.in-addr.arpa"),
        ("x10.2.0.192.in-addr.arpa", "x10.2.0.192.in-addr.arpa"),
        ("999.2.0.192.in-addr.arpa", "999.2.0.192.in-addr.arpa"),
        ("8.b.d.0.1.0.0.2.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_a_whole_reverse_name_is_shown_as_its_address(text: str, shown: str) -> None:
    assert shorten.with_addresses(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("mail.example.org", "mail.example.org"),
        ("xn--strae-oqa.example", "xn--strae-oqa.example (straße.example)"),
        ("mail.grün.example", "mail.grün.example (mail.xn--grn-ioa.example)"),
        ("xn--a.example", "xn--a.example"),
        ("xn--.example", "xn--.example"),
    ],
)
def test_an_internationalised_name_is_shown_in_both_forms(name: str, shown: str) -> None:
    assert shorten.both_forms(name) == shown


HOST = "a-backup-mx-with-a-very-long-name.datacentre-frankfurt.customers.provider-of-mail.example"
REPORTS = ",".join(f"mailto:{name}@reports.firm.example" for name in ("dmarc", "aggregate-reports", "third-party"))


def long_rows() -> list[Row]:
    """Return a table of records as a firm has them, with one host and one list of addresses longer than a line."""
    return [
        Row("✓", ("firm.example", "MX"), ("10 mx1.firm.example", f"20 {HOST}")),
        Row("✗", (HOST, "A"), ("192.0.2.10",)),
        Row("✓", ("192.0.2.10", "PTR"), ("nothing",)),
        Row("✓", ("_dmarc.firm.example", "TXT"), (f"v=DMARC1; p=reject; rua={REPORTS}; adkim=s",)),
    ]


@pytest.mark.parametrize("columns", [30, 60, 80, 100])
def test_a_host_longer_than_the_line_stays_on_its_indent_and_looks_like_no_new_row(columns: int) -> None:
    lines = [line.plain for line in table(long_rows(), Paper(columns))]
    assert sum(not line.startswith(" ") for line in lines) == len(long_rows())
    assert all(line.startswith(("✓ ", "✗ ", layout.INDENT)) for line in lines)


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_one_long_name_does_not_give_a_table_two_styles(columns: int) -> None:
    lines = [line.plain for line in table(long_rows(), Paper(columns))]
    assert {"✓ firm.example  MX", "✓ 192.0.2.10  PTR", "✓ _dmarc.firm.example  TXT"} <= set(lines)
    assert {"    192.0.2.10", "    nothing", "    10 mx1.firm.example"} <= set(lines)


def test_a_list_of_report_addresses_breaks_after_its_commas() -> None:
    lines = [line.plain for line in table(long_rows(), Paper(60))]
    assert lines[-4:] == [
        "    v=DMARC1; p=reject;",
        "      rua=mailto:dmarc@reports.firm.example,",
        "      mailto:aggregate-reports@reports.firm.example,",
        "      mailto:third-party@reports.firm.example; adkim=s",
    ]


_WORDS = st.text(st.sampled_from("abcdefé漢…-.,;"), min_size=1, max_size=50)
_TEXTS = st.lists(_WORDS, min_size=1, max_size=8).map(" ".join)
_ROWS = st.lists(
    st.builds(
        Row, st.sampled_from("✓✗"), st.tuples(_WORDS, st.sampled_from(["A", "TXT"])), st.lists(_TEXTS).map(tuple)
    ),
    min_size=1,
    max_size=6,
)


def words_of(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        yield from (row.mark, *row.cells, *(word for value in row.values for word in value.split()))


@given(_ROWS, st.integers(30, 140))
def test_whatever_is_in_a_table_all_of_it_is_printed_in_order_and_within_the_width(
    rows: list[Row], columns: int
) -> None:
    lines = [line.plain for line in table(rows, Paper(columns))]
    assert re.sub(r"\s+", "", "".join(lines)) == re.sub(r"\s+", "", "".join(words_of(rows)))
    for line in lines:
        assert cells_of(line) <= columns or max(map(cells_of, line.split())) > columns - 8


@given(_ROWS, st.integers(30, 140))
def test_no_line_begins_left_of_its_indent_and_all_rows_have_one_style(rows: list[Row], columns: int) -> None:
    lines = [line.plain for line in table(rows, Paper(columns))]
    assert sum(not line.startswith(layout.INDENT) for line in lines) == len(rows)
    left = 2 + sum(max(map(cells_of, column)) + 2 for column in zip(*(row.cells for row in rows), strict=True))
    begins = {cells_of(line) - cells_of(line.lstrip()) for line in lines if line.startswith(" ")}
    assert begins <= {4, 6} or begins <= {left, left + 2}


@given(_TEXTS, st.integers(30, 140))
def test_no_line_of_a_paragraph_begins_left_of_its_indent(text: str, columns: int) -> None:
    first, *others = hanging(text, columns, "      ", "    → ")
    assert first.startswith("    → ")
    assert all(re.match(" {6}[^ ]", line) for line in others)


@given(_TEXTS, st.integers(30, 140))
def test_a_paragraph_keeps_its_words(text: str, columns: int) -> None:
    lines = list(hanging(text, columns, "      ", "    → "))
    assert re.sub(r"\s+", "", "".join(lines)) == "→" + text.replace(" ", "")


def test_the_examples_are_true() -> None:
    assert not any(doctest.testmod(module).failed for module in (layout, shorten, report))
    assert SELECTOR in " ".join(printed("dns", Paper(80)))

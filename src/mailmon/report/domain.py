"""How does a survey of a domain read? As JSON (docs/json.md), as Markdown to send on, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from mailmon.model.diagnosis import summarise
from mailmon.model.domain import Published, Survey
from mailmon.model.facts import Verdict
from mailmon.report.diagnosis import cell, finding_tables, summary_line
from mailmon.report.document import finding_document

_IS_SHOWN = attrgetter("is_worth_showing")
RECORD_COLUMNS = ("", "record", "type", "found")


def survey_document(survey: Survey) -> dict[str, Any]:
    """Return the whole survey."""
    return {
        "schema": "mailmon/dns/1",
        "domain": survey.domain,
        "duration_s": round(survey.duration_s, 3),
        "records": [
            {
                "name": row.name,
                "type": row.type,
                "purpose": row.purpose,
                "expected": row.expected,
                "found": list(row.found),
                "ttl_s": row.ttl_s,
            }
            for row in survey.records
            if row.is_worth_showing
        ],
        "findings": [finding_document(one) for one in survey.findings],
        "spf": [line._asdict() for line in survey.spf],
        "notes": list(survey.notes),
        "summary": summarise(survey.findings),
    }


def record_rows(survey: Survey) -> Iterator[tuple[str, ...]]:
    """Yield one row a record: a mark, its name, its type, and what stands there."""
    for row in filter(_IS_SHOWN, survey.records):
        yield mark_of(row), row.name, row.type, "; ".join(row.found) or ("not known" if not row.is_known else "nothing")


def mark_of(row: Published) -> str:
    """Return the sign before a record."""
    return "?" if not row.is_known else "✓" if row.is_right else "❌"


def wanted_lines(survey: Survey) -> Iterator[str]:
    """Yield the records that should be another way, with what should stand there."""
    for row in survey.records:
        values = row.expected.splitlines() if row.is_known and not row.is_right else ()
        if len(values) == 1:
            yield f"{row.name} {row.type}  {values[0]}"
        elif values:
            yield f"{row.name} {row.type}"
            yield from (f"    {value}" for value in values)


def spf_lines(survey: Survey) -> Iterator[str]:
    """Yield the SPF tree."""
    for one in survey.spf:
        words = f"{one.term} " if one.term else ""
        looks = f"{one.lookups} look-up{'' if one.lookups == 1 else 's'}"
        yield f"{'  ' * one.depth}{words}{one.domain} ({looks}): {one.text}"


def markdown(survey: Survey) -> Iterator[str]:
    """Yield a report that can be sent to somebody."""
    yield f"# DNS of {cell(survey.domain)}"
    yield ""
    yield f"**{summary_line(survey.findings)}** in {survey.duration_s:.1f} s."
    yield from finding_tables(survey.findings)
    yield from ("", "## Records", "", "| | name | type | found | expected |", "|---|---|---|---|---|")
    for row in filter(_IS_SHOWN, survey.records):
        found, wanted = "; ".join(row.found), "" if row.is_right else "; ".join(row.expected.splitlines())
        yield f"| {mark_of(row)} | {cell(row.name)} | {row.type} | {cell(found)} | {cell(wanted)} |"
    if survey.spf:
        yield from ("", "## SPF", "", *(f"- {cell(line.strip())}" for line in spf_lines(survey)))
    passed = [one for one in survey.findings if one.status is Verdict.PASS]
    yield from ("", f"## What is well ({len(passed)})", "")
    yield from (f"- {cell(one.message)} (`{one.id}`)" for one in passed)
    yield from ("", *(f"- Note: {cell(note)}" for note in survey.notes))

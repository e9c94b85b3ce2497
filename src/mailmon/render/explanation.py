"""Entries of the registry of findings, as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailmon.findings.registry import Entry
from mailmon.findings.row import CHECK, sentence
from mailmon.findings.software_fixes import blocks_of
from mailmon.model.findings import Verdict
from mailmon.render.layout import STYLES, Line, Paper, Row, hanging, table

INDENT = "  "


def explanation_lines(entry: Entry, paper: Paper) -> Iterator[Line]:
    """Yield all that is known of one id; lines that can be copied stay whole."""
    row, blocks = entry.row, blocks_of(entry.id)
    yield Line(entry.id, "bold", f"  {row.title}")
    severity = row.severity.value if row.severity else "none, it is never a failure"
    yield from _paragraph(f"severity: {severity}{f'; {row.varies}' if row.varies else ''}", paper)
    yield from _paragraph(f"reported by: {_reporters(entry)}", paper)
    if row.reference:
        yield from _paragraph(f"reference: {row.reference}", paper)
    yield Line()
    yield from _paragraph(row.meaning, paper, hang="")
    yield Line()
    yield from _paragraph(f"fix: {sentence(row.fix)}", paper)
    for block in blocks:
        yield from _paragraph(block.head, paper, INDENT)
        yield from (Line(paper.text(f"{INDENT}{line}")) for line in block.lines)


def listing_lines(entries: Iterable[Entry], paper: Paper) -> Iterator[Line]:
    """Yield one line per entry: severity, id and title."""
    yield from table(
        [
            Row(
                paper.mark(one.row.severity or Verdict.UNKNOWN),
                ((one.row.severity or Verdict.UNKNOWN).value, one.id),
                (one.row.title,),
                STYLES[one.row.severity or Verdict.UNKNOWN],
            )
            for one in entries
        ],
        paper,
    )


def _paragraph(text: str, paper: Paper, indent: str = "", hang: str = INDENT) -> Iterator[Line]:
    text = paper.text(text)
    lines = [indent + text] if paper.columns is None else hanging(text, paper.prose, indent + hang, indent)
    yield from (Line(tail=line) for line in lines)


def _reporters(entry: Entry) -> str:
    """Return which commands report it.

    >>> from mailmon.findings.registry import entry
    >>> _reporters(entry("http.status")), _reporters(entry("spf.none"))
    ('mailmon check', 'mailmon dns, and mailmon check with the check of that name')
    """
    *others, last = (f"mailmon {name}" for name in entry.commands)
    commands = f"{', '.join(others)} and {last}" if others else last
    names = "the check of that name" if len(entry.commands) == 1 else "the checks of these names"
    return commands if CHECK in entry.commands else f"{commands}, and mailmon check with {names}"

"""Write the documentation of findings and metrics from their registries: `python -m tests.docs.registries`."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.findings.registry import GROUPS
from mailmon.findings.row import Group, Row, sentence
from mailmon.findings.software_fixes import blocks_of
from mailmon.metrics import ROWS
from tests.docs.generate import ROOT, page_with

FINDINGS, METRICS = ROOT / "docs" / "findings.md", ROOT / "docs" / "json.md"


def findings_reference(groups: tuple[Group, ...] = GROUPS) -> str:
    """Return the tables of all findings, by the commands that report them."""
    return "\n".join(_findings(groups)).rstrip() + "\n"


def metrics_reference() -> str:
    """Return the table of all metrics."""
    lines = ["| name | check | unit | meaning | Prometheus |", "|---|---|---|---|---|"]
    for row in ROWS:
        checks = " ".join(f"`{name}`" for name in row.checks)
        lines.append(f"| `{row.name}` | {checks} | {row.unit} | {row.help} | `{row.exported}` |")
    return "\n".join(lines) + "\n"


def _findings(groups: tuple[Group, ...]) -> Iterator[str]:
    for commands in dict.fromkeys(group.commands for group in groups):
        *others, last = (f"`mailmon {name}`" for name in commands)
        yield f"## {', '.join(others)} and {last}\n" if others else f"## {last}\n"
        for group in groups:
            if group.commands == commands:
                yield f"### {group.heading}\n"
                yield from [f"{group.intro}\n"] if group.intro else []
                yield "| id | severity | meaning | fix |"
                yield "|---|---|---|---|"
                yield from (_line(row) for row in group.rows)
                yield ""


def _line(row: Row) -> str:
    ids = " ".join(f"`{one}`" for one in row.ids())
    severity = row.severity.value if row.severity else "–"
    severity += f"; {row.varies}" if row.varies else ""
    meaning = f"**{row.title}.** {row.meaning}" + (f" ({row.reference})" if row.reference else "")
    lines = f" With lines to copy: `mailmon explain {row.ids()[0]}`." if blocks_of(row.ids()[0]) else ""
    cells = (ids, severity, meaning, f"{sentence(row.fix)}{lines}")
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace('<', '&lt;') for cell in cells)} |"


if __name__ == "__main__":
    for page, reference in ((FINDINGS, findings_reference()), (METRICS, metrics_reference())):
        page.write_text(page_with(reference, page.read_text("utf-8")), "utf-8")

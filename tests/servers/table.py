"""The table of docs/measurements.md: rendered, and put between its marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.servers.scenario import HEADINGS

BEGIN, END = "<!-- servers: make servers -->", "<!-- /servers -->"


def render(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table in Markdown. What went wrong is a numbered note below it."""
    notes: list[str] = []
    lines = [f"| server and version | {' | '.join(HEADINGS.values())} |", "|---" * (len(HEADINGS) + 1) + "|"]
    for row in rows:
        verdicts = {one["cell"]: one for one in row["verdicts"]}
        cells = [_cell(verdicts.get(name, {"word": "-", "remark": ""}), notes) for name in HEADINGS]
        lines.append(f"| {row['servers']} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]).rstrip()


def _cell(verdict: dict[str, str], notes: list[str]) -> str:
    if not (verdict["word"] == "no" or verdict["remark"]):
        return verdict["word"]
    word = "**no**" if verdict["word"] == "no" else verdict["word"]
    if verdict["remark"] not in notes:
        notes.append(verdict["remark"])
    return f"{word} ({notes.index(verdict['remark']) + 1})"


def put(page: str, table: str) -> str:
    """Return the page with the table between its marks. ValueError when they are not there."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{BEGIN} and {END} are missing")
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"

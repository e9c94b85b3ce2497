"""Tables of figures, and of the bounds that they must keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bound:
    """A figure that must not exceed `most`. `form` shows both with their unit."""

    what: str
    value: float
    most: float
    form: str = "{:.2f}"

    @property
    def is_kept(self) -> bool:
        """Say whether the figure is within the bound."""
        return self.value <= self.most

    def row(self) -> tuple[str, str, str, str]:
        """Return the cells: what, measured, at most, verdict."""
        verdict = "pass" if self.is_kept else "MISSED"
        return self.what, self.form.format(self.value), self.form.format(self.most), verdict


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in Markdown, columns aligned."""
    lines = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print(f"\n### {title}\n")
    for number, line in enumerate(lines):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def print_bounds(bounds: Sequence[Bound]) -> None:
    """Print the figures that have a bound, with their verdicts."""
    print_table("Bounds", ("figure", "measured", "at most", "verdict"), [bound.row() for bound in bounds])

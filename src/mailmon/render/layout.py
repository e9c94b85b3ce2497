"""Text layout: blocks and tables that fit a number of columns, or one line per row for other programs. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mailmon.model.findings import Finding, Severity, Verdict

# Below this nothing can be laid out; prose wider than MAX_PROSE is hard to read.
MIN_COLUMNS, MAX_PROSE = 30, 120
GAP, INDENT = "  ", "    "
# A column of values narrower than this has the rows stacked.
_MIN_VALUE = 24
# Where a word may be broken that is longer than a line.
_BREAKS = re.compile(r"(?<=[,;])(?!$)")

# One symbol per severity and verdict, distinct without colour; the second form is for terminals without UTF-8.
_SYMBOLS: dict[Severity | Verdict, tuple[str, str]] = {
    Severity.CRITICAL: ("‼", "#"),
    Severity.ERROR: ("✗", "x"),
    Severity.WARNING: ("⚠", "!"),
    Severity.NOTICE: ("•", "*"),
    Severity.INFO: ("◦", "."),
    Verdict.UNKNOWN: ("?", "?"),
    Verdict.SKIPPED: ("–", "-"),
    Verdict.PASS: ("✓", "+"),
    Verdict.FAIL: ("✗", "x"),
}
STYLES: dict[Severity | Verdict, str] = {
    Severity.CRITICAL: "bold red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.NOTICE: "cyan",
    Severity.INFO: "cyan",
    Verdict.UNKNOWN: "magenta",
    Verdict.SKIPPED: "dim",
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
}
_ASCII = str.maketrans({"→": "->", "…": "...", "–": "-", "—": "-", "“": '"', "”": '"', "’": "'", "·": "*"})


class Paper(NamedTuple):
    """The medium that text is laid out for: without `columns`, for other programs, nothing is wrapped or padded."""

    columns: int | None = None
    is_unicode: bool = True

    def mark(self, kind: Severity | Verdict) -> str:
        """Return the symbol of a severity or a verdict, one cell wide."""
        return _SYMBOLS[kind][0 if self.is_unicode else 1]

    def text(self, text: str) -> str:
        """Return text as this terminal can show it: without UTF-8, characters without a plain form are escaped."""
        if self.is_unicode or text.isascii():
            return text
        return text.translate(_ASCII).encode("ascii", "backslashreplace").decode("ascii")

    @property
    def prose(self) -> int:
        """Return the width of running text."""
        return MAX_PROSE if self.columns is None else max(MIN_COLUMNS, min(self.columns, MAX_PROSE))


class Line(NamedTuple):
    """One line: a styled head and a plain tail."""

    head: str = ""
    style: str = ""
    tail: str = ""

    @property
    def plain(self) -> str:
        """Return the whole line without its style."""
        return self.head + self.tail


class Row(NamedTuple):
    """A row of a table: a mark of one cell or "", short cells, and values, one below the other.

    The style is that of the mark, or of the first line where there is no mark.
    """

    mark: str
    cells: tuple[str, ...]
    values: tuple[str, ...]
    style: str = ""


def kind_of(finding: Finding) -> Severity | Verdict:
    """Return the severity or verdict that determines the symbol and colour of a finding."""
    return finding.severity or finding.status


def cells_of(text: str) -> int:
    """Return the number of terminal cells that a text takes (Unicode Standard Annex 11).

    >>> cells_of("mail"), cells_of("邮件"), cells_of("e\\u0301")
    (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrap(text: str, columns: int, first: int | None = None) -> list[str]:
    """Return lines of at most `columns` cells, `first` for the first one.

    A word that is longer than a line is broken after commas and semicolons; what is then still longer is never broken.

    >>> wrap("one two three", 7), wrap("10 mx1.firm.example", 8)
    (['one two', 'three'], ['10', 'mx1.firm.example'])
    >>> wrap("rua=mailto:a@firm.example,mailto:b@firm.example; p=none", 26)
    ['rua=mailto:a@firm.example,', 'mailto:b@firm.example;', 'p=none']
    """
    lines: list[str] = []
    line, used, room = "", 0, columns if first is None else first
    for glue, word in _words(text, columns):
        wide = cells_of(word)
        if line and used + len(glue) + wide > room:
            lines.append(line)
            line, used, room = word, wide, columns
        else:
            line, used = (f"{line}{glue}{word}", used + len(glue) + wide) if line else (word, wide)
    return [*lines, line]


def _words(text: str, columns: int) -> Iterator[tuple[str, str]]:
    """Yield words, and the pieces of those that are longer than a line; each after what joins it to the one before."""
    for word in text.split(" "):
        glue = " "
        for piece in _pieces(word, columns):
            yield glue, piece
            glue = ""


def _pieces(word: str, columns: int) -> Iterator[str]:
    """Yield a word that fits as it is; another one in pieces that end with a comma or a semicolon."""
    if cells_of(word) <= columns:
        yield word
        return
    for piece in _BREAKS.split(word):
        if cells_of(piece) > columns and any(unicodedata.east_asian_width(char) in "WF" for char in piece):
            yield from _characters(piece, columns)
        else:
            yield piece


def _characters(word: str, columns: int) -> Iterator[str]:
    """Yield pieces of a word in a script that is written without spaces: it may break between any two characters."""
    piece, used = "", 0
    for char in word:
        if piece and used + _width(char) > columns:
            yield piece
            piece, used = "", 0
        piece, used = piece + char, used + _width(char)
    yield piece


def hanging(text: str, columns: int, indent: str, begin: str = "") -> Iterator[str]:
    """Yield a paragraph that begins with `begin`; further lines are indented, also those that are too long."""
    room, hang = columns - cells_of(indent), columns - cells_of(begin)
    for number, line in enumerate(wrap(text, room, hang)):
        yield (begin if number == 0 else indent) + line


def table(rows: Sequence[Row], paper: Paper, headings: Sequence[str] = ()) -> Iterator[Line]:
    """Yield a table: all of its rows in columns or, where one of them does not fit, all of them stacked.

    Without columns each value is a line of its own: mark, cells and value, separated by tabs.
    """
    if paper.columns is None:
        yield from (line for row in rows for line in _tabbed(row))
    elif rows:
        yield from _Grid(rows, max(paper.columns, MIN_COLUMNS), headings).lines()


def _tabbed(row: Row) -> Iterator[Line]:
    for value in row.values or ("",):
        rest = "\t".join((*row.cells, value)).rstrip("\t")
        yield Line(row.mark, row.style, f"\t{rest}") if row.mark else Line(rest, row.style)


class _Grid:
    """The widths of a table: `widths` is empty where the rows are stacked."""

    def __init__(self, rows: Sequence[Row], columns: int, headings: Sequence[str]) -> None:
        self._rows, self._columns, self._headings = rows, columns, headings
        self._mark = max(cells_of(row.mark) + 1 if row.mark else 0 for row in rows)
        cells = [row.cells for row in rows] + ([tuple(headings[:-1])] if headings else [])
        natural = [max(map(cells_of, column)) for column in zip(*cells, strict=True)]
        self._left = self._mark + sum(natural) + len(GAP) * len(natural)
        # Rows in two styles read like two tables: one that does not fit has all of them stacked.
        self.widths = natural if self._fit() else []

    def lines(self) -> Iterator[Line]:
        """Yield the heading, where there are columns, and all rows."""
        if self._headings and self.widths:
            left = GAP.join(map(_pad, self._headings, self.widths))
            yield Line(f"{' ' * self._mark}{left}{GAP}{self._headings[-1]}", "dim")
        for row in self._rows:
            yield from self._in_columns(row) if self.widths else self._stacked(row)

    def _fit(self) -> bool:
        """Return whether the values fit beside the cells: not too narrow to read, and no word wider than the room."""
        room, values = self._columns - self._left, [value for row in self._rows for value in row.values]
        if room < min(max(map(cells_of, values), default=0), max(_MIN_VALUE, self._columns * 2 // 5)):
            return False
        return all(
            cells_of(value) <= room or _widest_word(value, room - len(GAP)) <= room - len(GAP) for value in values
        )

    def _in_columns(self, row: Row) -> Iterator[Line]:
        left = GAP.join(map(_pad, row.cells, self.widths)) + GAP
        room = self._columns - self._left
        values = [line for value in row.values for line in hanging(value, room, GAP)]
        yield self._first(row, (left + "".join(values[:1])).rstrip())
        yield from (Line(tail=" " * self._left + value) for value in values[1:])

    def _first(self, row: Row, text: str) -> Line:
        """Return the first line of a row; the style is that of the mark, of the line where there is none."""
        return Line(f"{row.mark:<{self._mark}}", row.style, text) if row.mark else Line(text, row.style)

    def _stacked(self, row: Row) -> Iterator[Line]:
        lines = _flow(row.cells, self._columns, self._mark)
        yield self._first(row, next(lines))
        yield from (Line(tail=line) for line in lines)
        room = self._columns
        for value in filter(None, row.values):
            yield from (Line(tail=line) for line in hanging(value, room, INDENT + GAP, INDENT))


def _widest_word(text: str, columns: int) -> int:
    return max(cells_of(word) for _, word in _words(text, columns))


def _pad(cell: str, wide: int) -> str:
    return cell + " " * (wide - cells_of(cell))


def _flow(cells: Iterable[str], columns: int, used: int) -> Iterator[str]:
    """Yield cells side by side, and below one another where there is no room; a cell is broken between words only."""
    line = ""
    for cell in filter(None, cells):
        joined = f"{line}{GAP}{cell}" if line else cell
        if used + cells_of(joined) <= columns:
            line = joined
            continue
        if line:
            yield line
        begin = INDENT if line else ""
        *whole, line = hanging(cell, columns - (0 if line else used), INDENT, begin)
        yield from whole
        used = 0
    yield line

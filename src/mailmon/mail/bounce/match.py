"""Does a phrase of a table stand in this text? In linear time, `*` for any words between."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Test = Callable[[str], bool]


def read_table(table: str) -> tuple[tuple[str, Test], ...]:
    """Return the rows of a table: what each stands for, and the test of its phrases.

    A line at the margin begins a row, `word: who writes so`; indented lines hold its phrases, parted by `|`.

    >>> [(name, test("no such user here")) for name, test in read_table("unknown: all\\n    no such user | x\\n")]
    [('unknown', True)]
    """
    return tuple((name, finder(listed)) for name, listed in _rows(table))


def read_phrases(table: str) -> tuple[str, ...]:
    """Return all phrases of a table."""
    return tuple(phrase for _, listed in _rows(table) for phrase in listed)


def finder(phrases: Iterable[str]) -> Test:
    """Return a function that says whether any of the phrases stands in a lower-case text."""
    listed = tuple(phrases)
    whole = tuple(phrase for phrase in listed if "*" not in phrase)
    broken = tuple(tuple(piece.strip() for piece in phrase.split("*")) for phrase in listed if "*" in phrase)

    def test(text: str) -> bool:
        for phrase in whole:
            if phrase in text:
                return True
        for pieces in broken:  # noqa: SIM110 (a generator costs more than what it tests)
            if pieces[0] in text and _stands(pieces, text):
                return True
        return False

    return test


def _rows(table: str) -> list[tuple[str, list[str]]]:
    rows: list[tuple[str, list[str]]] = []
    for line in table.strip("\n").split("\n"):
        if not line.startswith(" "):
            rows.append((line.partition(":")[0], []))
        else:
            rows[-1][1].extend(phrase.strip() for phrase in line.split(" | "))
    return rows


def _stands(pieces: tuple[str, ...], text: str) -> bool:
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return True

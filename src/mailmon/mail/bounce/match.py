"""Matching of table phrases in a text, in linear time.

`*` stands for any words between, `~` for a few: at most MAX_GAP characters without a colon, semicolon or stroke. A
word begins on both sides of them. What stands beside `~` may be several words, parted by `|`, each of which will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Test = Callable[[str], bool]
MAX_GAP = 30
_PARTS = frozenset(":;/")


def finder(phrases: Iterable[str]) -> Test:
    """Return a function that says whether any of the phrases stands in a lower-case text.

    >>> test = finder(["mailbox|inbox ~ full"])
    >>> test("mailbox of bob is full"), test("mailbox read successfully"), test(f"mailbox {'x' * MAX_GAP} full")
    (True, False, False)
    """
    listed = tuple(phrases)
    whole = tuple(phrase for phrase in listed if "*" not in phrase and "~" not in phrase)
    broken = tuple(tuple(piece.strip() for piece in phrase.split("*")) for phrase in listed if "*" in phrase)
    near = tuple(_alternatives(phrase) for phrase in listed if "~" in phrase)
    plain = ascii_only(whole)

    def test(text: str) -> bool:
        for phrase in plain if text.isascii() else whole:
            if phrase in text:
                return True
        for begins, ends in near:
            for begin in begins:
                if begin in text and any(end in text and _are_near(begin, end, text) for end in ends):
                    return True
        for pieces in broken:  # noqa: SIM110 (a generator costs more than what it tests)
            if pieces[0] in text and _stands(pieces, text):
                return True
        return False

    return test


def ascii_only(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return the phrases that can stand in a text that is ASCII: most texts are, and many phrases are not."""
    return tuple(phrase for phrase in phrases if phrase.isascii())


def _alternatives(phrase: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    begin, end = phrase.split(" ~ ")
    return tuple(begin.split("|")), tuple(end.split("|"))


def _are_near(begin: str, end: str, text: str) -> bool:
    at = text.find(begin)
    while at >= 0:
        behind = at + len(begin)
        found = text.find(end, behind, behind + MAX_GAP + len(end)) if not text[at - 1 : at].isalnum() else -1
        if found >= 0 and not text[found - 1].isalnum() and not _PARTS.intersection(text[behind:found]):
            return True
        at = text.find(begin, behind)
    return False


def _stands(pieces: tuple[str, ...], text: str) -> bool:
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return True

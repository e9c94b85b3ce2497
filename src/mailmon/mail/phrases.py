"""Tables of phrases in bounces (bounce/phrases/*.tsv), and the search for phrases in a text, in linear time.

A row holds a phrase in lower case, its meaning, and the systems that send it: at least two, or one that is named. In
hosts.tsv a fourth column names the signs of a provider, one of which must also occur. The first matching row decides.

In a phrase, `*` stands for any words, `~` for a few: at most MAX_GAP characters without a colon, semicolon or slash. A
word begins on both sides of `~`, and on either side `|` separates alternatives.

A table is read when it is first needed. Nothing of the classifier is imported here: a run that finds no bounce does
without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "bounce" / "phrases"
# The second column of the tables that do not give reasons.
MEANINGS = {"notifications": "kind", "commands": "command"}
# The kinds in notifications.tsv: where their phrases are searched for, and what they mean there.
KINDS = {
    "daemon": "in the From field: sent by a mail system",
    "subject": "in the Subject field: a notification",
    "notice": "in the Subject field: list managers, quarantines and quotas, whatever the sender",
    "report": "in the Subject field: figures of a period, whatever the sender",
    "other": "in the Subject field: no notification, unless a mail system sends it with a subject of one",
    "success subject": "at the beginning of the Subject field: a successful delivery",
    "success": "in the text: a successful delivery, unless it holds a failure code",
    "start": "in a line that introduces the list of recipients",
    "end": "at the beginning of a line that introduces the returned message",
    "delay": "in the Subject field or the text: delayed, delivery is still being attempted",
    "failure": "in the text: failed permanently, even if a delay is mentioned too",
    "trouble": "in the Subject field or the text: some failure",
}
MAX_GAP = 30
_SEPARATORS = frozenset(":;/")

# Tests a lower-case text for phrases.
Test = Callable[[str], bool]


class Row(NamedTuple):
    """A phrase, its meaning (a reason, kind or command), the systems that send it, and the signs it needs beside it."""

    phrase: str
    meaning: str
    senders: str
    signs: str = ""


def read_rows(name: str) -> tuple[Row, ...]:
    """Read the rows of a table of the package, named without .tsv."""
    text = (FOLDER / f"{name}.tsv").read_text(encoding="utf-8")
    return parse(text, means=MEANINGS.get(name, "reason"), has_signs=name == "hosts")


def parse(text: str, *, means: str = "reason", has_signs: bool = False) -> tuple[Row, ...]:
    """Return the rows of a table; raise ValueError with the line number for anything else.

    >>> parse("phrase\\treason\\twho sends it\\nmailbox full\\tmailboxfull\\tExim, Dovecot\\n")[0].meaning
    'mailboxfull'
    """
    head, *lines = text.removesuffix("\n").split("\n")
    if head != f"phrase\t{means}\twho sends it" + ("\tbeside one of" if has_signs else ""):
        raise ValueError(f"line 1: {head!r} is not the heading")
    columns = head.count("\t") + 1
    rows = []
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != columns or not all(cells) or [*map(str.strip, cells)] != cells:
            raise ValueError(f"line {number}: {line!r} does not have {columns} cells without surrounding spaces")
        rows.append(Row(*cells))
    return tuple(rows)


@lru_cache(maxsize=32)
def phrases(kind: str) -> tuple[str, ...]:
    """Return the phrases of a kind of notifications.tsv, in table order; () for an unknown kind."""
    return tuple(row.phrase for row in _notification_rows() if row.meaning == kind)


@cache
def _notification_rows() -> tuple[Row, ...]:
    return read_rows("notifications")


def finder(phrases: Iterable[str]) -> Test:
    """Return a function that tests whether a lower-case text contains any of the phrases.

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
        for pieces in broken:  # noqa: SIM110 (a generator costs more than the tests)
            if pieces[0] in text and _are_in_order(pieces, text):
                return True
        return False

    return test


def ascii_only(phrases: Iterable[str]) -> tuple[str, ...]:
    """Return the phrases that an ASCII text can contain: most texts are ASCII, and many phrases are not."""
    return tuple(phrase for phrase in phrases if phrase.isascii())


def _alternatives(phrase: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    begin, end = phrase.split(" ~ ")
    return tuple(begin.split("|")), tuple(end.split("|"))


def _are_near(begin: str, end: str, text: str) -> bool:
    at = text.find(begin)
    while at >= 0:
        behind = at + len(begin)
        found = text.find(end, behind, behind + MAX_GAP + len(end)) if not text[at - 1 : at].isalnum() else -1
        if found >= 0 and not text[found - 1].isalnum() and not _SEPARATORS.intersection(text[behind:found]):
            return True
        at = text.find(begin, behind)
    return False


def _are_in_order(pieces: tuple[str, ...], text: str) -> bool:
    position = 0
    for piece in pieces:
        position = text.find(piece, position)
        if position < 0:
            return False
        position += len(piece)
    return True

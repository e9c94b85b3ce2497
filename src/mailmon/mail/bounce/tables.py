"""The phrase tables of the folder phrases, read once and only when a bounce is classified.

A row is a phrase, its reason and who sends it: at least two systems, or one that is named. In hosts.tsv a fourth column
names the signs of a provider, one of which must stand beside the phrase. The first row that fits decides.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from mailmon.mail.bounce.match import Test, finder

# Asked in the order of these names; what follows "rare_" only where nothing else has an answer.
IDEAS = ("states", "users", "domains", "refusals", "troubles")
FILES = ("hosts", "products", "ours", "nothing", "sure_users", *IDEAS, *(f"rare_{idea}" for idea in IDEAS))
_WORD = re.compile(r"[^\W\d_]+")


class Row(NamedTuple):
    """A phrase, what it means, who sends it, and `signs` of the only provider of whom it counts."""

    phrase: str
    reason: str
    senders: str
    signs: str = ""


class Table(NamedTuple):
    """A test for any of its phrases, most often in vain, and the reasons in their order, each with its own."""

    holds_any: Test
    reasons: tuple[tuple[str, Test], ...]


class Words(NamedTuple):
    """The tables of words: what a server says first of its own state, of users, domains, and why it refuses."""

    states: Table
    users: Table
    domains: Table
    refusals: Table
    troubles: Table


class Tables(NamedTuple):
    """All tables. `hosts` are those of single providers, by their signs; `ours` and `sure_users` only test.

    What is in `nothing` says nothing, though its words do elsewhere: an unknown error is no unknown user. `vocabulary`
    holds every word of a phrase.
    """

    hosts: tuple[tuple[tuple[str, ...], Table], ...]
    products: Table
    ours: Table
    nothing: tuple[str, ...]
    sure_users: Test
    usual: Words
    rare: Words
    vocabulary: frozenset[str] = frozenset()


@cache
def tables() -> Tables:
    """Return the tables of this package."""
    return build({name: read_rows(name) for name in FILES})


def read_rows(name: str) -> tuple[Row, ...]:
    """Return the rows of a file."""
    raw = pkgutil.get_data(__package__, f"phrases/{name}.tsv")
    assert raw is not None, name
    return parse(raw.decode(), has_signs=name == "hosts")


@cache
def commands() -> tuple[tuple[str, Test], ...]:
    """Return each SMTP command, with the test of the phrases that say it was refused (RFC 5321 section 4.1.1)."""
    raw = pkgutil.get_data(__package__, "phrases/commands.tsv")
    assert raw is not None
    return _table(parse(raw.decode(), means="command")).reasons


def parse(text: str, *, means: str = "reason", has_signs: bool = False) -> tuple[Row, ...]:
    """Return the rows of a text; ValueError with the line where it is none.

    >>> parse("phrase\\treason\\twho sends it\\nmailbox full\\tmailboxfull\\tExim, Dovecot\\n")[0].reason
    'mailboxfull'
    """
    head, *lines = text.removesuffix("\n").split("\n")
    if head != f"phrase\t{means}\twho sends it" + ("\tbeside one of" if has_signs else ""):
        raise ValueError(f"line 1: {head!r} is not the heading")
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != head.count("\t") + 1 or any(not cell or cell != cell.strip() for cell in cells):
            raise ValueError(f"line {number}: {line!r} does not fill the columns")
    return tuple(Row(*line.split("\t")) for line in lines)


def build(rows: Mapping[str, Sequence[Row]]) -> Tables:
    """Return the tables of these rows, by the names of their files."""
    tables = {name: _table(rows[name]) for name in FILES}
    hosts = groupby(rows["hosts"], key=lambda row: row.signs)
    return Tables(
        tuple((tuple(signs.split(" | ")), _table(of_one)) for signs, of_one in hosts),
        tables["products"],
        tables["ours"],
        tuple(row.phrase for row in rows["nothing"]),
        finder(row.phrase for row in rows["sure_users"]),
        Words(*(tables[idea] for idea in IDEAS)),
        Words(*(tables[f"rare_{idea}"] for idea in IDEAS)),
        frozenset(word for name in FILES for row in rows[name] for word in _WORD.findall(row.phrase)),
    )


def _table(rows: Iterable[Row]) -> Table:
    listed = tuple(rows)
    groups = groupby(listed, key=lambda row: row.reason)
    return Table(
        finder(row.phrase for row in listed),
        tuple((reason, finder(row.phrase for row in same)) for reason, same in groups),
    )

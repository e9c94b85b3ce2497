"""The tables by which reasons are found, built from the phrase tables when the first bounce is classified."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import NamedTuple

from mailmon.mail.phrases import Row, Test, finder, read_rows

# Consulted in this order; the "rare_" tables only where no other has an answer.
IDEAS = ("states", "users", "domains", "refusals", "troubles")
FILES = ("hosts", "products", "ours", "nothing", "sure_users", *IDEAS, *(f"rare_{idea}" for idea in IDEAS))
_WORD = re.compile(r"[^\W\d_]+")


class Table(NamedTuple):
    """A test for any of its phrases, which mostly fails, and the reasons in their order, each with its own test."""

    has_any: Test
    reasons: tuple[tuple[str, Test], ...]


class Words(NamedTuple):
    """The tables by subject: a server's own state, users, domains, refusals, other trouble."""

    states: Table
    users: Table
    domains: Table
    refusals: Table
    troubles: Table


class Tables(NamedTuple):
    """All tables. `hosts` are those of single providers, by their signs; `ours` and `sure_users` only test.

    The phrases in `nothing` mean nothing, though their words do elsewhere: an unknown error is no unknown user.
    `vocabulary` holds every word of a phrase.
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
    """Return the tables of the package."""
    return build({name: read_rows(name) for name in FILES})


@cache
def commands() -> tuple[tuple[str, Test], ...]:
    """Return each SMTP command with the test for its refusal (RFC 5321 section 4.1.1)."""
    return _table(read_rows("commands")).reasons


def build(rows: Mapping[str, Sequence[Row]]) -> Tables:
    """Build the tables from rows by file name."""
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
    groups = groupby(listed, key=lambda row: row.meaning)
    return Table(
        finder(row.phrase for row in listed),
        tuple((reason, finder(row.phrase for row in same)) for reason, same in groups),
    )

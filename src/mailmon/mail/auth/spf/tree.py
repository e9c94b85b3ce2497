"""The tree of SPF records that one leads to, for any client, with its DNS lookups (RFC 7208 section 4.6.4)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from mailmon.mail.auth.spf.macros import is_name
from mailmon.mail.auth.spf.record import Directive, Record, SyntaxMistake, is_spf, read_record
from mailmon.mail.auth.spf.values import ASKING, MAX_LOOKUPS, MAX_NAMES, Ask

MAX_RECORDS, MAX_DEPTH = 60, 20
# Terms of a record that are looked up: twice as many as a whole evaluation may have (section 4.6.4).
MAX_JUDGED = 2 * MAX_LOOKUPS


class Trouble(StrEnum):
    """What is wrong with a record, wherever in the tree it stands."""

    NONE = "no record"
    SEVERAL = "several records"
    SYNTAX = "syntax"
    TARGET = "target without a record"
    LOOP = "loop"
    NO_ANSWER = "no answer"


class Branch(NamedTuple):
    """One record of the tree. `term` led here, "" at the root; `lookups` and `void` count its own terms only.

    `reached` are the terms up to `all`, `unreached` those behind it. `lets` says whether a match here lets the client
    send: not below an include with another sign than +.
    """

    domain: str
    term: str = ""
    text: str = ""
    record: Record = Record(())
    lookups: int = 0
    void: tuple[str, ...] = ()
    reached: tuple[Directive, ...] = ()
    unreached: tuple[str, ...] = ()
    lets: bool = True
    troubles: tuple[tuple[Trouble, str], ...] = ()
    branches: tuple[Branch, ...] = ()

    def walk(self) -> Iterator[Branch]:
        """Yield this record and all below it, in the order in which they are evaluated."""
        yield self
        for branch in self.branches:
            yield from branch.walk()

    @property
    def all_lookups(self) -> int:
        """Return how many terms ask DNS when none of them matches (section 4.6.4)."""
        return sum(branch.lookups for branch in self.walk())


def grow(domain: str, ask: Ask) -> Branch:
    """Return the tree of a domain's record; asks at most MAX_RECORDS names for records, and never raises."""
    return _Grower(ask).branch(domain, "", (), lets=True)


class _Grower:
    """Grows one tree."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._left = MAX_RECORDS

    def branch(self, domain: str, term: str, above: tuple[str, ...], *, lets: bool) -> Branch:
        here = Branch(domain, term, lets=lets)
        name = domain.lower().rstrip(".")
        if name in above or len(above) >= MAX_DEPTH or self._left <= 0:
            return _with(here, Trouble.LOOP, f"{term} leads back to {domain}")
        self._left -= 1
        found = self._ask(domain, "TXT")
        if found.is_error:
            return _with(here, Trouble.NO_ANSWER, f"the TXT records of {domain} could not be looked up: {found.why}")
        records = [text for text in found.values if is_spf(text)]
        if not records:
            kind = Trouble.TARGET if term else Trouble.NONE
            return _with(here, kind, f"{term}: {domain} has no SPF record" if term else "there is no SPF record")
        if len(records) > 1:
            return _with(here, Trouble.SEVERAL, f"{domain if term else 'it'} has {len(records)} SPF records")
        here = here._replace(text=records[0])
        try:
            record = read_record(records[0])
        except SyntaxMistake as exc:
            return _with(here, Trouble.SYNTAX, f"{domain}: {exc}" if term else str(exc))
        return self._grown(here._replace(record=record), (*above, name))

    def _grown(self, here: Branch, above: tuple[str, ...]) -> Branch:
        names = [directive.name for directive in here.record.directives]
        end = names.index("all") + 1 if "all" in names else len(names)
        reached, redirect = here.record.directives[:end], here.record.redirect
        unreached = tuple(directive.text for directive in here.record.directives[end:])
        branches: list[Branch] = []
        for directive in reached:
            if directive.name == "include":
                lets = here.lets and directive.qualifier == "+"
                branches += self._below(directive.domain, directive.text, above, lets=lets)
        lookups = sum(directive.name in ASKING for directive in reached)
        if redirect and "all" in names:
            unreached = (*unreached, f"redirect={redirect}")
        elif redirect:
            lookups += 1
            branches += self._below(redirect, f"redirect={redirect}", above, lets=here.lets)
        asking = [one for one in reached if one.name in ("a", "mx", "exists")][:MAX_JUDGED]
        judged = [self._finds(one, here.domain) for one in asking]
        troubles = tuple(trouble for _, trouble in judged if trouble)
        void = tuple(one.text for one, (is_found, _) in zip(asking, judged, strict=True) if not is_found)
        return here._replace(
            lookups=lookups,
            reached=reached,
            unreached=unreached,
            branches=tuple(branches),
            void=void,
            troubles=(*here.troubles, *troubles),
        )

    def _below(self, target: str, term: str, above: tuple[str, ...], *, lets: bool) -> list[Branch]:
        """Return what a term leads to; where a macro decides, that cannot be told."""
        return [] if "%" in target else [self.branch(target, term, above, lets=lets)]

    def _finds(self, directive: Directive, domain: str) -> tuple[bool, tuple[Trouble, str] | None]:
        """Return whether a term finds anything, and what is wrong with it."""
        target = directive.domain or domain
        if "%" in target or not is_name(target):
            return True, None
        kinds = {"a": ("A", "AAAA"), "mx": ("MX",), "exists": ("A",)}[directive.name]
        answers = [self._ask(target, kind) for kind in kinds]
        values = [value for answer in answers for value in answer.values]
        failed = next((answer for answer in answers if answer.is_error), None)
        if failed and not values:
            return True, (Trouble.NO_ANSWER, f"{directive.text}: {target} could not be looked up: {failed.why}")
        if directive.name == "mx" and len(values) > MAX_NAMES:
            said = f"{directive.text}: {len(values)} MX records, more than {MAX_NAMES}"
            return True, (Trouble.SYNTAX, said)
        return bool(values), None


def _with(branch: Branch, trouble: Trouble, words: str) -> Branch:
    return branch._replace(troubles=(*branch.troubles, (trouble, words)))

"""One row of the registry of findings, the groups that rows belong to, and patterns that name ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mailmon.model.findings import Severity

CRITICAL, ERROR, WARNING, NOTICE, INFO = (
    Severity.CRITICAL,
    Severity.ERROR,
    Severity.WARNING,
    Severity.NOTICE,
    Severity.INFO,
)
# The protocols that share an id: a row with this area stands for one finding of each.
SESSIONS, MAIL = "smtp|imap|pop3|sieve", "smtp|imap|pop3"
# The commands that report findings.
CHECK, DIAGNOSE, DNS = "check", "diagnose", "dns"


class Row(NamedTuple):
    """What holds for a finding wherever it is made.

    `id` is `area.problem`; several areas of one problem are separated by `|`. `severity` is the one of a failed finding
    unless it is made with another, None where the finding is never a failure but `unknown` or `skipped`; `varies` says
    when it is another. `fix` is one sentence; lines for the configuration of a server are in software_fixes.txt.
    `reference` is a standard or an advisory, "" where there is none.
    """

    id: str
    severity: Severity | None
    title: str
    meaning: str
    fix: str
    reference: str = ""
    varies: str = ""

    def ids(self) -> tuple[str, ...]:
        """Return all ids of the row.

        >>> Row("smtp|imap.timeout", None, "", "", "").ids()
        ('smtp.timeout', 'imap.timeout')
        """
        areas, _, problem = self.id.partition(".")
        return tuple(f"{area}.{problem}" for area in areas.split("|"))


class Group(NamedTuple):
    """Rows that are reported by the same commands; `intro` is a paragraph of docs/findings.md (Markdown)."""

    heading: str
    commands: tuple[str, ...]
    rows: tuple[Row, ...]
    intro: str = ""


def sentence(text: str) -> str:
    """Return a fix as a sentence of its own.

    >>> sentence("publish an MX record"), sentence("Raise deadline_s.")
    ('Publish an MX record.', 'Raise deadline_s.')
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?', '!')) else '.'}"


def is_meant(finding_id: str, patterns: Iterable[str]) -> bool:
    """Return whether a pattern names a finding: an id, one with wildcards (tls.*), or an area (tls)."""
    from fnmatch import fnmatchcase

    return any(fnmatchcase(finding_id, one) or finding_id.startswith(f"{one}.") for one in patterns)

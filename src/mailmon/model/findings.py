"""Findings, metrics and notes of a check, and the outcome of a step."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How one step of one run ended. UNKNOWN is our own trouble, SKIPPED says nothing about the server."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Verdict(StrEnum):
    """How one question was answered; `unknown` is never `pass` and never `fail`."""

    PASS = "pass"  # noqa: S105 -- the contract's word for a good answer
    FAIL = "fail"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Severity(StrEnum):
    """How bad a failed finding is: from mail lost now to worth knowing."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    INFO = "info"


class Secret:
    """A credential. Its value never shows in a repr, so not in a traceback or a log either."""

    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "Secret(****)"


class Finding(NamedTuple):
    """One answer to one question; ids are stable for ever (docs/findings.md)."""

    id: str
    status: Verdict
    target: str
    message: str
    severity: Severity | None = None
    evidence: str = ""
    expected: str = ""
    found: str = ""
    fix: str = ""
    reference: str = ""
    duration_s: float | None = None


class Metric(NamedTuple):
    """A figure that a check measured; the unit ends the name."""

    name: str
    value: float


class Note(NamedTuple):
    """Words for the line of a step that needs no finding."""

    text: str


class Certificate(NamedTuple):
    """A certificate that a server showed at `target`, by a name of it; `finding` where it does not last long.

    That is a warning, for mail still goes; `is_critical` says that the certificate counts as failed.
    """

    name: str
    target: str
    days: float
    finding: Finding | None = None
    is_critical: bool = False


Fact = Finding | Metric | Note | Certificate


class Outcome(NamedTuple):
    """All facts of one step of one run."""

    id: str
    check: str
    name: str
    status: Status
    message: str
    advice: str = ""
    target: str = ""
    duration_s: float = 0.0
    findings: tuple[Finding, ...] = ()
    metrics: tuple[Metric, ...] = ()
    certificates: tuple[Certificate, ...] = ()

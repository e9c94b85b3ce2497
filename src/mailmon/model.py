"""The words that all parts of mailmon share: findings, outcomes, health, flips, alerts, probes.

Immutable values of the standard library only; why named tuples: docs/decisions/0002-start-up.md.
Every `*_at` is an aware UTC datetime.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """How one step of one run ended. UNKNOWN is our own trouble, SKIPPED says nothing about the server."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Health(StrEnum):
    """What is remembered of a step from run to run."""

    NEW = "new"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


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


Fact = Finding | Metric | Note


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


class Memory(NamedTuple):
    """What the state file remembers of one step."""

    health: Health
    since: datetime
    reason: str = ""
    target: str = ""
    checked_at: datetime | None = None


class Flip(NamedTuple):
    """An announced change of health; `since` is when the health that ended had begun."""

    id: str
    before: Health
    after: Health
    since: datetime
    at: datetime
    reason: str
    advice: str = ""
    target: str = ""


class AlertKind(StrEnum):
    """What an alert tells: it sets a channel's priority and mark."""

    PROBLEM = "problem"
    WARNING = "warning"
    RECOVERY = "recovery"
    TEST = "test"


class Alert(NamedTuple):
    """The words that a person gets; `id` is the run's that composed it."""

    id: str
    kind: AlertKind
    title: str
    body: str
    at: datetime


class OutboxEntry(NamedTuple):
    """An alert that one channel has not acknowledged yet."""

    alert: Alert
    channel: str
    runs: int = 0
    refused: bool = False
    error: str = ""


class Fate(StrEnum):
    """What became of a probe."""

    PLANNED = "planned"
    WAITING = "waiting"
    ARRIVED = "arrived"
    LATE = "late"
    BOUNCED = "bounced"
    LOST = "lost"


class Probe(NamedTuple):
    """A message that we send, known by its token.

    `mailbox` is the account in which it must be seen, `accepted_at` the time of the 250 after DATA, `copies_left` how
    many copies of it are known to lie in the mailbox still.
    """

    token: str
    route: str
    sender: str
    recipient: str
    mailbox: str
    planned_at: datetime
    fate: Fate = Fate.PLANNED
    accepted_at: datetime | None = None
    accepted_by: str = ""
    queue_id: str = ""
    settled_at: datetime | None = None
    detail: str = ""
    copies_left: int = 0

    @property
    def acceptance(self) -> str:
        """Say who took the probe, for example `accepted by mail.example.org:587 as queue id 4XyZ`."""
        queue_id = f" as queue id {self.queue_id}" if self.queue_id else ""
        return f"accepted by {self.accepted_by}{queue_id}"

"""The values that all parts of mailmon share: findings, outcomes, states, changes, alerts, probes.

Immutable values of the standard library only; why named tuples: docs/decisions/0002-start-up.md.
Every `*_at` is an aware UTC datetime.
"""

from mailmon.model.alerts import Alert, AlertKind, Delivery, OutboxEntry
from mailmon.model.findings import Certificate, Fact, Finding, Metric, Note, Outcome, Secret, Severity, Status, Verdict
from mailmon.model.probes import Fate, Probe
from mailmon.model.state import (
    EVERYBODY,
    AlertSubject,
    Anchor,
    Announced,
    Change,
    CheckState,
    Health,
    News,
    OpenProblem,
    Past,
    Policy,
    Quiet,
    QuietReason,
    Silence,
)

__all__ = [
    "EVERYBODY",
    "Alert",
    "AlertKind",
    "AlertSubject",
    "Anchor",
    "Announced",
    "Certificate",
    "Change",
    "CheckState",
    "Delivery",
    "Fact",
    "Fate",
    "Finding",
    "Health",
    "Metric",
    "News",
    "Note",
    "OpenProblem",
    "OutboxEntry",
    "Outcome",
    "Past",
    "Policy",
    "Probe",
    "Quiet",
    "QuietReason",
    "Secret",
    "Severity",
    "Silence",
    "Status",
    "Verdict",
]  # fmt: skip

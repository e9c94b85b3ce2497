"""How does a value read in a JSON document? The shapes of docs/json.md, which other tools rely on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mailmon.model import Alert, Change, CheckState, Delivery, Finding, Health, OutboxEntry, Outcome, Silence


def instant(at: datetime) -> str:
    """Return ISO 8601 in UTC, ending in Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding; what it does not say is left out, but for the five keys that every finding has."""
    document: dict[str, Any] = {
        "id": finding.id,
        "status": finding.status.value,
        "severity": finding.severity.value if finding.severity else None,
        "target": finding.target,
        "message": finding.message,
    }
    optional = ("evidence", "expected", "found", "fix", "reference", "duration_s")
    return document | {key: value for key in optional if (value := getattr(finding, key))}


def step_document(outcome: Outcome) -> dict[str, Any]:
    """Return one step of a run."""
    return {
        "id": outcome.id,
        "check": outcome.check,
        "name": outcome.name,
        "status": outcome.status.value,
        "duration_s": round(outcome.duration_s, 4),
        "message": outcome.message,
        "advice": outcome.advice,
        "findings": [finding_document(finding) for finding in outcome.findings],
        "metrics": {metric.name: metric.value for metric in outcome.metrics},
    }


def change_document(flip: Change) -> dict[str, Any]:
    """Return an announced change of health."""
    return {
        "id": flip.id,
        "from": flip.before.value,
        "to": flip.after.value,
        "since": instant(flip.at),
        "reason": flip.reason,
    }


def alert_document(alert: Alert) -> dict[str, Any]:
    """Return an alert as a webhook or a command takes it."""
    return {
        "schema": "mailmon/alert/1",
        "id": alert.id,
        "kind": alert.kind.value,
        "title": alert.title,
        "body": alert.body,
        "at": instant(alert.at),
        "thread": alert.thread or alert.id,
        "changes": [told_document(flip) for flip in alert.flips],
    }


def told_document(flip: Change) -> dict[str, Any]:
    """Return one thing that an alert tells of."""
    return change_document(flip) | {
        "label": flip.label,
        "target": flip.target,
        "advice": flip.advice,
        "news": flip.news.value,
        "severity": flip.severity.value if flip.severity else None,
        "notes": list(flip.notes),
        "earlier": [{"to": past.after.value, "at": instant(past.at)} for past in flip.history],
        "earlier_left_out": flip.more,
    }


def pending_document(entry: OutboxEntry) -> dict[str, Any]:
    """Return an alert that waits in the outbox."""
    return {
        "id": entry.alert.id,
        "channel": entry.channel,
        "status": "pending",
        "title": entry.alert.title,
        "at": instant(entry.alert.at),
        "runs": entry.runs,
        "error": entry.error,
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return an alert that was sent or dropped."""
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "status": delivery.status,
        "title": delivery.title,
        "at": instant(delivery.at),
        "done_at": instant(delivery.done_at),
        "error": delivery.error,
    }


def silence_document(silence: Silence) -> dict[str, Any]:
    """Return a silence."""
    return {
        "name": silence.name,
        "since": instant(silence.since),
        "until": instant(silence.until),
        "why": silence.why,
    }


def memory_document(step_id: str, memory: CheckState, next_reminder_at: datetime | None) -> dict[str, Any]:
    """Return what is remembered of a step. `announced` is the health that people were told of."""
    told = memory.told
    return {
        "id": step_id,
        "health": "unknown" if told.unknown_since else memory.health.value,
        "since": instant(told.unknown_since or memory.since),
        "checked_at": instant(memory.checked_at) if memory.checked_at else None,
        "reason": memory.reason,
        "value": memory.value,
        "announced": told.health.value,
        "announced_at": instant(told.at) if told.at else None,
        "next_reminder_at": instant(next_reminder_at) if next_reminder_at else None,
        "failing_runs": memory.streak if memory.health is Health.FAILING else 0,
        "unknown_runs": memory.unknown_runs,
    }

"""Steps, alerts and health as text lines, which people grep for in their journal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from mailmon.mail.localtime import local, short_time
from mailmon.model import Alert, CheckState, Health, Outcome, Severity, Status, Verdict
from mailmon.text import format_duration

MARKS = {Status.OK: "✓", Status.WARNING: "⚠", Status.FAILED: "❌", Status.UNKNOWN: "?", Status.SKIPPED: "–"}
COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "red", Status.UNKNOWN: "magenta"}
HEALTH_COLOURS = {Health.UP: "green", Health.DEGRADED: "yellow", Health.FAILING: "yellow", Health.DOWN: "red"}
_MUTED = (Severity.INFO, Severity.NOTICE)


def step_lines(outcome: Outcome, label: str) -> Iterator[str]:
    """Yield the line of a step, its advice and its notices."""
    yield f"{MARKS[outcome.status]} {label}: {outcome.message}"
    if outcome.advice:
        yield f"  → {outcome.advice}"
    for finding in outcome.findings:
        if finding.status is Verdict.FAIL and finding.severity in _MUTED:
            yield f"  · {finding.message}"


def alert_lines(alert: Alert) -> Iterator[str]:
    """Yield an alert: title and body."""
    yield alert.title
    yield from alert.body.splitlines()


def health_lines(label: str, state: CheckState, now: datetime) -> Iterator[str]:
    """Yield the stored health of a step: `down  SMTP Auth (main)  for 12 min, since …: 535 …`.

    What the last run did not check says so in a line of its own, so that the columns stay aligned:
    `up (not checked since 00:49 +0000: skipped)`, and below it the label and why.
    """
    unknown_since = state.announced.unknown_since
    health, since = ("unknown", unknown_since) if unknown_since else (state.health, state.since)
    lasted = format_duration((now - since).total_seconds())
    said = state.value if unknown_since else state.reason or state.value
    if state.skipped:
        kind, _, why = state.skipped.partition(", ")
        checked = f" since {short_time(state.checked_at, now)}" if state.checked_at else ""
        yield f"{health} (not checked{checked}: {kind})"
        health, said = "", why or said
    yield f"{health:<8}  {label:<24}  for {lasted}, since {local_time(since)}{f': {said}' if said else ''}"


def local_time(at: datetime) -> str:
    """Return local time with its offset."""
    return f"{local(at):%Y-%m-%d %H:%M:%S %z}"

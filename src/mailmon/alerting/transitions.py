"""The health of a step after a run: the table of transitions, and the thresholds. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from mailmon.model import CheckState, Finding, Health, Outcome, Policy, Severity, Status, Verdict

# (health so far, status of this run) -> health. UNKNOWN and SKIPPED say nothing about the server: they are not in the
# table and change nothing. FAILING becomes DOWN with the failure that reaches `failure_threshold`; DOWN is left with
# the good run that reaches `success_threshold`.
TRANSITIONS: dict[tuple[Health, Status], Health] = {
    (Health.NEW, Status.OK): Health.UP,
    (Health.NEW, Status.WARNING): Health.DEGRADED,
    (Health.NEW, Status.FAILED): Health.FAILING,
    (Health.UP, Status.OK): Health.UP,
    (Health.UP, Status.WARNING): Health.DEGRADED,
    (Health.UP, Status.FAILED): Health.FAILING,
    (Health.DEGRADED, Status.OK): Health.UP,
    (Health.DEGRADED, Status.WARNING): Health.DEGRADED,
    (Health.DEGRADED, Status.FAILED): Health.FAILING,
    (Health.FAILING, Status.OK): Health.UP,
    (Health.FAILING, Status.WARNING): Health.DEGRADED,
    (Health.FAILING, Status.FAILED): Health.FAILING,
    (Health.DOWN, Status.OK): Health.UP,
    (Health.DOWN, Status.WARNING): Health.DEGRADED,
    (Health.DOWN, Status.FAILED): Health.DOWN,
}

TELLING = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)
_REPLY_CODE = re.compile(r"[2-5]\d\d(?=[ -]|$)", re.ASCII)


def next_state(state: CheckState | None, outcome: Outcome, policy: Policy, now: datetime) -> CheckState | None:
    """Return the state of a step after an outcome, None while nothing is known."""
    if outcome.status is Status.SKIPPED:
        return state
    before = state or CheckState(Health.NEW, now)
    if outcome.status is Status.UNKNOWN:
        since = before.unknown_since or now
        runs = before.unknown_runs + 1
        target = before.target or outcome.target
        return before._replace(unknown_runs=runs, unknown_since=since, value=outcome.message, target=target)
    if before.health is Health.UNKNOWN:  # no run writes it; a hand may have, and it must not stay deaf for ever
        before = before._replace(health=Health.NEW)
    seen = before._replace(checked_at=now, value=outcome.message, unknown_runs=0, unknown_since=None)
    health = TRANSITIONS[before.health, outcome.status]
    if health is Health.FAILING:
        return _settle_or_count(_with_trouble(seen, outcome), Health.DOWN, policy.failure_threshold, now)
    if before.health is Health.DOWN and health is Health.DOWN:
        return _with_trouble(seen, outcome)._replace(streak=0, turned_at=None)
    if before.health is Health.DOWN:
        seen = _settle_or_count(seen, health, policy.success_threshold, now)
    elif health is not before.health:
        seen = seen._replace(health=health, since=now, streak=0, turned_at=None)
    if seen.health is Health.DEGRADED:
        return _with_trouble(seen, outcome)
    return _without_trouble(seen) if seen.health is Health.UP else seen


def _settle_or_count(state: CheckState, health: Health, threshold: int, now: datetime) -> CheckState:
    """Count a run that speaks for another health; change to it, from its first such run on, at the threshold."""
    streak, turned_at = state.streak + 1, state.turned_at or now
    if streak >= threshold:
        return state._replace(health=health, since=turned_at, streak=0, turned_at=None)
    counted = state._replace(streak=streak, turned_at=turned_at)
    return counted._replace(health=Health.FAILING, since=turned_at) if health is Health.DOWN else counted


def _with_trouble(state: CheckState, outcome: Outcome) -> CheckState:
    dispatch = [f for f in outcome.findings if f.status is Verdict.FAIL and f.severity in TELLING]
    assumed = Severity.ERROR if outcome.status is Status.FAILED else Severity.WARNING
    return state._replace(
        reason=outcome.message,
        target=outcome.target,
        advice=outcome.advice,
        severity=worst([finding.severity for finding in dispatch]) or assumed,
        causes=tuple(dict.fromkeys(map(_cause, dispatch))),
    )


def _without_trouble(state: CheckState) -> CheckState:
    return state._replace(reason="", target="", advice="", severity=None, causes=())


def worst(severities: Iterable[Severity | None]) -> Severity | None:
    """Return the gravest of some severities, None without any."""
    return min((severity for severity in severities if severity in TELLING), key=TELLING.index, default=None)


def _cause(finding: Finding) -> str:
    """Return what makes a cause another one: the finding, and the server's reply code or the limit that was missed."""
    code = _REPLY_CODE.match(finding.evidence)
    return f"{finding.id} {code[0] if code else finding.expected}".strip()

"""The health of every check, as the last runs left it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from mailmon.alerting.decision import refresh
from mailmon.alerting.wording import explain
from mailmon.checks import CHECKS
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.mail.localtime import short_time
from mailmon.model import CheckState, Health, Silence
from mailmon.model.status import CheckStatus, StatusReport
from mailmon.run.certificates import CERTIFICATE
from mailmon.run.plan import interval_of, make_plan
from mailmon.run.subjects import configured_subjects, own_subject
from mailmon.store.keeper import look_up
from mailmon.store.silences import active, read_silences, silenced_until
from mailmon.store.state import State


def status(setup: Setup, now: datetime, max_age_s: float | None = None) -> StatusReport:
    """Return the last run, each check's health, silences and pending alerts. Reads only. Raises StateError.

    `max_age_s` is how old the last complete run may be before the report is stale.
    """
    loaded = look_up(setup.state_file, now)
    silences, problem = read_silences(setup.state_file, read_anchor(now))
    silences = tuple(active(silences, now))
    return StatusReport(
        now,
        setup.state_file,
        loaded.state.last_run,
        max_age_s,
        tuple(
            CheckStatus(
                step_id,
                _label(step_id),
                state,
                _next_reminder_at(setup, step_id, state),
                explain(step_id, state, loaded.state.outbox, now),
            )
            for step_id, state in _refreshed(setup, _with_not_due(setup, loaded.state, now), silences)
        ),
        silences,
        loaded.state.outbox,
        (*loaded.warnings, *([problem] if problem else [])),
    )


def _refreshed(
    setup: Setup, states: Iterable[tuple[str, CheckState]], silences: Iterable[Silence]
) -> Iterator[tuple[str, CheckState]]:
    """Yield the states; why there was no alert counts with the silences of now, not with those of the last run."""
    subjects, silenced = configured_subjects(setup), silenced_until(silences)
    for step_id, state in states:
        subject = subjects.get(step_id) or own_subject(step_id, setup.policies)
        yield step_id, state._replace(quiet=refresh(state.quiet, subject, silenced) if state.quiet else None)


def _with_not_due(setup: Setup, state: State, now: datetime) -> Iterator[tuple[str, CheckState]]:
    """Yield the states of all steps; those that are not healthy and were not due in the last run say so."""
    steps = {step.id: step for step in make_plan(setup.accounts, setup.routes, (), setup.hosts, setup.checks).steps}
    run = state.last_run
    for step_id, check in _in_order(state):
        checked_at, step = check.checked_at, steps.get(step_id)
        is_candidate = check.health.is_problem and not (check.skipped or check.unknown_runs)
        if not (is_candidate and step and run and checked_at and checked_at < run.started_at):
            yield step_id, check
            continue
        due_at = checked_at + timedelta(seconds=interval_of(step, check.health))
        until = f" until {short_time(due_at, now)}" if step.interval_s else ""
        yield step_id, check._replace(skipped=f"not due{until}")


def _next_reminder_at(setup: Setup, step_id: str, state: CheckState) -> datetime | None:
    """Return when a lasting failure is alerted again; as long as its state is unknown, it is not."""
    policy = setup.policies.get(step_id.partition(":")[0])
    announced = state.announced
    is_announced = announced.health in (Health.DOWN, Health.DEGRADED) and announced.health is state.health
    if (
        not is_announced
        or state.unknown_runs
        or announced.at is None
        or policy is None
        or policy.reminder_interval_s is None
    ):
        return None
    return announced.at + timedelta(seconds=policy.reminder_interval_s)


def _label(step_id: str) -> str:
    """Return the label of a step: `SMTP Auth (office)`, `Alerts via phone`."""
    check, _, name = step_id.partition(":")
    label = CHECKS[check].label if check in CHECKS else own_subject(step_id).label
    return f"{label} ({name})" if check in CHECKS or step_id.startswith(CERTIFICATE) else label


def _in_order(state: State) -> list[tuple[str, CheckState]]:
    """Return the states of all steps in the order of a run."""
    order = list(CHECKS)

    def place(item: tuple[str, CheckState]) -> tuple[int, str]:
        check, _, name = item[0].partition(":")
        return (order.index(check) if check in order else len(order), name)

    return sorted(state.checks.items(), key=place)

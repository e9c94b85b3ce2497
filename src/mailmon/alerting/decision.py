"""What do people not know yet of what is remembered? The difference between a step's health and what was told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from mailmon.alerting.transitions import next_state, worst
from mailmon.alerting.wording import FAILED, RECOVERED
from mailmon.model import (
    EVERYBODY,
    AlertSubject,
    Announced,
    Change,
    CheckState,
    Health,
    News,
    OpenProblem,
    Outcome,
    Policy,
    Severity,
    Status,
)


def decide(
    step_id: str, state: CheckState, subject: AlertSubject, now: datetime, alert_id: str, channels: Sequence[str]
) -> tuple[CheckState, Change | None]:
    """Return the flip that people have to be told of, if any, and the memory that says that they were."""
    announced = state.announced
    channels = [channel for channel in channels if channel not in subject.not_by]
    if state.unknown_runs:
        audience = _audience(subject.policy, Severity.WARNING, announced, channels)
        is_known = announced.unknown_since is not None and _is_heard(announced, audience, channels)
        if state.unknown_runs < subject.policy.unknown_threshold or is_known:
            return state, None
        change = _unknown_change(_change(step_id, state, subject, now, alert_id), state)._replace(channels=audience)
        return state._replace(announced=_unknown_by(change, state, now)), change
    audience = _audience(subject.policy, state.severity, announced, channels)
    is_seen_again = announced.unknown_since is not None and state.health is not Health.FAILING
    news = News.CHANGE if is_seen_again else _news(state, subject.policy, now, _is_heard(announced, audience, channels))
    if news:
        change = _change(step_id, state, subject, now, alert_id)._replace(news=news, channels=audience)
        return state._replace(announced=_known_by(change, state, now)), change
    if state.health is Health.UP and announced.health is Health.NEW and announced.unknown_since is None:
        return state._replace(announced=Announced(Health.UP, state.since)), None
    return state, None


def open_problems(
    states: Mapping[str, CheckState], subjects: Mapping[str, AlertSubject], channel: str, silenced: Collection[str]
) -> list[OpenProblem]:
    """Return what is not well now, in the order of the memories, for those who read a channel.

    What is silent, or is told by other channels only, has no name: it is counted, so that good news is no all-clear.
    """
    found = []
    for step_id, state in states.items():
        verb = _problem_verb(state, subjects[step_id]) if step_id in subjects else ""
        if verb:
            subject, announced = subjects[step_id], state.announced
            is_silent = not set(silenced).isdisjoint(subject.names)
            wanted = subject.policy.channels.get(state.severity, (channel,)) if state.severity else (channel,)
            is_theirs = channel in wanted or not {channel, EVERYBODY}.isdisjoint(announced.channels)
            if is_silent or not is_theirs or channel in subject.not_by:
                found.append(OpenProblem(step_id))
                continue
            reason = state.reason.removeprefix(f"{state.target}: ")
            found.append(OpenProblem(step_id, subject.label, subject.subject, state.target, verb, state.since, reason))
    return found


def _problem_verb(state: CheckState, subject: AlertSubject) -> str:
    """Return how it goes on with what is not well, "" for what is: a warning is no failure."""
    if state.announced.unknown_since is not None and state.unknown_runs:
        return "cannot be checked"
    fails = "failing" if subject.failed == FAILED and subject.kind != "unit" else subject.failed
    return {Health.DOWN: f"still {fails}", Health.FAILING: fails}.get(state.health, "")


def _news(state: CheckState, policy: Policy, now: datetime, is_heard: bool) -> News | None:
    """Say what people do not know yet."""
    announced, health = state.announced, state.health
    if health in (Health.NEW, Health.FAILING, Health.UNKNOWN):
        return None
    if health is not announced.health:
        return None if health is Health.UP and announced.health is Health.NEW else News.CHANGE
    if health is Health.UP:
        return None
    if not is_heard:
        return News.CHANGE
    if announced.causes and not set(state.causes) <= set(announced.causes):
        return News.CAUSE
    # Of what did not fail in this run nobody is reminded: it was skipped, or begins to work.
    has_failed_now = state.checked_at == now and state.streak == 0
    interval_s = policy.reminder_interval_s
    is_due = interval_s is not None and announced.at is not None and now - announced.at >= timedelta(seconds=interval_s)
    return News.REMINDER if is_due and has_failed_now else None


def _change(step_id: str, state: CheckState, subject: AlertSubject, now: datetime, alert_id: str) -> Change:
    announced, is_over = state.announced, state.health is Health.UP
    was_only_unknown = announced.unknown_since is not None and announced.health in (Health.NEW, Health.UP)
    has_changed_since = announced.unknown_since is None or state.since > announced.unknown_since
    return Change(
        id=step_id,
        before=Health.UNKNOWN if announced.unknown_since else announced.health,
        after=state.health,
        since=(announced.unknown_since if was_only_unknown else announced.since) or state.since,
        at=now if is_over and not has_changed_since else state.since,
        reason=announced.reason if is_over else state.reason,
        advice=state.advice,
        target=announced.target if is_over else state.target,
        label=subject.label,
        subject=subject.subject,
        kind=subject.kind,
        failed=subject.failed,
        works=_works(subject, announced),
        names=subject.names,
        severity=worst([state.severity, announced.severity]),
        causes=announced.causes if is_over else state.causes,
        alert=announced.alert or alert_id,
    )


def _works(subject: AlertSubject, announced: Announced) -> str:
    """Return the words for an end: what only warned, or could not be asked, did not fail."""
    if announced.unknown_since and announced.health in (Health.NEW, Health.UP):
        return "can be checked again"
    return RECOVERED if announced.health is Health.DEGRADED else subject.works


def _unknown_change(change: Change, state: CheckState) -> Change:
    """Return the flip that tells that a step could not be asked for a while."""
    at = state.unknown_since or change.at
    unknown = change._replace(after=Health.UNKNOWN, at=at, causes=())
    return unknown._replace(reason=state.value, target=state.target, advice="")


def _known_by(change: Change, state: CheckState, now: datetime) -> Announced:
    """Return what people know after a flip. Causes add up while it is not well: each is told once."""
    if state.health is Health.UP:
        return Announced(Health.UP, state.since, now)
    is_same_story = state.announced.health is state.health
    causes = (*state.announced.causes, *state.causes) if is_same_story else state.causes
    return Announced(
        health=state.health,
        since=state.announced.since if is_same_story else state.since,
        at=now,
        reason=state.reason,
        target=state.target,
        severity=state.severity,
        causes=tuple(dict.fromkeys(causes)),
        alert=change.alert,
        channels=change.channels,
    )


def _unknown_by(change: Change, state: CheckState, now: datetime) -> Announced:
    """Return what people know after they heard that mailmon cannot tell; of a failure they still know why."""
    announced = state.announced._replace(at=now, alert=change.alert, channels=change.channels, unknown_since=change.at)
    return announced if announced.reason else announced._replace(reason=change.reason, target=change.target)


def _audience(
    policy: Policy, severity: Severity | None, announced: Announced, channels: Sequence[str]
) -> tuple[str, ...]:
    """Return who hears of it: the channels of this severity, and those that heard of the story before.

    The latter also where they are missing from this run: their alert waits. Where none of them is left, the end of the
    story goes to the channels that its beginning would go to now.
    """
    is_open = announced.health in (Health.DEGRADED, Health.DOWN) or announced.unknown_since is not None
    story = [name for name in announced.channels if name != EVERYBODY] if is_open else []
    if is_open and EVERYBODY in announced.channels:
        story = [*channels]
    elif story and set(story).isdisjoint(channels):
        severity = severity or announced.severity or Severity.WARNING
    wanted = policy.channels.get(severity, channels) if severity else ()
    return tuple(dict.fromkeys([*(name for name in channels if name in wanted or name in story), *story]))


def _is_heard(announced: Announced, audience: Sequence[str], channels: Sequence[str]) -> bool:
    """Say whether anybody who can be reached now has heard of the story, or nobody is to hear of it."""
    reachable = set(audience) & set(channels)
    return not reachable or EVERYBODY in announced.channels or not reachable.isdisjoint(announced.channels)


def evaluate(
    states: Mapping[str, CheckState],
    outcomes: Sequence[Outcome],
    subjects: Mapping[str, AlertSubject],
    now: datetime,
    *,
    alert_id: str = "",
    channels: Sequence[str] = (),
    silenced: Collection[str] = (),
    is_offline: bool = False,
) -> tuple[dict[str, CheckState], list[Change]]:
    """Return the memories after a run, and its flips in the order of `topics`: causes before consequences.

    `topics` holds every step that may be spoken of, also those that said nothing in this run: what a silence held back
    is told when it has ended. `channels` are those that there are; of the names in `silenced` nothing is told. While a
    run `is_blind`, a step that could not tell does not count as such: that mailmon sees nothing is told once, not once
    for every step.
    """
    after, changes = dict(states), []
    found = {outcome.id: outcome for outcome in outcomes}
    unseen = {outcome.id for outcome in outcomes if is_offline and outcome.status in (Status.UNKNOWN, Status.SKIPPED)}
    for step_id, subject in subjects.items():
        if step_id in unseen:
            continue
        is_silent = not set(silenced).isdisjoint(subject.names)
        state, change = evaluate_step(
            step_id, states.get(step_id), found.get(step_id), subject, now, alert_id, channels, is_silent=is_silent
        )
        after.update({step_id: state} if state else {})
        changes += [change] if change else []
    return after, changes


def evaluate_step(
    step_id: str,
    state: CheckState | None,
    outcome: Outcome | None,
    subject: AlertSubject,
    now: datetime,
    alert_id: str = "",
    channels: Sequence[str] = (),
    *,
    is_silent: bool = False,
) -> tuple[CheckState | None, Change | None]:
    """Return what is remembered of a step after a run, which may have said nothing of it, and what people are told."""
    seen = next_state(state, outcome, subject.policy, now) if outcome else state
    return (seen, None) if seen is None or is_silent else decide(step_id, seen, subject, now, alert_id, channels)


def overall(statuses: Sequence[Status]) -> Status:
    """Return the status of a run: the worst of its steps, where a skipped one says nothing."""
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING):
        if status in statuses:
            return status
    return Status.OK

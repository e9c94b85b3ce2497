"""Decisions about alerts: per step either an announcement, or the reason why no alert is sent.

What was seen of a step (its health) and what was announced of it are kept side by side. A decision compares the two;
an announcement makes them equal. Nothing is left to silence: a step that is not healthy, and of which no alert goes
out, always has exactly one reason. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from mailmon.alerting.transitions import next_state, worst
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
    Quiet,
    QuietReason,
    Severity,
    Status,
)

_NOBODY_SILENCED: Mapping[str, datetime] = MappingProxyType({})
_NO_NETWORK = "no network"
_NOT_YET = (QuietReason.FAILURES, QuietReason.RECOVERIES, QuietReason.INCONCLUSIVE)


class Announce(NamedTuple):
    """A change that is announced, and what people know then. Without channels in it nobody is alerted."""

    change: Change
    announced: Announced


class Evaluation(NamedTuple):
    """The states of all checks after a run, its changes, and why no alert was sent, by the id of the step."""

    states: dict[str, CheckState]
    changes: list[Change]
    quiet: dict[str, Quiet]


def evaluate(
    states: Mapping[str, CheckState],
    outcomes: Sequence[Outcome],
    subjects: Mapping[str, AlertSubject],
    now: datetime,
    *,
    alert_id: str = "",
    channels: Sequence[str] = (),
    silenced: Mapping[str, datetime] = _NOBODY_SILENCED,
    is_offline: bool = False,
) -> Evaluation:
    """Return the states after a run, its changes in the order of `subjects`, causes first, and why others are quiet.

    `subjects` holds every step that may be announced, also those without an outcome in this run: what a silence held
    back is announced once it has ended. `channels` are those that are configured, `silenced` the end of each silence by
    its name. While a run `is_offline`, a step that is unknown does not count as such: that mailmon has no network is
    announced once, not once per step.
    """
    result = Evaluation(dict(states), [], {})
    found = {outcome.id: outcome for outcome in outcomes}
    for step_id, subject in subjects.items():
        outcome = found.get(step_id)
        is_unseen = is_offline and outcome is not None and outcome.status in (Status.UNKNOWN, Status.SKIPPED)
        state, decision = evaluate_step(
            step_id, states.get(step_id), outcome, subject, now, alert_id, channels, silenced, is_unseen=is_unseen
        )
        if state:
            result.states[step_id] = state
        if isinstance(decision, Announce):
            result.changes.append(decision.change)
        quiet = _quiet_after(decision, subject, channels)
        if quiet:
            result.quiet[step_id] = quiet
    return result


def evaluate_step(
    step_id: str,
    state: CheckState | None,
    outcome: Outcome | None,
    subject: AlertSubject,
    now: datetime,
    alert_id: str = "",
    channels: Sequence[str] = (),
    silenced: Mapping[str, datetime] = _NOBODY_SILENCED,
    *,
    is_unseen: bool = False,
) -> tuple[CheckState | None, Announce | Quiet]:
    """Return the state of a step after a run and the decision about it. `is_unseen`: there is no network."""
    seen = next_state(state, outcome, subject.policy, now) if outcome and not is_unseen else state
    decision = _decide_about(step_id, seen, subject, now, alert_id, channels)
    if is_unseen and (isinstance(decision, Announce) or decision.reason == QuietReason.HEALTHY):
        decision = Quiet(QuietReason.NO_NETWORK)
    if outcome and outcome.status is Status.SKIPPED and decision == Quiet(QuietReason.HEALTHY):
        decision = Quiet(QuietReason.SKIPPED, by=outcome.message)
    silence = _silence_of(subject, silenced)
    if silence:
        decision = silence if isinstance(decision, Announce) else _with_silence(decision, silence)
    if seen is None:
        return None, decision
    if isinstance(decision, Announce):
        seen = seen._replace(announced=decision.announced)
    elif not silence and not is_unseen and _is_first_health(seen):
        seen = seen._replace(announced=Announced(Health.UP, seen.since))
    skipped = seen.skipped
    if outcome:
        skipped = _NO_NETWORK if is_unseen else outcome.message if outcome.status is Status.SKIPPED else ""
    return seen._replace(quiet=_quiet_after(decision, subject, channels), skipped=skipped), decision


def decide(
    step_id: str, state: CheckState, subject: AlertSubject, now: datetime, alert_id: str, channels: Sequence[str]
) -> Announce | Quiet:
    """Return what is announced about a step, or why nothing is."""
    announced, policy, reachable = state.announced, subject.policy, _reachable(subject, channels)
    if state.unknown_runs:
        audience = _audience(policy, Severity.WARNING, announced, reachable)
        if state.unknown_runs < policy.unknown_threshold:
            return Quiet(QuietReason.INCONCLUSIVE, state.unknown_runs, policy.unknown_threshold)
        if announced.unknown_since is not None and _is_heard(announced, audience, reachable):
            return _already_announced(announced, Severity.WARNING, subject, channels)
        change = _unknown_change(_change(step_id, state, subject, now, alert_id), state)._replace(channels=audience)
        return Announce(change, _unknown_by(change, state, now))
    audience = _audience(policy, state.severity, announced, reachable)
    is_seen_again = announced.unknown_since is not None and state.health is not Health.FAILING
    news = News.CHANGE if is_seen_again else _news(state, policy, now, _is_heard(announced, audience, reachable))
    if news:
        change = _change(step_id, state, subject, now, alert_id)._replace(news=news, channels=audience)
        return Announce(change, _known_by(change, state, now))
    return _why_quiet(state, subject, now, channels)


def refresh(quiet: Quiet, subject: AlertSubject, silenced: Mapping[str, datetime]) -> Quiet:
    """Return why no alert was sent, with the silences that hold now: those of the last run may have ended."""
    silence = _silence_of(subject, silenced)
    if quiet.reason == QuietReason.SILENCED:
        return silence or Quiet(QuietReason.SILENCE_ENDED)
    return _with_silence(quiet, silence)


def open_problems(
    states: Mapping[str, CheckState], subjects: Mapping[str, AlertSubject], channel: str, silenced: Collection[str]
) -> list[OpenProblem]:
    """Return what is not healthy now, in the order of the states, for those who read a channel.

    What is silenced, or announced on other channels only, has no name: it is counted, so that a recovery does not read
    as an all-clear.
    """
    found = []
    for step_id, state in states.items():
        health = _problem_health(state)
        if health and step_id in subjects:
            subject, announced = subjects[step_id], state.announced
            is_silenced = not set(silenced).isdisjoint(subject.names)
            wanted = subject.policy.channels.get(state.severity, (channel,)) if state.severity else (channel,)
            is_theirs = channel in wanted or not {channel, EVERYBODY}.isdisjoint(announced.channels)
            if is_silenced or not is_theirs or channel in subject.not_by:
                found.append(OpenProblem(step_id))
                continue
            reason = state.reason.removeprefix(f"{state.target}: ")
            found.append(
                OpenProblem(
                    step_id,
                    subject.label,
                    subject.subject,
                    subject.kind,
                    state.target,
                    health,
                    state.since,
                    reason,
                )
            )
    return found


def overall(statuses: Sequence[Status]) -> Status:
    """Return the status of a run: the worst of its steps; a skipped one says nothing."""
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING):
        if status in statuses:
            return status
    return Status.OK


def _decide_about(
    step_id: str,
    state: CheckState | None,
    subject: AlertSubject,
    now: datetime,
    alert_id: str,
    channels: Sequence[str],
) -> Announce | Quiet:
    return decide(step_id, state, subject, now, alert_id, channels) if state else Quiet(QuietReason.HEALTHY)


def _quiet_after(decision: Announce | Quiet, subject: AlertSubject, channels: Sequence[str]) -> Quiet | None:
    """Return why nobody is alerted, None where somebody is, or where there is nothing to alert about."""
    if isinstance(decision, Quiet):
        return None if decision.reason == QuietReason.HEALTHY else decision
    if decision.change.channels:
        return None
    return _no_channel(decision.change.severity, subject, channels)


def _no_channel(severity: Severity | None, subject: AlertSubject, channels: Sequence[str]) -> Quiet:
    if _reachable(subject, channels):
        return Quiet(QuietReason.NO_CHANNEL, by=severity.value if severity else "")
    return Quiet(QuietReason.NO_OTHER_CHANNEL if channels else QuietReason.NO_CHANNEL)


def _reachable(subject: AlertSubject, channels: Sequence[str]) -> list[str]:
    """Return the channels that can alert about a subject: a channel that fails cannot say so itself."""
    return [channel for channel in channels if channel not in subject.not_by]


def _with_silence(quiet: Quiet, silence: Quiet | None) -> Quiet:
    """Return why there is no alert yet, with the silence that will hold it back, or without one that has ended."""
    if quiet.reason not in _NOT_YET:
        return quiet
    return quiet._replace(until=silence.until if silence else None, by=silence.by if silence else "")


def _silence_of(subject: AlertSubject, silenced: Mapping[str, datetime]) -> Quiet | None:
    """Return the silence that covers a step and lasts longest, None without any."""
    names = [name for name in subject.names if name in silenced]
    if not names:
        return None
    name = max(names, key=silenced.__getitem__)
    return Quiet(QuietReason.SILENCED, until=silenced[name], by=name)


def _is_first_health(state: CheckState) -> bool:
    """Return whether a step is healthy and was never announced: that needs no alert."""
    announced = state.announced
    is_new = announced.health is Health.NEW and announced.unknown_since is None
    return state.health is Health.UP and is_new and not state.unknown_runs


def _why_quiet(state: CheckState, subject: AlertSubject, now: datetime, channels: Sequence[str]) -> Quiet:
    """Return why nothing is announced of a step that could be checked."""
    policy = subject.policy
    if state.health is Health.FAILING:
        return Quiet(QuietReason.FAILURES, state.streak, policy.failure_threshold)
    if state.health is Health.DOWN and state.streak:
        return Quiet(QuietReason.RECOVERIES, state.streak, policy.success_threshold)
    if state.health in (Health.DOWN, Health.DEGRADED):
        interval_s, announced = policy.reminder_interval_s, state.announced
        due_at = announced.at + timedelta(seconds=interval_s) if announced.at and interval_s is not None else None
        reminder_at = due_at if due_at and due_at > now else None
        return _already_announced(announced, state.severity, subject, channels, reminder_at)
    return Quiet(QuietReason.HEALTHY)


def _already_announced(
    announced: Announced,
    severity: Severity | None,
    subject: AlertSubject,
    channels: Sequence[str],
    reminder_at: datetime | None = None,
) -> Quiet:
    if not announced.channels:
        return _no_channel(severity, subject, channels)
    return Quiet(QuietReason.SENT, at=announced.at, until=reminder_at)


def _problem_health(state: CheckState) -> Health | None:
    """Return how it stands with what is not healthy, None for what is: a warning is no failure."""
    if state.announced.unknown_since is not None and state.unknown_runs:
        return Health.UNKNOWN
    return state.health if state.health in (Health.DOWN, Health.FAILING) else None


def _news(state: CheckState, policy: Policy, now: datetime, is_heard: bool) -> News | None:
    """Return what people do not know yet."""
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
    # No reminder of what did not fail in this run: it was skipped, or begins to recover.
    has_failed_now = state.checked_at == now and state.streak == 0
    interval_s = policy.reminder_interval_s
    is_due = interval_s is not None and announced.at is not None and now - announced.at >= timedelta(seconds=interval_s)
    return News.REMINDER if is_due and has_failed_now else None


def _change(step_id: str, state: CheckState, subject: AlertSubject, now: datetime, alert_id: str) -> Change:
    announced, is_over = state.announced, state.health is Health.UP
    was_only_unknown = announced.unknown_since is not None and announced.health in (Health.NEW, Health.UP)
    has_changed_since = announced.unknown_since is None or state.since > announced.unknown_since
    ended = Health.UNKNOWN if was_only_unknown else announced.health
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
        ended=ended if ended in (Health.UNKNOWN, Health.DEGRADED) else Health.DOWN,
        names=subject.names,
        severity=worst([state.severity, announced.severity]),
        causes=announced.causes if is_over else state.causes,
        alert=announced.alert or alert_id,
    )


def _unknown_change(change: Change, state: CheckState) -> Change:
    """Return the change that a step could not be checked for a while."""
    at = state.unknown_since or change.at
    unknown = change._replace(after=Health.UNKNOWN, at=at, causes=())
    return unknown._replace(reason=state.value, target=state.target, advice="")


def _known_by(change: Change, state: CheckState, now: datetime) -> Announced:
    """Return what people know after a change. Causes add up while it is not healthy: each is announced once."""
    if state.health is Health.UP:
        return Announced(Health.UP, state.since, now)
    is_same_health = state.announced.health is state.health
    causes = (*state.announced.causes, *state.causes) if is_same_health else state.causes
    return Announced(
        health=state.health,
        since=state.announced.since if is_same_health else state.since,
        at=now,
        reason=state.reason,
        target=state.target,
        severity=state.severity,
        causes=tuple(dict.fromkeys(causes)),
        alert=change.alert,
        channels=change.channels,
    )


def _unknown_by(change: Change, state: CheckState, now: datetime) -> Announced:
    """Return what people know after it was announced that a step cannot be checked; why it failed stays."""
    announced = state.announced._replace(at=now, alert=change.alert, channels=change.channels, unknown_since=change.at)
    return announced if announced.reason else announced._replace(reason=change.reason, target=change.target)


def _audience(
    policy: Policy, severity: Severity | None, announced: Announced, channels: Sequence[str]
) -> tuple[str, ...]:
    """Return who is alerted: the channels of this severity, and those that were alerted before.

    The latter also where they are missing from this run: their alert waits. Where none of them is left, the
    recovery goes to the channels that the failure would go to now.
    """
    is_open = announced.health in (Health.DEGRADED, Health.DOWN) or announced.unknown_since is not None
    alerted = [name for name in announced.channels if name != EVERYBODY] if is_open else []
    if is_open and EVERYBODY in announced.channels:
        alerted = [*channels]
    elif alerted and set(alerted).isdisjoint(channels):
        severity = severity or announced.severity or Severity.WARNING
    wanted = policy.channels.get(severity, channels) if severity else ()
    return tuple(dict.fromkeys([*(name for name in channels if name in wanted or name in alerted), *alerted]))


def _is_heard(announced: Announced, audience: Sequence[str], channels: Sequence[str]) -> bool:
    """Return whether anybody who can be reached now was alerted before, or nobody is to be alerted."""
    reachable = set(audience) & set(channels)
    return not reachable or EVERYBODY in announced.channels or not reachable.isdisjoint(announced.channels)

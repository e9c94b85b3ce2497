"""What is remembered of a step after a run, and what are people told of it? The state table and its thresholds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from mailmon.model import (
    EVERYBODY,
    Finding,
    Flip,
    Health,
    Memory,
    News,
    Outcome,
    Policy,
    Severity,
    Status,
    Told,
    Topic,
    Verdict,
)

# (remembered health, status of this run) -> health. UNKNOWN and SKIPPED say nothing of the server: they are not in the
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

_TELLING = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)
_REPLY_CODE = re.compile(r"[2-5]\d\d(?=[ -]|$)", re.ASCII)


def judge(
    memories: Mapping[str, Memory],
    outcomes: Sequence[Outcome],
    topics: Mapping[str, Topic],
    now: datetime,
    *,
    alert_id: str = "",
    channels: Sequence[str] = (),
    silenced: Collection[str] = (),
    is_blind: bool = False,
) -> tuple[dict[str, Memory], list[Flip]]:
    """Return the memories after a run, and its flips in the order of `topics`: causes before consequences.

    `topics` holds every step that may be spoken of, also those that said nothing in this run: what a silence held back
    is told when it has ended. `channels` are those that there are; of the names in `silenced` nothing is told. While a
    run `is_blind`, a step that could not tell does not count as such: that mailmon sees nothing is told once, not once
    for every step.
    """
    after = dict(memories)
    unseen = {outcome.id for outcome in outcomes if is_blind and outcome.status in (Status.UNKNOWN, Status.SKIPPED)}
    for outcome in outcomes:
        memory = observe(memories.get(outcome.id), outcome, topics[outcome.id].policy, now)
        if memory and outcome.id not in unseen:
            after[outcome.id] = memory
    flips = []
    for step_id, topic in topics.items():
        if step_id not in after or step_id in unseen or not set(silenced).isdisjoint(topic.names):
            continue
        after[step_id], flip = announce(step_id, after[step_id], topic, now, alert_id, channels)
        flips += [flip] if flip else []
    return after, flips


def step(
    memory: Memory | None,
    outcome: Outcome,
    topic: Topic,
    now: datetime,
    alert_id: str = "",
    channels: Sequence[str] = (),
) -> tuple[Memory | None, Flip | None]:
    """Return what is remembered after one outcome, and what people are told of it."""
    seen = observe(memory, outcome, topic.policy, now)
    return announce(outcome.id, seen, topic, now, alert_id, channels) if seen else (None, None)


def observe(memory: Memory | None, outcome: Outcome, policy: Policy, now: datetime) -> Memory | None:
    """Return what is remembered after an outcome, None while nothing is known."""
    if outcome.status is Status.SKIPPED:
        return memory
    before = memory or Memory(Health.NEW, now)
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


def _settle_or_count(memory: Memory, health: Health, threshold: int, now: datetime) -> Memory:
    """Count a run that speaks for another health; change to it, from its first such run on, at the threshold."""
    streak, turned_at = memory.streak + 1, memory.turned_at or now
    if streak >= threshold:
        return memory._replace(health=health, since=turned_at, streak=0, turned_at=None)
    counted = memory._replace(streak=streak, turned_at=turned_at)
    return counted._replace(health=Health.FAILING, since=turned_at) if health is Health.DOWN else counted


def _with_trouble(memory: Memory, outcome: Outcome) -> Memory:
    telling = [f for f in outcome.findings if f.status is Verdict.FAIL and f.severity in _TELLING]
    assumed = Severity.ERROR if outcome.status is Status.FAILED else Severity.WARNING
    return memory._replace(
        reason=outcome.message,
        target=outcome.target,
        advice=outcome.advice,
        severity=_worst([finding.severity for finding in telling]) or assumed,
        causes=tuple(dict.fromkeys(map(_cause, telling))),
    )


def _without_trouble(memory: Memory) -> Memory:
    return memory._replace(reason="", target="", advice="", severity=None, causes=())


def _worst(severities: Iterable[Severity | None]) -> Severity | None:
    return min((severity for severity in severities if severity), key=_TELLING.index, default=None)


def _cause(finding: Finding) -> str:
    """Return what makes a cause another one: the finding, and the server's reply code or the limit that was missed."""
    code = _REPLY_CODE.match(finding.evidence)
    return f"{finding.id} {code[0] if code else finding.expected}".strip()


def announce(
    step_id: str, memory: Memory, topic: Topic, now: datetime, alert_id: str, channels: Sequence[str]
) -> tuple[Memory, Flip | None]:
    """Return the flip that people have to be told of, if any, and the memory that says that they were."""
    told = memory.told
    if memory.unknown_runs:
        if memory.unknown_runs < topic.policy.unknown_threshold or told.unknown_since:
            return memory, None
        audience = _audience(topic.policy, Severity.WARNING, told, channels)
        flip = _unknown_flip(_flip(step_id, memory, topic, now, alert_id), memory)._replace(channels=audience)
        return memory._replace(told=_unknown_by(flip, memory, now)), flip
    audience = _audience(topic.policy, memory.severity, told, channels)
    is_seen_again = told.unknown_since is not None and memory.health is not Health.FAILING
    news = News.CHANGE if is_seen_again else _news(memory, topic.policy, now, audience)
    if news:
        flip = _flip(step_id, memory, topic, now, alert_id)._replace(news=news, channels=audience)
        return memory._replace(told=_known_by(flip, memory, now)), flip
    if memory.health is Health.UP and told.health is Health.NEW and told.unknown_since is None:
        return memory._replace(told=Told(Health.UP, memory.since)), None
    return memory, None


def _news(memory: Memory, policy: Policy, now: datetime, audience: Sequence[str]) -> News | None:
    """Say what people do not know yet."""
    told, health = memory.told, memory.health
    if health in (Health.NEW, Health.FAILING, Health.UNKNOWN):
        return None
    if health is not told.health:
        return None if health is Health.UP and told.health is Health.NEW else News.CHANGE
    if health is Health.UP:
        return None
    if audience and not {*told.channels} & {*audience, EVERYBODY}:  # those who were told can no longer be reached
        return News.CHANGE
    if told.causes and not set(memory.causes) <= set(told.causes):
        return News.CAUSE
    # Of what did not fail in this run nobody is reminded: it was skipped, or begins to work.
    has_failed_now = memory.checked_at == now and memory.streak == 0
    interval_s = policy.reminder_interval_s
    is_due = interval_s is not None and told.at is not None and now - told.at >= timedelta(seconds=interval_s)
    return News.REMINDER if is_due and has_failed_now else None


def _flip(step_id: str, memory: Memory, topic: Topic, now: datetime, alert_id: str) -> Flip:
    told, is_over = memory.told, memory.health is Health.UP
    was_only_unknown = told.unknown_since is not None and told.health in (Health.NEW, Health.UP)
    has_changed_since = told.unknown_since is None or memory.since > told.unknown_since
    return Flip(
        id=step_id,
        before=Health.UNKNOWN if told.unknown_since else told.health,
        after=memory.health,
        since=(told.unknown_since if was_only_unknown else told.since) or memory.since,
        at=memory.since if has_changed_since else now,
        reason=told.reason if is_over else memory.reason,
        advice=memory.advice,
        target=told.target if is_over else memory.target,
        label=topic.label,
        subject=topic.subject,
        kind=topic.kind,
        failed=topic.failed,
        works=_works(topic, told),
        names=topic.names,
        severity=_worst([memory.severity, told.severity]),
        causes=told.causes if is_over else memory.causes,
        alert=told.alert or alert_id,
    )


def _works(topic: Topic, told: Told) -> str:
    """Return the words for an end: what only warned, or could not be asked, did not fail."""
    if told.unknown_since and told.health in (Health.NEW, Health.UP):
        return "can be checked again"
    return "is well again" if told.health is Health.DEGRADED else topic.works


def _unknown_flip(flip: Flip, memory: Memory) -> Flip:
    """Return the flip that tells that a step could not be asked for a while."""
    at = memory.unknown_since or flip.at
    return flip._replace(after=Health.UNKNOWN, at=at, reason=memory.value, target=memory.target, causes=())


def _known_by(flip: Flip, memory: Memory, now: datetime) -> Told:
    """Return what people know after a flip. Causes add up while it is not well: each is told once."""
    if memory.health is Health.UP:
        return Told(Health.UP, memory.since, now)
    is_same_story = memory.told.health is memory.health
    causes = (*memory.told.causes, *memory.causes) if is_same_story else memory.causes
    return Told(
        health=memory.health,
        since=memory.told.since if is_same_story else memory.since,
        at=now,
        reason=memory.reason,
        target=memory.target,
        severity=memory.severity,
        causes=tuple(dict.fromkeys(causes)),
        alert=flip.alert,
        channels=flip.channels,
    )


def _unknown_by(flip: Flip, memory: Memory, now: datetime) -> Told:
    """Return what people know after they heard that mailmon cannot tell; of a failure they still know why."""
    told = memory.told._replace(at=now, alert=flip.alert, channels=flip.channels, unknown_since=flip.at)
    return told if told.reason else told._replace(reason=flip.reason, target=flip.target)


def _audience(policy: Policy, severity: Severity | None, told: Told, channels: Sequence[str]) -> tuple[str, ...]:
    """Return who hears of it: the channels of this severity, and those that heard of the story before.

    Where none of the latter is left, the end of the story goes to the channels that its beginning would go to now.
    """
    heard = set(channels) if EVERYBODY in told.channels else set(told.channels) & set(channels)
    if told.channels and not heard:
        severity = severity or told.severity
    wanted = set(policy.channels.get(severity, channels)) if severity else set()
    return tuple(channel for channel in channels if channel in wanted | heard)


def overall(statuses: Sequence[Status]) -> Status:
    """Return the status of a run: the worst of its steps, where a skipped one says nothing."""
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING):
        if status in statuses:
            return status
    return Status.OK

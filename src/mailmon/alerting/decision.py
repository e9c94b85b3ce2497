"""What do people not know yet of what is remembered? The difference between a step's health and what was told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from mailmon.alerting.transitions import worst
from mailmon.alerting.wording import FAILED, RECOVERED
from mailmon.model import (
    EVERYBODY,
    AlertSubject,
    Announced,
    Change,
    CheckState,
    Health,
    News,
    Policy,
    Severity,
    Standing,
)


def announce(
    step_id: str, memory: CheckState, topic: AlertSubject, now: datetime, alert_id: str, channels: Sequence[str]
) -> tuple[CheckState, Change | None]:
    """Return the flip that people have to be told of, if any, and the memory that says that they were."""
    told = memory.told
    channels = [channel for channel in channels if channel not in topic.not_by]
    if memory.unknown_runs:
        audience = _audience(topic.policy, Severity.WARNING, told, channels)
        is_known = told.unknown_since is not None and _is_heard(told, audience, channels)
        if memory.unknown_runs < topic.policy.unknown_threshold or is_known:
            return memory, None
        flip = _unknown_flip(_flip(step_id, memory, topic, now, alert_id), memory)._replace(channels=audience)
        return memory._replace(told=_unknown_by(flip, memory, now)), flip
    audience = _audience(topic.policy, memory.severity, told, channels)
    is_seen_again = told.unknown_since is not None and memory.health is not Health.FAILING
    news = News.CHANGE if is_seen_again else _news(memory, topic.policy, now, _is_heard(told, audience, channels))
    if news:
        flip = _flip(step_id, memory, topic, now, alert_id)._replace(news=news, channels=audience)
        return memory._replace(told=_known_by(flip, memory, now)), flip
    if memory.health is Health.UP and told.health is Health.NEW and told.unknown_since is None:
        return memory._replace(told=Announced(Health.UP, memory.since)), None
    return memory, None


def standing(
    memories: Mapping[str, CheckState], topics: Mapping[str, AlertSubject], channel: str, silenced: Collection[str]
) -> list[Standing]:
    """Return what is not well now, in the order of the memories, for those who read a channel.

    What is silent, or is told by other channels only, has no name: it is counted, so that good news is no all-clear.
    """
    found = []
    for step_id, memory in memories.items():
        verb = _standing_verb(memory, topics[step_id]) if step_id in topics else ""
        if verb:
            topic, told = topics[step_id], memory.told
            is_silent = not set(silenced).isdisjoint(topic.names)
            wanted = topic.policy.channels.get(memory.severity, (channel,)) if memory.severity else (channel,)
            is_theirs = channel in wanted or not {channel, EVERYBODY}.isdisjoint(told.channels)
            if is_silent or not is_theirs or channel in topic.not_by:
                found.append(Standing(step_id))
                continue
            reason = memory.reason.removeprefix(f"{memory.target}: ")
            found.append(Standing(step_id, topic.label, topic.subject, memory.target, verb, memory.since, reason))
    return found


def _standing_verb(memory: CheckState, topic: AlertSubject) -> str:
    """Return how it goes on with what is not well, "" for what is: a warning is no failure."""
    if memory.told.unknown_since is not None and memory.unknown_runs:
        return "cannot be checked"
    fails = "failing" if topic.failed == FAILED and topic.kind != "unit" else topic.failed
    return {Health.DOWN: f"still {fails}", Health.FAILING: fails}.get(memory.health, "")


def _news(memory: CheckState, policy: Policy, now: datetime, is_heard: bool) -> News | None:
    """Say what people do not know yet."""
    told, health = memory.told, memory.health
    if health in (Health.NEW, Health.FAILING, Health.UNKNOWN):
        return None
    if health is not told.health:
        return None if health is Health.UP and told.health is Health.NEW else News.CHANGE
    if health is Health.UP:
        return None
    if not is_heard:
        return News.CHANGE
    if told.causes and not set(memory.causes) <= set(told.causes):
        return News.CAUSE
    # Of what did not fail in this run nobody is reminded: it was skipped, or begins to work.
    has_failed_now = memory.checked_at == now and memory.streak == 0
    interval_s = policy.reminder_interval_s
    is_due = interval_s is not None and told.at is not None and now - told.at >= timedelta(seconds=interval_s)
    return News.REMINDER if is_due and has_failed_now else None


def _flip(step_id: str, memory: CheckState, topic: AlertSubject, now: datetime, alert_id: str) -> Change:
    told, is_over = memory.told, memory.health is Health.UP
    was_only_unknown = told.unknown_since is not None and told.health in (Health.NEW, Health.UP)
    has_changed_since = told.unknown_since is None or memory.since > told.unknown_since
    return Change(
        id=step_id,
        before=Health.UNKNOWN if told.unknown_since else told.health,
        after=memory.health,
        since=(told.unknown_since if was_only_unknown else told.since) or memory.since,
        at=now if is_over and not has_changed_since else memory.since,
        reason=told.reason if is_over else memory.reason,
        advice=memory.advice,
        target=told.target if is_over else memory.target,
        label=topic.label,
        subject=topic.subject,
        kind=topic.kind,
        failed=topic.failed,
        works=_works(topic, told),
        names=topic.names,
        severity=worst([memory.severity, told.severity]),
        causes=told.causes if is_over else memory.causes,
        alert=told.alert or alert_id,
    )


def _works(topic: AlertSubject, told: Announced) -> str:
    """Return the words for an end: what only warned, or could not be asked, did not fail."""
    if told.unknown_since and told.health in (Health.NEW, Health.UP):
        return "can be checked again"
    return RECOVERED if told.health is Health.DEGRADED else topic.works


def _unknown_flip(flip: Change, memory: CheckState) -> Change:
    """Return the flip that tells that a step could not be asked for a while."""
    at = memory.unknown_since or flip.at
    unknown = flip._replace(after=Health.UNKNOWN, at=at, causes=())
    return unknown._replace(reason=memory.value, target=memory.target, advice="")


def _known_by(flip: Change, memory: CheckState, now: datetime) -> Announced:
    """Return what people know after a flip. Causes add up while it is not well: each is told once."""
    if memory.health is Health.UP:
        return Announced(Health.UP, memory.since, now)
    is_same_story = memory.told.health is memory.health
    causes = (*memory.told.causes, *memory.causes) if is_same_story else memory.causes
    return Announced(
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


def _unknown_by(flip: Change, memory: CheckState, now: datetime) -> Announced:
    """Return what people know after they heard that mailmon cannot tell; of a failure they still know why."""
    told = memory.told._replace(at=now, alert=flip.alert, channels=flip.channels, unknown_since=flip.at)
    return told if told.reason else told._replace(reason=flip.reason, target=flip.target)


def _audience(policy: Policy, severity: Severity | None, told: Announced, channels: Sequence[str]) -> tuple[str, ...]:
    """Return who hears of it: the channels of this severity, and those that heard of the story before.

    The latter also where they are missing from this run: their alert waits. Where none of them is left, the end of the
    story goes to the channels that its beginning would go to now.
    """
    is_open = told.health in (Health.DEGRADED, Health.DOWN) or told.unknown_since is not None
    story = [name for name in told.channels if name != EVERYBODY] if is_open else []
    if is_open and EVERYBODY in told.channels:
        story = [*channels]
    elif story and set(story).isdisjoint(channels):
        severity = severity or told.severity or Severity.WARNING
    wanted = policy.channels.get(severity, channels) if severity else ()
    return tuple(dict.fromkeys([*(name for name in channels if name in wanted or name in story), *story]))


def _is_heard(told: Announced, audience: Sequence[str], channels: Sequence[str]) -> bool:
    """Say whether anybody who can be reached now has heard of the story, or nobody is to hear of it."""
    reachable = set(audience) & set(channels)
    return not reachable or EVERYBODY in told.channels or not reachable.isdisjoint(told.channels)

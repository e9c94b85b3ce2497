"""What has a run changed, and who is told? What is remembered of all steps, and the flips that people hear of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from mailmon.alerting.decision import announce
from mailmon.alerting.transitions import observe
from mailmon.model import AlertSubject, Change, CheckState, Outcome, Status


def judge(
    memories: Mapping[str, CheckState],
    outcomes: Sequence[Outcome],
    topics: Mapping[str, AlertSubject],
    now: datetime,
    *,
    alert_id: str = "",
    channels: Sequence[str] = (),
    silenced: Collection[str] = (),
    is_blind: bool = False,
) -> tuple[dict[str, CheckState], list[Change]]:
    """Return the memories after a run, and its flips in the order of `topics`: causes before consequences.

    `topics` holds every step that may be spoken of, also those that said nothing in this run: what a silence held back
    is told when it has ended. `channels` are those that there are; of the names in `silenced` nothing is told. While a
    run `is_blind`, a step that could not tell does not count as such: that mailmon sees nothing is told once, not once
    for every step.
    """
    after, flips = dict(memories), []
    found = {outcome.id: outcome for outcome in outcomes}
    unseen = {outcome.id for outcome in outcomes if is_blind and outcome.status in (Status.UNKNOWN, Status.SKIPPED)}
    for step_id, topic in topics.items():
        if step_id in unseen:
            continue
        is_silent = not set(silenced).isdisjoint(topic.names)
        memory, flip = step(
            step_id, memories.get(step_id), found.get(step_id), topic, now, alert_id, channels, is_silent=is_silent
        )
        after.update({step_id: memory} if memory else {})
        flips += [flip] if flip else []
    return after, flips


def step(
    step_id: str,
    memory: CheckState | None,
    outcome: Outcome | None,
    topic: AlertSubject,
    now: datetime,
    alert_id: str = "",
    channels: Sequence[str] = (),
    *,
    is_silent: bool = False,
) -> tuple[CheckState | None, Change | None]:
    """Return what is remembered of a step after a run, which may have said nothing of it, and what people are told."""
    seen = observe(memory, outcome, topic.policy, now) if outcome else memory
    return (seen, None) if seen is None or is_silent else announce(step_id, seen, topic, now, alert_id, channels)


def overall(statuses: Sequence[Status]) -> Status:
    """Return the status of a run: the worst of its steps, where a skipped one says nothing."""
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING):
        if status in statuses:
            return status
    return Status.OK

"""What has a run changed, and who is told? What is remembered of all steps, and the flips that people hear of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from mailmon.judge.news import announce
from mailmon.judge.table import observe
from mailmon.model import Flip, Memory, Outcome, Status, Topic


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


def overall(statuses: Sequence[Status]) -> Status:
    """Return the status of a run: the worst of its steps, where a skipped one says nothing."""
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING):
        if status in statuses:
            return status
    return Status.OK

"""What changed, and what is a person told of it? Pure: tables and words, no clock and no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mailmon.mail.text import fit_characters, format_duration, join_words
from mailmon.model import Alert, AlertKind, Flip, Health, Memory, Outcome, Status

MAX_CAUSES = 12
MAX_TITLE = 120

# (remembered health, status of this run) -> (new health, is a person told?). UNKNOWN and SKIPPED say nothing about
# the server and are not in the table: they change nothing.
TRANSITIONS: dict[tuple[Health, Status], tuple[Health, bool]] = {
    (Health.NEW, Status.OK): (Health.UP, False),
    (Health.NEW, Status.WARNING): (Health.DEGRADED, True),
    (Health.NEW, Status.FAILED): (Health.DOWN, True),
    (Health.UP, Status.OK): (Health.UP, False),
    (Health.UP, Status.WARNING): (Health.DEGRADED, True),
    (Health.UP, Status.FAILED): (Health.DOWN, True),
    (Health.DEGRADED, Status.OK): (Health.UP, True),
    (Health.DEGRADED, Status.WARNING): (Health.DEGRADED, False),
    (Health.DEGRADED, Status.FAILED): (Health.DOWN, True),
    (Health.DOWN, Status.OK): (Health.UP, True),
    (Health.DOWN, Status.WARNING): (Health.DEGRADED, True),
    (Health.DOWN, Status.FAILED): (Health.DOWN, False),
    (Health.UNKNOWN, Status.OK): (Health.UP, False),
    (Health.UNKNOWN, Status.WARNING): (Health.DEGRADED, True),
    (Health.UNKNOWN, Status.FAILED): (Health.DOWN, True),
}


def step(memory: Memory | None, outcome: Outcome, now: datetime) -> tuple[Memory | None, Flip | None]:
    """Return what is remembered after an outcome, and the flip that it is, if it is one."""
    before = memory.health if memory else Health.NEW
    if (before, outcome.status) not in TRANSITIONS:
        return memory, None
    after, is_announced = TRANSITIONS[before, outcome.status]
    since = memory.since if memory and after is before else now
    is_ok = outcome.status is Status.OK
    remembered = Memory(after, since, "" if is_ok else outcome.message, "" if is_ok else outcome.target, now)
    if not is_announced:
        return remembered, None
    told = memory if memory and after is Health.UP else remembered
    return remembered, Flip(
        outcome.id, before, after, memory.since if memory else now, now, told.reason, outcome.advice, told.target
    )


def judge(
    memories: Mapping[str, Memory], outcomes: Sequence[Outcome], now: datetime
) -> tuple[dict[str, Memory], list[Flip]]:
    """Return the memories after a run, and its flips in the order of the outcomes: causes before consequences."""
    after, flips = dict(memories), []
    for outcome in outcomes:
        memory, flip = step(memories.get(outcome.id), outcome, now)
        if memory:
            after[outcome.id] = memory
        if flip:
            flips.append(flip)
    return after, flips


def compose(
    flips: Sequence[Flip], labels: Mapping[str, str], now: datetime, alert_id: str, notes: Sequence[str] = ()
) -> Alert | None:
    """Return the one alert for all flips of a run, None without any. `labels` name the steps by their id."""
    if not flips:
        return None
    down = [flip for flip in flips if flip.after is Health.DOWN]
    warned = [flip for flip in flips if flip.after is Health.DEGRADED]
    ended = [flip for flip in flips if flip not in down and flip not in warned]
    kind = AlertKind.PROBLEM if down else AlertKind.WARNING if warned else AlertKind.RECOVERY
    leading = down or warned or ended
    title = _title(kind, leading, labels)
    paragraphs = [_paragraph(flip, labels) for flip in (*down, *warned, *ended)[:MAX_CAUSES]]
    if len(flips) > MAX_CAUSES:
        paragraphs.append(f"and {len(flips) - MAX_CAUSES} more")
    if kind is AlertKind.RECOVERY:
        paragraphs += [f"{words[:1].upper()}{words[1:]}." for words in notes]
    return Alert(alert_id, kind, fit_characters(title, MAX_TITLE), "\n\n".join(paragraphs), now)


def _title(kind: AlertKind, flips: Sequence[Flip], labels: Mapping[str, str]) -> str:
    """Say what and where in the first words: a phone at night shows little more."""
    names = join_words([labels.get(flip.id, flip.id) for flip in flips[:3]])
    more = f" and {len(flips) - 3} more" if len(flips) > 3 else ""
    where = join_words(dict.fromkeys(flip.target for flip in flips[:3] if flip.target))
    at = f": {where}" if where else ""
    if kind is AlertKind.RECOVERY:
        works = "works" if len(flips) == 1 else "work"
        return f"{names}{more} {works} again{at}, after {_lasted(flips[0])}"
    return f"{names}{more} {'failed' if kind is AlertKind.PROBLEM else 'warned'}{at}"


def _paragraph(flip: Flip, labels: Mapping[str, str]) -> str:
    label = labels.get(flip.id, flip.id)
    if flip.after is Health.UP:
        was = f"\nIt was: {flip.reason}" if flip.reason else ""
        return f"{label} works again since {_clock(flip.at)}, after {_lasted(flip)}.{was}"
    advice = f"\n→ {flip.advice}" if flip.advice else ""
    lasted = f"\nIt was down for {_lasted(flip)}." if flip.before is Health.DOWN else ""
    return f"{label}: {flip.reason}{advice}{lasted}\nSince {_clock(flip.at)}."


def _lasted(flip: Flip) -> str:
    return format_duration((flip.at - flip.since).total_seconds())


def _clock(at: datetime) -> str:
    """Return local time with its offset, as a person at night wants it."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S %z}"


def overall(statuses: Sequence[Status]) -> Status:
    """Return the status of a run: the worst of its steps, where a skipped one says nothing."""
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING):
        if status in statuses:
            return status
    return Status.OK

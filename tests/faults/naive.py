"""A naive monitor as a baseline: a model of "save the state, then send once", run through the same scenarios.

It is given what mailmon has to find out by itself: the same observations and the same thresholds.
"""

from __future__ import annotations

from dataclasses import replace

from tests.faults.dsl import PERSON_SEES, Observation
from tests.faults.oracle import Change, Subject, is_silenced
from tests.faults.outbox_model import message_for
from tests.faults.recorder import Message, Record, Recording, StepReport

# A run mostly waits for servers; a kill after these fractions of its duration comes after the save, or the sending.
SAVED_AT, SENT_AT = 0.92, 0.97
FAILED = Observation("failed", "no network")


def run_naive(recording: Recording) -> tuple[list[Message], list[Record]]:
    """Return the messages that this monitor would have sent, and its records of the runs."""
    saved: dict[str, Subject] = {}
    messages: list[Message] = []
    records = [replace(record, is_seen=_share(record) >= SAVED_AT) for record in recording.records]
    for record in records:
        if record.forgets or record.loses_state:
            saved = {}
        if not record.is_seen or record.disk or record.run.unit:
            continue  # killed before it saved, or the save failed and ended it; or no run at all
        found = _changes(saved, record, recording)
        if not found or _share(record) < SENT_AT:
            continue
        message = message_for(found)
        reports = tuple(StepReport(step, healths) for step, healths in message.healths.items())
        for channel, mode in record.modes.items():
            # Nobody keeps the second of two runs at once from telling the same.
            copies = (1 + record.run.is_twice) if mode in PERSON_SEES else 0
            messages += [Message(record.number, channel, message.kind, "", reports)] * copies
    return messages, records


def _share(record: Record) -> float:
    """Return how far a run got."""
    kill = record.run.kill
    return 1.0 if kill is None else SAVED_AT if kill.while_sending else kill.share


def _changes(saved: dict[str, Subject], record: Record, recording: Recording) -> list[Change]:
    changes = []
    for step, observation in record.observations.items():
        seen = (FAILED if step.startswith(("imap_auth", "smtp_auth")) else None) if record.is_offline else observation
        if seen is None:
            continue
        subject = saved.setdefault(step, Subject())
        fail_at = record.thresholds.get(step.partition(":")[0], 1)
        subject.see(seen, record.number, fail_at, recording.scenario.success_threshold)
        everybody = frozenset(record.modes)  # whether there is a channel it finds out when it sends
        change = subject.take_change(step, record.number, everybody, reminds=record.is_reminder_due)
        if change and not is_silenced(step, record.silenced):
            changes.append(change)
    return changes

"""What would a naive monitor have told? A model of "save the state, then send once", put through the same histories.

It is given what mailmon has to find out by itself: the same observations and the same thresholds.
"""

from __future__ import annotations

from dataclasses import replace

from tests.faults.language import PERSON_SEES, Sight
from tests.faults.post import letter_of
from tests.faults.records import Message, Played, Record, Told
from tests.faults.truth import Change, Subject, is_silenced

# A run is spent on waiting for servers; a kill at a later share of its length falls behind the save, or the sending.
SAVED_AT, SENT_AT = 0.92, 0.97
FAILED = Sight("failed", "no network")


def play_naive(played: Played) -> tuple[list[Message], list[Record]]:
    """Return what people would have got, and the runs as this monitor went through them."""
    saved: dict[str, Subject] = {}
    messages: list[Message] = []
    records = [replace(record, is_seen=_share(record) >= SAVED_AT) for record in played.records]
    for record in records:
        if record.forgets or record.loses_state:
            saved = {}
        if not record.is_seen or record.disk or record.run.unit:
            continue  # killed before it saved, or the save failed and ended it; or no run at all
        found = _changes(saved, record, played)
        if not found or _share(record) < SENT_AT:
            continue
        letter = letter_of(found)
        told = tuple(Told(step, healths) for step, healths in letter.told.items())
        for channel, mode in record.modes.items():
            # Nobody keeps the second of two runs at once from telling the same.
            copies = (1 + record.run.is_twice) if mode in PERSON_SEES else 0
            messages += [Message(record.number, channel, letter.kind, "", told)] * copies
    return messages, records


def _share(record: Record) -> float:
    """Return how far a run got."""
    kill = record.run.kill
    return 1.0 if kill is None else SAVED_AT if kill.while_sending else kill.share


def _changes(saved: dict[str, Subject], record: Record, played: Played) -> list[Change]:
    changes = []
    for step, sight in record.sights.items():
        seen = (FAILED if step.startswith(("imap_auth", "smtp_auth")) else None) if record.is_blind else sight
        if seen is None:
            continue
        subject = saved.setdefault(step, Subject())
        fail_at = record.thresholds.get(step.partition(":")[0], 1)
        subject.see(seen, record.number, fail_at, played.history.success_threshold)
        everybody = frozenset(record.modes)  # whether there is a channel it finds out when it sends
        change = subject.news(step, record.number, everybody, reminds=record.is_reminder_due)
        if change and not is_silenced(step, record.silenced):
            changes.append(change)
    return changes

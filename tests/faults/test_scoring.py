"""Scoring finds changes that are lost, false or announced twice: a score that finds nothing proves nothing."""

from __future__ import annotations

import pytest

from tests.faults.oracle import Change
from tests.faults.outbox_model import LEFT_OUT
from tests.faults.recorder import Message, StepReport
from tests.faults.scoring import Tally, score_channel, score_kinds

DOWN, UP = Change("s", "down", 1, 1), Change("s", "up", 3, 3)
CAUSE = Change("s", "down", 2, 2, is_cause=True)
FLAPPING = [Change("s", to, number, number) for number, to in enumerate(("down", "up", "down", "up"))]


def message(run: int, *healths: str, acked: bool = True, step: str = "s") -> Message:
    kind = {"down": "problem", "up": "recovery", "degraded": "warning"}[healths[-1]]
    return Message(run, "webhook", kind, "", (StepReport(step, healths),), acked)


@pytest.mark.parametrize(
    ("changes", "messages", "tally"),
    [
        ([DOWN, UP], [message(1, "down"), message(3, "up")], Tally(2, 2)),
        ([DOWN, UP], [message(3, "down", "up")], Tally(2, 2)),
        ([DOWN, UP], [message(2, "down"), message(4, "up")], Tally(2, 2)),
        ([DOWN, UP], [message(1, "down")], Tally(2, 1, lost=1)),
        ([DOWN, UP], [message(3, "up")], Tally(2, 1, lost=1)),
        ([DOWN, UP], [], Tally(2, 0, lost=2)),
        ([], [message(1, "down"), message(2, "up")], Tally(false=2)),
        ([DOWN], [message(0, "down")], Tally(1, 0, lost=1, false=1)),
        ([DOWN], [message(1, "down", step="other")], Tally(1, 0, lost=1, false=1)),
        ([DOWN], [message(1, "down"), message(2, "down")], Tally(1, 1, duplicated=1)),
        ([DOWN], [message(1, "down", acked=False), message(2, "down")], Tally(1, 1, explained=1)),
        ([DOWN, UP], [message(1, "down", acked=False), message(3, "down", "up")], Tally(2, 2, explained=1)),
        ([DOWN, UP], [message(3, "down", "up", acked=False), message(4, "down", "up")], Tally(2, 2, explained=2)),
        ([DOWN, UP], [message(3, "down", "up"), message(4, "down", "up")], Tally(2, 2, duplicated=2)),
        ([DOWN, CAUSE, UP], [message(1, "down"), message(2, "down"), message(3, "up")], Tally(3, 3)),
        ([DOWN, CAUSE, UP], [message(2, "down"), message(3, "up")], Tally(3, 3)),
        ([DOWN, CAUSE, UP], [message(1, "down"), message(3, "up")], Tally(3, 2, lost=1)),
        ([DOWN, CAUSE, UP], [message(1, "down"), message(3, "down", "up")], Tally(3, 3)),
        (FLAPPING, [message(9, "down", LEFT_OUT, LEFT_OUT, "up")], Tally(4, 4)),
        (FLAPPING, [message(9, "down", LEFT_OUT, "up")], Tally(4, 2, lost=2, false=1)),
        (FLAPPING, [message(9, "down", LEFT_OUT, LEFT_OUT, LEFT_OUT, "up")], Tally(4, 2, lost=2, false=3)),
    ],
)
def test_what_is_told_change_by_change_is_judged(changes: list[Change], messages: list[Message], tally: Tally) -> None:
    assert score_channel(changes, messages).tally == tally


@pytest.mark.parametrize(
    ("changes", "messages", "tally"),
    [
        ([DOWN, UP], [message(1, "down"), message(3, "up")], Tally(2, 2)),
        ([DOWN, UP], [message(3, "down", "up")], Tally(2, 2)),
        ([DOWN, UP], [message(1, "down")], Tally(2, 1, lost=1)),
        ([], [message(1, "down")], Tally(false=1)),
        ([DOWN], [message(1, "down"), message(2, "down")], Tally(1, 1, duplicated=1)),
        ([DOWN], [message(1, "down", acked=False), message(2, "down")], Tally(1, 1, explained=1)),
    ],
)
def test_what_is_told_by_kinds_is_judged(changes: list[Change], messages: list[Message], tally: Tally) -> None:
    assert score_kinds(changes, messages).tally == tally

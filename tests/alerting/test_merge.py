"""Merging of changes of a step whose earlier changes have not been delivered yet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mailmon.alerting.outbox import MAX_HISTORY, MAX_NOTES, merge
from mailmon.model import Change, Health, News, Past
from tests.alerting.sequences import QUARTER, START, STATUS_BY_LETTER, STEP, CheckSequence, described, outcome

DOWN, UP, DEGRADED, UNKNOWN = Health.DOWN, Health.UP, Health.DEGRADED, Health.UNKNOWN


def told(*runs: str) -> list[Change]:
    """Return what is told in these runs: a status' letter, with the reply code behind it."""
    sequence = CheckSequence()
    return [
        change for run in runs for change in sequence.step(outcome(STATUS_BY_LETTER[run[0]], code=run[1:] or "535"))
    ]


def merged(changes: Sequence[Change]) -> Change:
    """Merge flips one after the other, as runs do in which nobody takes them."""
    waiting: tuple[Change, ...] = ()
    for change in changes:
        waiting = merge(waiting, [change])
    (only,) = waiting
    assert merge((), changes) == waiting
    return only


@pytest.mark.parametrize(
    ("runs", "words", "history", "lasted"),
    [
        ("of", "up>down", [], (0, 1)),
        ("ofo", "up>up", [(DOWN, 1)], (1, 2)),
        ("ofof", "up>down", [(DOWN, 1), (UP, 2)], (2, 3)),
        ("ofofo", "up>up", [(DOWN, 1), (UP, 2), (DOWN, 3)], (3, 4)),
        ("owf", "up>down", [(DEGRADED, 1)], (1, 2)),
        ("owfwo", "up>up", [(DEGRADED, 1), (DOWN, 2), (DEGRADED, 3)], (3, 4)),
        # that it can be told again is dated from the run that could
        ("ouuuo", "up>up", [(UNKNOWN, 1)], (1, 4)),
        ("ouuuf", "up>down", [(UNKNOWN, 1)], (1, 4)),
        # what fails still began when it began
        ("fuuuf", "new>down", [(DOWN, 0), (UNKNOWN, 1)], (0, 0)),
        ("fuuuo", "new>up", [(DOWN, 0), (UNKNOWN, 1)], (0, 4)),
    ],
)
def test_changes_that_nobody_heard_of_are_told_with_the_last_one(
    runs: str, words: str, history: list[tuple[Health, int]], lasted: tuple[int, int]
) -> None:
    change = merged(told(*runs))
    assert described(change) == words
    assert change.history == tuple(Past(after, START + number * QUARTER) for after, number in history)
    assert (change.since, change.at) == (START + lasted[0] * QUARTER, START + lasted[1] * QUARTER)


def test_a_recovery_still_says_what_it_was() -> None:
    change = merged(told("o", "f", "o"))
    assert (change.reason, change.target) == ("mail.example.org:587: login: 535 5.7.8 no", "mail.example.org:587")


def test_another_cause_of_a_failure_that_nobody_heard_of_is_one_failure_with_both() -> None:
    change = merged(told("o", "f535", "f454"))
    assert (described(change), change.at, change.history) == ("up>down", START + QUARTER, ())
    assert change.causes == ("smtp.login_refused 535", "smtp.login_refused 454")
    assert change.reason == "mail.example.org:587: login: 454 5.7.8 no"


def test_a_recovery_after_another_cause_tells_of_one_failure() -> None:
    change = merged(told("o", "f535", "f454", "o"))
    assert change.history == (Past(DOWN, START + QUARTER),)


def test_another_cause_does_not_swallow_that_it_could_not_be_told_for_a_while() -> None:
    change = merged(told("f535", "u", "u", "u", "f454")[1:])
    assert (change.before, change.after, change.news) == (DOWN, DOWN, News.CHANGE)
    assert (change.since, change.at) == (START, START)
    assert change.history == (Past(UNKNOWN, START + QUARTER),)


@pytest.mark.parametrize(("runs", "history"), [(["f535", "f454", "o"], []), (["f535", "f454", "w"], [])])
def test_another_cause_that_nobody_heard_of_is_no_change_of_its_own(runs: list[str], history: list[Past]) -> None:
    change = merged(told(*runs)[1:])
    assert (change.before, list(change.history), change.more) == (DOWN, history, 0)


def test_a_reminder_that_nobody_heard_is_no_change_of_its_own() -> None:
    reminder = told("f")[0]._replace(news=News.REMINDER, before=DOWN)
    recovery = told("f", "o")[1]
    assert merged([reminder, recovery]) == recovery._replace(since=recovery.since)


def test_reminders_that_nobody_heard_become_one() -> None:
    first = told("f")[0]._replace(news=News.REMINDER, before=DOWN)
    change = merged([first, first, first])
    assert (change.news, change.history, change.more) == (News.REMINDER, (), 0)


def test_a_reminder_of_a_failure_that_nobody_heard_of_is_the_failure() -> None:
    (first,) = told("f")
    assert merged([first, first._replace(news=News.REMINDER, before=DOWN)]).news is News.CHANGE


def test_another_cause_is_no_part_of_a_recovery_that_nobody_heard_of() -> None:
    """A channel for critical failures has not heard of a recovery yet, when another failure becomes critical."""
    failure, recovery, another, cause = told("f535", "o", "f535", "f454")
    assert (another.news, cause.news) == (News.CHANGE, News.CAUSE)
    change = merged([recovery, cause])
    assert (change.before, change.after) == (failure.after, DOWN)
    assert (change.at, change.history) == (another.at, (Past(UP, recovery.at),))


def test_a_flapping_step_has_a_bounded_history_that_keeps_its_beginning() -> None:
    changes = told("o", *["f", "o"] * 30)
    change = merged(changes)
    assert len(change.history) == MAX_HISTORY
    assert len(change.history) + change.more + 1 == len(changes) == 60
    assert change.history[0] == Past(DOWN, START + QUARTER)
    assert change.history[-1] == Past(DOWN, START + 59 * QUARTER)


def test_two_histories_that_were_cut_are_counted_together() -> None:
    changes = told("o", *["f", "o"] * 30)
    (change,) = merge(merge((), changes[:31]), merge((), changes[31:]))
    assert len(change.history) + change.more + 1 == len(changes)


def test_each_step_keeps_its_own_flip_in_the_order_of_the_first() -> None:
    (first,), other = told("f"), told("f")[0]._replace(id="send:main")
    both = merge([first, other], [other._replace(before=DOWN, after=UP), first._replace(before=DOWN, after=UP)])
    assert [(change.id, change.after) for change in both] == [(STEP, UP), ("send:main", UP)]


def test_notes_add_up_and_are_bounded() -> None:
    failure, recovery = told("f", "o")
    notes = tuple(f"the probe of 12:{number:02} is lost" for number in range(MAX_NOTES + 5))
    change = merged([failure._replace(notes=notes[:20]), recovery._replace(notes=notes[15:])])
    assert change.notes == notes[-MAX_NOTES:]


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ((), (), ()),
        (("a",), (), ("a",)),
        (("a",), ("b", "a"), ("a", "b")),
        ((), ("a",), ("a",)),
    ],
)
def test_what_is_merged_is_for_all_who_were_to_hear_of_a_part(
    first: tuple[str, ...], second: tuple[str, ...], both: tuple[str, ...]
) -> None:
    failure, recovery = told("f", "o")
    assert merged([failure._replace(channels=first), recovery._replace(channels=second)]).channels == both


def test_a_merged_story_keeps_the_id_of_its_beginning() -> None:
    failure, recovery = told("f", "o")
    assert (failure.alert, merged([failure, recovery]).alert) == ("run-1", "run-1")


def test_nothing_merges_to_nothing() -> None:
    assert merge((), ()) == ()

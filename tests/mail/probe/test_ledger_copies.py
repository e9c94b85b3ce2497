"""Probes delivered twice, and the ledger in any order of events."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.mail.probe.ledger import Ledger
from mailmon.model import Fate
from tests.mail.probe.test_ledger import HOUR, accepted, fate, next_run, see, sending, words
from tests.mail.samples import OTHER_TOKEN, SENT_AT, TOKEN, probe


def test_a_probe_seen_twice_in_one_run_was_delivered_twice() -> None:
    ledger = sending()
    see(ledger)
    see(ledger)
    assert (fate(ledger), ledger.duplicates("main")) == (Fate.ARRIVED, 1)


def test_a_late_probe_seen_twice_was_delivered_twice() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    see(ledger)
    see(ledger)
    assert (fate(ledger), ledger.duplicates("main"), len(words(ledger))) == (Fate.LATE, 1, 1)


def test_a_second_copy_after_the_wait_is_a_duplicate_and_not_late() -> None:
    ledger = sending()
    see(ledger)
    ledger.stop_waiting(TOKEN)
    see(ledger)
    assert (fate(ledger), ledger.duplicates("main"), words(ledger)) == (Fate.ARRIVED, 1, [])


def test_a_copy_of_a_probe_that_was_cleaned_away_before_is_a_duplicate() -> None:
    ledger = sending()
    see(ledger)
    ledger.removed([TOKEN])
    later = next_run(ledger)
    see(later)
    assert later.duplicates("main") == 1


def test_a_copy_that_could_not_be_deleted_is_no_duplicate_in_the_next_runs() -> None:
    ledger = sending()
    see(ledger)
    for _ in range(3):
        ledger = next_run(ledger)
        see(ledger)
        assert ledger.duplicates("main") == 0


def test_one_more_copy_beside_one_that_could_not_be_deleted_is_a_duplicate() -> None:
    ledger = sending()
    see(ledger)
    later = next_run(ledger)
    see(later)
    see(later)
    assert later.duplicates("main") == 1


def test_copies_that_were_not_looked_for_stay_remembered() -> None:
    ledger = sending()
    see(ledger)
    blind = next_run(ledger)
    later = next_run(blind)
    see(later)
    assert later.duplicates("main") == 0


TOKENS = (TOKEN, OTHER_TOKEN)
WORDS = st.sampled_from(["plan", "accept", "see", "bounce", "stop", "removed", "give_up", "next"])
MOVES = st.lists(st.tuples(WORDS, st.sampled_from(TOKENS)), max_size=25)


def play(moves: Iterable[tuple[str, str]]) -> Ledger:
    ledger = Ledger()
    for move, token in moves:
        if move == "plan" and ledger.probe(token) is None:
            ledger.plan(probe(token))
        elif move == "accept" and ledger.probe(token):
            accepted(ledger, token)
        elif move == "see":
            see(ledger, token)
        elif move == "bounce":
            ledger.bounce(token, at=SENT_AT, reason="550 no")
        elif move == "stop":
            ledger.stop_waiting(token)
        elif move == "removed":
            ledger.removed([token])
        elif move == "give_up":
            ledger.give_up(SENT_AT + HOUR, "main")
        elif move == "next":
            ledger = next_run(ledger)
    return ledger


@settings(deadline=None)
@given(MOVES)
def test_any_order_of_events_leaves_the_ledger_sound(moves: list[tuple[str, str]]) -> None:
    ledger = play(moves)
    for known in ledger.remaining():
        assert (known.settled_at is None) == (known.fate in (Fate.PLANNED, Fate.WAITING))
        assert known.copies_left >= 0
        assert not ledger.is_awaited(known.token) or known.fate is Fate.WAITING

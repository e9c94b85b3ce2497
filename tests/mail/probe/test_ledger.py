"""The fate of every probe: waiting, arrived, late, duplicated, bounced or lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mailmon.mail.probe.ledger import MAX_WAITING, Arrival, Ledger
from mailmon.model import Fate, Probe
from tests.mail.samples import OTHER_TOKEN, SENT_AT, TOKEN, probe

ARRIVAL = Arrival(2.0, 1.9)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def accepted(ledger: Ledger, token: str = TOKEN) -> None:
    ledger.accept(token, at=SENT_AT + timedelta(seconds=1), by="mail.example.org:587", queue_id="4XyZ12abcD")


def sending(*earlier: Probe) -> Ledger:
    """Return the ledger of a run that has planned a probe and had it accepted."""
    ledger = Ledger(earlier)
    ledger.plan(probe())
    accepted(ledger)
    return ledger


def see(ledger: Ledger, token: str = TOKEN, mailbox: str = "main", at: datetime = SENT_AT + 2 * MINUTE) -> None:
    ledger.see(token, mailbox=mailbox, at=at, arrival=ARRIVAL)


def fate(ledger: Ledger, token: str = TOKEN) -> Fate | None:
    known = ledger.probe(token)
    return known.fate if known else None


def words(ledger: Ledger) -> list[tuple[str, str]]:
    """Return the ids and words of the events, without the local time in them."""
    return [(e.finding_id, e.words.split(" ", 6)[-1]) for e in ledger.take_events("main")]


def next_run(ledger: Ledger) -> Ledger:
    return Ledger(ledger.remaining())


def test_a_probe_that_is_seen_has_arrived() -> None:
    ledger = sending()
    see(ledger)
    assert (fate(ledger), ledger.arrival(TOKEN), words(ledger)) == (Fate.ARRIVED, ARRIVAL, [])


def test_a_probe_that_is_seen_before_its_250_was_noted_has_arrived() -> None:
    ledger = Ledger()
    ledger.plan(probe())
    see(ledger)
    accepted(ledger)
    known = ledger.probe(TOKEN)
    assert known is not None
    assert (known.fate, known.accepted_by, known.queue_id) == (Fate.ARRIVED, "mail.example.org:587", "4XyZ12abcD")


def test_the_first_sighting_gives_the_time() -> None:
    ledger = sending()
    see(ledger)
    ledger.see(TOKEN, mailbox="main", at=SENT_AT, arrival=Arrival(9.0, 8.0))
    assert ledger.arrival(TOKEN) == ARRIVAL


def test_a_copy_in_another_mailbox_is_no_arrival() -> None:
    ledger = sending()
    see(ledger, mailbox="other")
    assert (fate(ledger), ledger.duplicates("main")) == (Fate.WAITING, 0)


def test_a_token_that_nobody_planned_is_ignored() -> None:
    ledger = sending()
    see(ledger, OTHER_TOKEN)
    ledger.bounce(OTHER_TOKEN, at=SENT_AT, reason="550 no")
    assert (fate(ledger), fate(ledger, OTHER_TOKEN), ledger.duplicates("main")) == (Fate.WAITING, None, 0)


def test_a_probe_of_an_earlier_run_arrives_late() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    see(ledger, at=SENT_AT + timedelta(seconds=453))
    assert fate(ledger) is Fate.LATE
    assert words(ledger) == [("route.arrived_late", "arrived late, after 7 min 32 s")]


def test_a_probe_that_comes_after_the_wait_of_its_own_run_is_late() -> None:
    ledger = sending()
    ledger.stop_waiting(TOKEN)
    see(ledger)
    assert (fate(ledger), ledger.arrival(TOKEN)) == (Fate.LATE, None)
    assert words(ledger) == [("route.arrived_late", "arrived late, after 1 min 59 s")]


def test_an_event_is_told_once() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    see(ledger)
    assert len(ledger.take_events("main")) == 1
    assert ledger.take_events("main") == ()


def test_a_probe_is_lost_after_a_day() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    ledger.give_up(SENT_AT + DAY + MINUTE, "main")
    assert fate(ledger) is Fate.LOST
    said = "is lost: accepted by mail.example.org:587 as queue id 4XyZ12abcD, not seen for a day"
    assert words(ledger) == [("route.lost", said)]


def test_a_probe_is_not_lost_before_a_day_has_passed() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    ledger.give_up(SENT_AT + DAY - MINUTE, "main")
    assert (fate(ledger), words(ledger)) == (Fate.WAITING, [])


def test_a_probe_is_not_lost_as_long_as_its_mailbox_was_not_read() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    ledger.give_up(SENT_AT + DAY + MINUTE, "another")
    assert (fate(ledger), words(ledger)) == (Fate.WAITING, [])


def test_a_copy_without_our_signature_is_no_duplicate() -> None:
    ledger = Ledger([probe(fate=Fate.ARRIVED)])
    ledger.see(TOKEN, mailbox="main", at=SENT_AT, arrival=Arrival(1.0, 0.0), is_signed=False)
    assert ledger.duplicates("main") == 0


def test_a_server_whose_clock_is_slow_makes_no_delay_of_nothing() -> None:
    ledger = Ledger([probe(fate=Fate.WAITING)])
    see(ledger, at=SENT_AT - HOUR)
    assert words(ledger)[0][1].endswith("arrived late")


def test_a_lost_probe_that_turns_up_after_all_is_late() -> None:
    ledger = Ledger([probe(fate=Fate.LOST)])
    see(ledger, at=SENT_AT + DAY + HOUR + MINUTE)
    assert fate(ledger) is Fate.LATE
    assert words(ledger) == [("route.arrived_late", "arrived late, after 1 d 1 h")]


def test_a_bounce_of_this_runs_probe_is_for_its_own_step_to_tell() -> None:
    ledger = sending()
    ledger.bounce(TOKEN, at=SENT_AT + MINUTE, reason="552 5.2.2 mailbox full")
    known = ledger.probe(TOKEN)
    assert known is not None
    assert (known.fate, known.detail, words(ledger)) == (Fate.BOUNCED, "552 5.2.2 mailbox full", [])


@pytest.mark.parametrize("before", [Fate.WAITING, Fate.LOST])
def test_a_bounce_of_an_earlier_probe_is_told_as_such(before: Fate) -> None:
    ledger = Ledger([probe(fate=before)])
    ledger.bounce(TOKEN, at=SENT_AT + HOUR, reason="5.3.0 error 101")
    assert fate(ledger) is Fate.BOUNCED
    assert words(ledger) == [("route.bounced_late", "bounced: 5.3.0 error 101")]


@pytest.mark.parametrize("settled", [Fate.ARRIVED, Fate.LATE, Fate.BOUNCED])
def test_a_bounce_of_a_settled_probe_changes_nothing(settled: Fate) -> None:
    ledger = Ledger([probe(fate=settled)])
    ledger.bounce(TOKEN, at=SENT_AT + HOUR, reason="550 no")
    assert (fate(ledger), words(ledger)) == (settled, [])


def test_the_planned_probe_of_a_killed_run_is_no_late_arrival() -> None:
    ledger = Ledger([probe()])
    see(ledger)
    assert (fate(ledger), words(ledger), ledger.duplicates("main")) == (Fate.ARRIVED, [], 0)


def test_a_probe_that_was_never_accepted_is_not_remembered() -> None:
    ledger = Ledger()
    ledger.plan(probe())
    assert ledger.remaining() == ()
    assert [known.token for known in ledger.planned()] == [TOKEN]


def test_only_what_a_route_waits_for_must_not_be_deleted() -> None:
    ledger = sending(probe(OTHER_TOKEN, fate=Fate.WAITING))
    assert (ledger.is_awaited(TOKEN), ledger.is_awaited(OTHER_TOKEN), ledger.is_awaited("mm")) == (True, False, False)
    see(ledger)
    assert not ledger.is_awaited(TOKEN)


def test_what_is_outstanding_is_what_earlier_runs_wait_for_newest_first() -> None:
    older = probe("mm" + "1" * 32, fate=Fate.WAITING, age=2 * HOUR)
    ledger = sending(older, probe(OTHER_TOKEN, fate=Fate.WAITING, age=HOUR), probe("mm" + "2" * 32, fate=Fate.ARRIVED))
    assert ledger.outstanding() == (OTHER_TOKEN, older.token)


def test_the_probe_of_a_route_is_found_while_it_is_current() -> None:
    assert sending(probe(OTHER_TOKEN, fate=Fate.WAITING)).current("main").token == TOKEN


def test_settled_probes_are_forgotten_after_two_days() -> None:
    ledger = Ledger([probe(fate=Fate.ARRIVED), probe(OTHER_TOKEN, fate=Fate.LOST)])
    ledger.forget(SENT_AT + 2 * DAY + MINUTE)
    assert ledger.remaining() == ()


def test_what_is_remembered_is_bounded_and_keeps_the_newest() -> None:
    ages = range(MAX_WAITING + 50)
    ledger = Ledger(probe(f"mm{n:032x}", fate=Fate.WAITING, age=n * MINUTE) for n in ages)
    kept = ledger.remaining()
    assert len(kept) == MAX_WAITING
    assert kept[-1].token == f"mm{0:032x}"

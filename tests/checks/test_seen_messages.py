"""Every message is read just once, on servers with correct UIDs and on those where they shift."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailmon.checks.mailbox import MAX_DOUBTFUL, SeenMessages, ends
from mailmon.mail.imapdata import Fetched

LIMIT = 500


def message(uid: int, text: str) -> Fetched:
    return Fetched(uid, uid, text.encode(), None)


def look(judged: SeenMessages, folder: list[str], known: tuple[int, ...] = ()) -> list[str]:
    """Look at a folder on whose server a search finds everything; return what was judged for the first time."""
    found = range(1, len(folder) + 1)
    return [
        folder[uid - 1]
        for uid in judged.candidates(found, known, LIMIT)
        if judged.is_new(message(uid, folder[uid - 1]))
    ]


def test_a_message_is_judged_once_by_its_uid() -> None:
    judged = SeenMessages()
    assert look(judged, ["a", "a", "b"]) == ["b", "a", "a"]  # the newest first; two copies are two messages
    assert look(judged, ["a", "a", "b"]) == []
    assert (look(judged, ["a", "a", "b", "a"]), judged.uids_shift) == (["a"], False)


def test_where_the_newest_is_always_the_first_each_is_still_judged_once() -> None:
    judged = SeenMessages()
    assert look(judged, ["old 2", "old 1"]) == ["old 1", "old 2"]
    assert (look(judged, ["probe", "old 2", "old 1"]), judged.uids_shift) == (["probe"], True)
    assert look(judged, ["next", "probe", "old 2", "old 1"]) == ["next"]


def test_what_a_search_rightly_found_is_not_asked_for_again() -> None:
    judged = SeenMessages()
    look(judged, ["a", "probe"])
    assert judged.candidates([2], [2], LIMIT) == []
    assert judged.candidates([1, 2], [2], LIMIT) == [1]


def test_after_new_numbers_all_is_judged_anew() -> None:
    judged = SeenMessages()
    look(judged, ["a"])
    judged.clear()
    assert look(judged, ["a"]) == ["a"]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=12), st.integers(0, 2000))
def test_every_arrival_is_judged_when_the_next_search_finds_it(arrivals: list[int], old: int) -> None:
    """However many arrive between two searches, and however large the folder is: what is new lies at an end."""
    for grows_in_front in (False, True):
        judged, folder, number = SeenMessages(), [f"old {n}" for n in range(old)], 0
        look(judged, folder)
        for count in arrivals:
            new = [f"new {number + n}" for n in range(count)]
            number += count
            folder = [*new, *folder] if grows_in_front else [*folder, *new]
            seen = look(judged, folder)
            assert set(new) <= set(seen)
            assert not {one for one in seen if one.startswith("new")} - set(new)


@given(st.lists(st.integers(1, 10_000), unique=True), st.integers(1, 50))
def test_both_ends_are_kept(uids: list[int], limit: int) -> None:
    kept = ends(sorted(uids), limit)
    assert len(kept) == min(limit, len(uids))
    assert kept[:1] == sorted(uids)[:1] or limit == 1
    assert kept[-1:] == sorted(uids)[-1:]


def test_little_is_asked_for_again() -> None:
    judged = SeenMessages()
    look(judged, [f"old {n}" for n in range(400)])
    assert len(judged.candidates(range(1, 401), (), LIMIT)) == MAX_DOUBTFUL

"""Figures of the summary: what grew, what shrank, and that everything adds up."""

from __future__ import annotations

import doctest
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from mailmon.bounces import trends
from mailmon.bounces.trends import earlier, rank, summarize
from mailmon.model.bounces import Figures, Trend
from tests.store.bouncelog.samples import NOON

DAY = timedelta(days=1)
counts = st.dictionaries(st.text(max_size=3), st.integers(1, 99), max_size=20)


def test_the_examples_are_true() -> None:
    assert doctest.testmod(trends).failed == 0


def test_the_change_is_told_in_numbers_and_per_cent() -> None:
    assert (Trend("x", 3, 2).change, Trend("x", 3, 2).change_percent) == (1, 50.0)
    assert (Trend("x", 0, 3).change, Trend("x", 0, 3).change_percent) == (-3, -100.0)
    assert Trend("x", 3, 0).change_percent is None


def test_the_period_before_is_as_long() -> None:
    assert earlier(NOON - DAY, NOON) == NOON - 2 * DAY


def test_what_has_come_to_nothing_is_still_told_where_there_is_room() -> None:
    assert rank({}, {"gmail.com": 500}, 10).rows == (Trend("gmail.com", 0, 500),)


@given(counts, counts, st.integers(1, 30))
def test_a_ranking_adds_up_and_is_in_order(now: dict[str, int], before: dict[str, int], top: int) -> None:
    ranking = rank(now, before, top)
    assert len(ranking.rows) == min(top, len({*now, *before}))
    assert sum(row.now for row in ranking.rows) + ranking.others.now == sum(now.values())
    assert sum(row.before for row in ranking.rows) + ranking.others.before == sum(before.values())
    assert [row.now for row in ranking.rows] == sorted((row.now for row in ranking.rows), reverse=True)


def test_all_classes_are_told_also_those_that_brought_nothing() -> None:
    now = Figures(3, {"hard": 2, "delayed": 1}, {"userunknown": 2}, {"example.org": 2}, {"": 2})
    summary = summarize(now, Figures(1, {"soft": 1}), NOON - DAY, NOON, 5)
    assert summary.messages == ("messages", 3, 1)
    assert summary.recipients == ("recipients", 3, 1)
    assert summary.classes == (("hard", 2, 0), ("soft", 0, 1), ("delayed", 1, 0), ("feedback", 0, 0))
    assert summary.remote_mtas.rows == (("", 2, 0),)

"""Values survive the conversion to JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.config.route_options import RouteOptions
from mailmon.model import CheckState, Health
from mailmon.store.state import State
from mailmon.typedjson.convert import build, to_plain

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AWARE = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
WORDS = st.text(max_size=20)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for a type of the state file: each field of each table gets any value."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in PLACES:
        return PLACES[hint]
    if hasattr(hint, "_fields"):
        return st.builds(hint, **{name: values(kind) for name, kind in get_type_hints(hint).items()})
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(WORDS, values(arguments[1]), max_size=2)
    return st.one_of(*map(values, arguments)) if arguments else st.from_type(hint)


PLACES = {str: WORDS, datetime: AWARE, float: st.floats(allow_nan=False)}
# A state with everything in it is large: each of its fields is filled alone.
STATES = st.one_of(
    *(st.builds(State()._replace, **{name: values(hint)}) for name, hint in get_type_hints(State).items())
)


@settings(deadline=None)
@given(STATES)
def test_a_state_comes_back_from_json_as_it_was(state: State) -> None:
    assert build(State, json.loads(json.dumps(to_plain(state)))) == state


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON, "2026-03-01T12:00:00Z"),
        (NOON.replace(microsecond=250_000), "2026-03-01T12:00:00.250000Z"),
        (datetime(2026, 3, 1, 13, 0, tzinfo=timezone(timedelta(hours=1))), "2026-03-01T12:00:00Z"),
    ],
)
def test_times_are_written_in_utc_ending_in_z(at: datetime, text: str) -> None:
    assert to_plain(at) == text


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00", "2026-03-01", "noon", ""])
def test_a_time_without_its_zone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        build(CheckState, {"health": "up", "since": text})


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_utc_cannot_hold_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        build(CheckState, {"health": "up", "since": text})


def test_what_json_lacks_keeps_its_default() -> None:
    assert build(CheckState, {"health": "up", "since": "2026-03-01T12:00:00Z"}) == CheckState(Health.UP, NOON)


def test_what_json_has_too_much_is_left_out() -> None:
    assert build(CheckState, {"health": "up", "since": "2026-03-01T12:00:00Z", "colour": 1}) == CheckState(
        Health.UP, NOON
    )


def test_keys_of_the_file_stand_for_fields_of_another_name() -> None:
    route = build(RouteOptions, {"from": "main", "to": "a@example.org", "in": "other"})
    assert (route.sender, route.to, route.reader) == ("main", "a@example.org", "other")


@pytest.mark.parametrize(
    "raw", [{"health": "splendid", "since": "2026-03-01T12:00:00Z"}, {"health": None, "since": "2026-03-01T12:00:00Z"}]
)
def test_an_unknown_word_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"Health"):
        build(CheckState, raw)

"""State files of other programs, or damaged ones."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.errors import StateError
from mailmon.store.state import MAX_BYTES, State, load, peek, peek_or_empty, save
from tests.store.test_state import NOON, STATE, written


def is_set_aside(path: Path) -> bool:
    """Say whether the state begins anew, with a warning, and the file is kept under another name with all it held."""
    raw = path.read_bytes()
    loaded = load(path, NOON)
    (aside,) = path.parent.glob("state.json.set-aside-20260301T120000Z*")
    assert loaded.warnings[0].endswith(f"set aside as {aside.name}")
    assert loaded.warnings[0].isprintable()
    assert aside.read_bytes() == raw
    aside.unlink()
    return loaded.state == State() and not loaded.is_usable and not path.exists()


@pytest.mark.parametrize("serial", [-1, 2**64, 10**30])
def test_a_serial_that_could_not_grow_is_set_aside(tmp_path: Path, serial: int) -> None:
    written(tmp_path / "state.json", serial=serial)
    assert is_set_aside(tmp_path / "state.json")


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "null",
        "[]",
        "3",
        '"healthy"',
        "{}",
        "\0" * 100,
        "\ufeff{}",
        "not JSON at all",
        '{"schema": "mailmon/state/2"}',
        '{"schema": 1}',
        '{"schema": {"\\u001b[2J": []}}',
        '{"schema": "mailmon/state/1", "checks": []}',
        '{"schema": "mailmon/state/1", "checks": {"a": 1}}',
        '{"schema": "mailmon/state/1", "checks": {"\\u001b[2J": 1}}',
        '{"schema": "mailmon/state/1", "checks": {"\\ud800": 1}}',
        '{"schema": "mailmon/state/1", "checks": {"a": {"health": "splendid", "since": "2026-03-01T12:00:00Z"}}}',
        '{"schema": "mailmon/state/1", "checks": {"a": {"health": "up", "since": "2026-03-01T12:00:00"}}}',
        '{"schema": "mailmon/state/1", "checks": {"a": {"health": "up", "since": 1700000000}}}',
        '{"schema": "mailmon/state/1", "checks": {"a": {"health": "up", "since": "1700000000"}}}',
        '{"schema": "mailmon/state/1", "checks": {"a": {"health": "up", "since": "0001-01-01T00:00:00+05:00"}}}',
        '{"schema": "mailmon/state/1", "checks": {"a": {"health": "up"}}}',
        '{"schema": "mailmon/state/1", "probes": {}}',
        '{"schema": "mailmon/state/1", "probes": [[]]}',
        '{"schema": "mailmon/state/1", "probes": [{"token": 1}]}',
        '{"schema": "mailmon/state/1", "outbox": [{"alert": null, "channel": "ntfy"}]}',
        '{"schema": "mailmon/state/1", "last_run": "yesterday"}',
        '{"schema": "mailmon/state/1", "outbox": [{"runs": NaN}]}',
        '{"schema": "mailmon/state/1", "probes": ' + "9" * 5000 + "}",
        '{"schema": "mailmon/state/1", "digest": 5, "probes": 1}',
        nested(100_000),
        '{"schema": "mailmon/state/1", "checks": ' + nested(500) + "}",
    ],
)  # fmt: skip
def test_a_foreign_or_corrupt_file_is_set_aside(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert is_set_aside(tmp_path / "state.json")


def test_nesting_of_any_depth_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for depth in range(850, 1010):
        path.write_text('{"schema": "mailmon/state/1", "checks": ' + nested(depth) + "}")
        assert load(path, NOON).state == State()


def test_bytes_that_are_no_text_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_bytes(b'{"schema": "\xff\xfe"}')
    assert is_set_aside(tmp_path / "state.json")


def test_a_huge_file_is_set_aside(tmp_path: Path) -> None:
    with (tmp_path / "state.json").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert load(tmp_path / "state.json", NOON).state == State()


def test_a_state_that_was_cut_off_anywhere_is_set_aside(tmp_path: Path) -> None:
    save(tmp_path / "state.json", STATE)
    whole = (tmp_path / "state.json").read_bytes()
    for length in random.Random(1).sample(range(len(whole) - 2), 50):  # the last two are "}" and the line end
        (tmp_path / "state.json").write_bytes(whole[:length])
        assert is_set_aside(tmp_path / "state.json")


def test_what_was_set_aside_in_the_same_second_is_not_overwritten(tmp_path: Path) -> None:
    for content in ("first", "second"):
        (tmp_path / "state.json").write_text(content)
        load(tmp_path / "state.json", NOON)
    assert {path.read_text() for path in tmp_path.iterdir()} == {"first", "second"}


def test_a_dry_run_leaves_a_foreign_file_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("[]")
    loaded = peek_or_empty(tmp_path / "state.json")
    assert (loaded.state, loaded.is_usable) == (State(), False)
    assert loaded.warnings[0].endswith("a real run would set it aside")
    assert (tmp_path / "state.json").read_text() == "[]"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.json").mkdir()
    with pytest.raises(StateError, match=r"state\.json: cannot be read: Is a directory"):
        load(tmp_path / "state.json", NOON)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYS = [*State._fields, "last_status", "last_failure", "digest"]


@settings(deadline=None)
@given(document=JSON | st.dictionaries(st.sampled_from(KEYS), JSON | st.sampled_from(["mailmon/state/1", "unhealthy"])))
def test_any_document_is_read_or_set_aside(tmp_path_factory: pytest.TempPathFactory, document: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "state.json"
    path.write_text(json.dumps(document))
    loaded = load(path, NOON)
    save(path, loaded.state)
    assert peek(path).state == loaded.state


def replaced(node: Any, at: list[int], value: Any) -> Any:
    """Return JSON with the value at a place replaced; `at` picks one member a level, modulo their number."""
    if not at or not isinstance(node, dict | list) or not node:
        return value
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    changed = dict(node) if isinstance(node, dict) else list(node)
    key: Any = keys[at[0] % len(keys)]
    changed[key] = replaced(node[key], at[1:], value)
    return changed


@settings(deadline=None)
@given(at=st.lists(st.integers(0, 15), min_size=1, max_size=4), value=JSON)
def test_a_state_with_any_value_replaced_is_read_or_set_aside(
    tmp_path_factory: pytest.TempPathFactory, at: list[int], value: Any
) -> None:
    path = tmp_path_factory.mktemp("changed") / "state.json"
    path.write_text(json.dumps(replaced(written(path), at, value)))
    loaded = load(path, NOON)
    save(path, loaded.state)
    assert peek(path).state == loaded.state

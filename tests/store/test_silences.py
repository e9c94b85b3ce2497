"""Silences and their file."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailmon.model import Anchor, Silence
from mailmon.store.silences import EARLY, active, read_silences, silences_file, write_silences

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANCHOR = Anchor("boot", 3600.0, NOON)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SILENCE = Silence("main", NOON, NOON + 2 * HOUR, "the disks are exchanged ü")


def test_without_a_file_nothing_is_silent(tmp_path: Path) -> None:
    assert read_silences(tmp_path / "state.json", ANCHOR) == ((), "")


def test_silences_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = (SILENCE, Silence("all", NOON, NOON + HOUR))
    write_silences(tmp_path / "state.json", written, ANCHOR)
    assert read_silences(tmp_path / "state.json", ANCHOR) == (written, "")


def test_silences_are_for_their_owner_only(tmp_path: Path) -> None:
    write_silences(tmp_path / "state.json", [SILENCE], ANCHOR)
    assert stat.S_IMODE(silences_file(tmp_path / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("since_then", "holds"),
    [
        (timedelta(), True),
        (HOUR, True),
        (2 * HOUR - MINUTE, True),
        (2 * HOUR, False),
        (3 * HOUR, False),
        # it began during the run, whose time is that of its start
        (-MINUTE, True),
        (-EARLY, True),
        # the clock was set back: it must not last longer than was meant
        (-HOUR, False),
    ],
)
def test_a_silence_holds_from_its_beginning_to_its_end(since_then: timedelta, holds: bool) -> None:
    assert active([SILENCE], NOON + since_then) == ([SILENCE] if holds else [])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"schema": "mailmon/silences/2", "silences": []}',
        b'{"schema": "mailmon/silences/1", "silences": 5}',
        b'{"schema": "mailmon/silences/1", "silences": [{"name": "x"}]}',
        b'{"schema": "mailmon/silences/1", "silences": [{"name": "x", "since": "noon", "until": "noon"}]}',
        b'{"schema": "mailmon/silences/1", "silences": [{"name": "x", "since": "2026-03-01T12:00:00", "until": "x"}]}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_makes_no_sense_silences_nothing_and_is_told(tmp_path: Path, content: bytes) -> None:
    silences_file(tmp_path / "state.json").write_bytes(content)
    silences, problem = read_silences(tmp_path / "state.json", ANCHOR)
    assert silences == ()
    assert problem.startswith(f"{tmp_path}/state.json.silences: cannot be used (")
    assert problem.endswith("so no silence is active: delete it")


def test_a_directory_in_its_place_silences_nothing_and_is_told(tmp_path: Path) -> None:
    silences_file(tmp_path / "state.json").mkdir()
    assert read_silences(tmp_path / "state.json", ANCHOR)[1]


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("2026-03-01T12:00:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["schema", "silences", "name", "since", "until"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON)
def test_any_document_is_read_or_told(tmp_path: Path, silences: Any) -> None:
    document = {"schema": "mailmon/silences/1", "silences": silences}
    silences_file(tmp_path / "state.json").write_text(json.dumps(document))
    found, problem = read_silences(tmp_path / "state.json", ANCHOR)
    assert not (found and problem)
    assert len(active(found, NOON)) <= len(found)


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "0001-01-01T00:04:00Z"])
def test_a_silence_since_ever_holds(tmp_path: Path, since: str) -> None:
    silence = {"name": "main", "since": since, "until": "9999-12-31T23:59:59Z"}
    document = {"schema": "mailmon/silences/1", "silences": [silence]}
    silences_file(tmp_path / "state.json").write_text(json.dumps(document))
    silences, _ = read_silences(tmp_path / "state.json", ANCHOR)
    assert len(active(silences, NOON)) == 1

"""Bounce logs of earlier versions are migrated; those that cannot be are left as they were."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog.log import TEST_NAME, BounceLog, Reader
from mailmon.store.bouncelog.schema import SCHEMA
from mailmon.store.bouncelog.writing import Position
from mailmon.store.sqlite.schema import migrate, version_of
from tests.store.bouncelog.samples import BOB, INBOX, NOON, RUN, log_file, seen

VERSION_1 = Path(__file__).with_name("v1.sql")


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """Return a state file with a bounce log of layout 1 beside it."""
    connection = sqlite3.connect(log_file(tmp_path / "state.json"))
    connection.executescript(VERSION_1.read_text())
    connection.close()
    return tmp_path / "state.json"


def layout(connection: sqlite3.Connection) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the tables and indexes with their columns, however their text is spaced."""
    names = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
    return [
        (kind, name, tuple(f"{row[1:]}" for row in connection.execute(f"PRAGMA {kind}_info({name})")))
        for kind, name in names.fetchall()
    ]


def test_a_file_of_layout_1_is_taken_over_with_all_it_holds(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        assert log.warnings == ()
        assert log.position("main", "INBOX") == Position(7, 2)
        [recorded] = log.record(INBOX, 3, [seen(3, BOB)], RUN)
        assert recorded.id == 3
        assert version_of(log._connection) == SCHEMA.version
    with Reader(state_file, NOON) as reader:
        rows = list(reader.rows(BounceFilter()))
    assert [(row.id, row.kind, row.address) for row in rows] == [
        (1, "bounce", "bob@example.org"),
        (2, "feedback", ""),
        (3, "bounce", "bob@example.org"),
    ]


@pytest.mark.parametrize("open_it", [BounceLog, Reader])
def test_a_file_of_layout_1_and_of_the_earlier_name_is_taken_over(
    state_file: Path, open_it: type[BounceLog] | type[Reader]
) -> None:
    log_file(state_file).rename(state_file.with_name("history.sqlite"))
    with open_it(state_file, NOON) as log:
        assert log.warnings == ()
        assert log.message(2) is not None
    assert log_file(state_file).exists()
    assert not list(state_file.parent.glob("history*"))


def test_the_log_of_test_mode_has_an_earlier_name_too(tmp_path: Path) -> None:
    with BounceLog(tmp_path / "state.json", NOON, TEST_NAME) as log:
        log.record(INBOX, 1, [seen(1, BOB)], RUN)
    (tmp_path / "bounces-test.sqlite").rename(tmp_path / "history-test.sqlite")
    with BounceLog(tmp_path / "state.json", NOON, TEST_NAME) as log:
        assert log.position("main", "INBOX") == Position(7, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"bounces-test.sqlite", "bounces-test.sqlite.lock"}


def test_a_state_file_of_the_logs_earlier_name_is_not_taken_for_it(tmp_path: Path) -> None:
    state_file = tmp_path / "history.sqlite"
    state_file.write_text("{}")
    BounceLog(state_file, NOON).close()
    assert state_file.read_text() == "{}"
    assert log_file(state_file).name == "bounces.sqlite"


def test_one_who_looks_first_sees_it_too(state_file: Path) -> None:
    with Reader(state_file, NOON) as reader:
        assert len(reader.latest(BounceFilter(), 9)) == 2


def test_a_file_that_was_taken_over_is_laid_out_as_a_new_one(state_file: Path) -> None:
    BounceLog(state_file, NOON).close()
    connection, fresh = sqlite3.connect(log_file(state_file)), sqlite3.connect(":memory:", isolation_level=None)
    migrate(fresh, SCHEMA)
    assert layout(connection) == layout(fresh)
    connection.close()
    fresh.close()


def test_a_migration_is_done_once_and_whole_or_not_at_all(state_file: Path) -> None:
    connection = sqlite3.connect(log_file(state_file), isolation_level=None)
    new = ("CREATE TABLE queue (id INTEGER PRIMARY KEY)", "INSERT INTO queue VALUES (1)")
    good = SCHEMA._replace(migrations=(*SCHEMA.migrations, new))
    bad = good._replace(
        migrations=(*good.migrations, ("INSERT INTO queue VALUES (2)", "INSERT INTO nowhere VALUES (1)"))
    )
    migrate(connection, good)
    migrate(connection, good)
    assert version_of(connection) == SCHEMA.version + 1
    assert connection.execute("SELECT count(*) FROM queue").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        migrate(connection, bad)
    assert version_of(connection) == SCHEMA.version + 1
    assert connection.execute("SELECT count(*) FROM queue").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    connection.close()


def test_what_an_earlier_version_recorded_has_no_evidence(tmp_path: Path) -> None:
    connection = sqlite3.connect(log_file(tmp_path / "state.json"), isolation_level=None)
    connection.executescript(VERSION_1.read_text())
    migrate(connection, SCHEMA._replace(migrations=SCHEMA.migrations[:2]))
    connection.close()
    with BounceLog(tmp_path / "state.json", NOON) as log:
        window = log.window("main", NOON - timedelta(days=9999), ())
    assert window.classes == {}
    assert sum(one.messages for one in window.unverified.classes.values()) == 2
    with Reader(tmp_path / "state.json", NOON) as reader:
        message = reader.message(1)
    assert message is not None
    assert message.evidence == ""


def test_an_earlier_version_refuses_a_newer_file_and_leaves_it_alone(state_file: Path) -> None:
    BounceLog(state_file, NOON).close()
    connection = sqlite3.connect(log_file(state_file), isolation_level=None)
    connection.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
    before = connection.execute("SELECT count(*), max(seen_at) FROM messages").fetchone()
    with pytest.raises(StateError, match="written by a newer mailmon"):
        BounceLog(state_file, NOON)
    with pytest.raises(StateError, match="written by a newer mailmon"):
        Reader(state_file, NOON)
    assert connection.execute("SELECT count(*), max(seen_at) FROM messages").fetchone() == before
    connection.close()

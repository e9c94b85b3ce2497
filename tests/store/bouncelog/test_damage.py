"""Bounce logs that are damaged, of another version, or cannot be written: never a traceback."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog.log import BounceLog, Reader
from mailmon.store.bouncelog.schema import SCHEMA
from mailmon.store.bouncelog.writing import Position
from mailmon.store.sqlite.files import set_aside
from tests.store.bouncelog.samples import BOB, INBOX, NOON, RUN, log_file, seen

TOMORROW = NOON + timedelta(days=1)


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """Return a state file with a bounce log of some size beside it."""
    state_file = tmp_path / "state" / "state.json"
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 300, [seen(uid, BOB) for uid in range(1, 301)], RUN)
    return state_file


def overwrite(path: Path, place: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(data)


def cut(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.truncate(size)


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "text": lambda path: write(path, b"this is no database\n" * 300),
    "first half": lambda path: cut(path, path.stat().st_size // 2),
    "first page": lambda path: cut(path, 4096),
    "header only": lambda path: cut(path, 100),
    "zeroes in front": lambda path: overwrite(path, 0, bytes(4096)),
    "zeroes in the middle": lambda path: overwrite(path, path.stat().st_size // 2 // 4096 * 4096, bytes(8192)),
    "noise in the middle": lambda path: overwrite(path, path.stat().st_size // 3 // 4096 * 4096, b"\xa5" * 8192),
    "noise behind the header": lambda path: overwrite(path, 100, b"\xa5" * 3000),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_set_aside_and_a_new_one_is_begun(state_file: Path, damage: Callable[[Path], None]) -> None:
    path = log_file(state_file)
    damage(path)
    damaged = path.read_bytes()
    with BounceLog(state_file, TOMORROW) as log:
        [warning] = log.warnings
        assert "the database is damaged" in warning
        assert (
            "set aside as bounces.sqlite.set-aside-20260302T120000Z, started a new one: all folders will be read again"
            in warning
        )
        assert log.position("main", "INBOX") is None
        assert log.record(INBOX, 1, [seen(1, BOB)], RUN)[0].is_new
    aside = path.with_name("bounces.sqlite.set-aside-20260302T120000Z")
    assert len(aside.read_bytes()) == len(damaged)
    with BounceLog(state_file, TOMORROW) as log:
        assert log.warnings == ()
        assert log.position("main", "INBOX") == Position(7, 1)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_who_looks_is_told_and_changes_nothing(state_file: Path, damage: Callable[[Path], None]) -> None:
    path = log_file(state_file)
    damage(path)
    damaged = path.read_bytes()
    with suppress(StateError), Reader(state_file, TOMORROW) as reader:  # what is damaged may not be what is asked for
        list(reader.rows(BounceFilter()))
        reader.figures(NOON, TOMORROW)
    assert path.read_bytes() == damaged


def test_after_a_run_that_was_killed_the_file_is_checked_though_it_was_today(state_file: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed" / "state.json"
    killed.parent.mkdir()
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 301, [seen(301, BOB)], RUN)
        for suffix in ("", "-wal"):
            name = log_file(state_file).name + suffix
            (killed.parent / name).write_bytes((state_file.parent / name).read_bytes())
    path = log_file(killed)
    overwrite(path, path.stat().st_size // 3 // 4096 * 4096, b"\xa5" * 8192)
    with BounceLog(killed, NOON) as log:
        assert "set aside" in log.warnings[0]


def test_a_log_goes_with_the_file_that_it_belongs_to(state_file: Path) -> None:
    path = log_file(state_file)
    path.write_bytes(b"noise " * 900)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).write_bytes(b"log")
    name = set_aside(path, NOON)
    assert name == "bounces.sqlite.set-aside-20260301T120000Z"
    left = {one.name for one in path.parent.iterdir()}
    assert left == {"bounces.sqlite.lock", name, f"{name}-wal", f"{name}-shm"}


def test_two_damaged_files_of_the_same_second_are_both_kept(state_file: Path) -> None:
    for content in (b"first " * 900, b"second " * 900):
        log_file(state_file).write_bytes(content)
        BounceLog(state_file, TOMORROW).close()
    kept = sorted(state_file.parent.glob("*.set-aside-*"))
    assert [path.read_bytes()[:6] for path in kept] == [b"first ", b"second"]


@pytest.mark.parametrize("content", [b"", b"x"])
def test_a_file_of_which_nothing_is_left_is_begun_anew_and_that_is_said(state_file: Path, content: bytes) -> None:
    log_file(state_file).write_bytes(content)
    with BounceLog(state_file, NOON) as log:
        assert log.warnings == (
            f"{log_file(state_file)}: the file was empty; started a new one: all folders will be read again",
        )
        assert log.position("main", "INBOX") is None


def test_damage_that_is_found_on_the_way_ends_the_run_and_the_next_one_begins_anew(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log._connection.execute("PRAGMA cache_size = 0")
        overwrite(log_file(state_file), 4096, b"\xa5" * (log_file(state_file).stat().st_size - 4096))
        with pytest.raises(StateError, match=r"damaged.*; set aside as bounces\.sqlite\.set-aside-20260301T120000Z"):
            log.record(INBOX, 400, [seen(number, BOB) for number in range(301, 400)], RUN)
        with pytest.raises(StateError):
            log.record(INBOX, 500, [], RUN)
    with BounceLog(state_file, NOON) as log:
        assert log.position("main", "INBOX") is None
        assert log.warnings == ()


def test_a_log_that_a_killed_run_left_is_used_and_one_of_noise_is_not(state_file: Path) -> None:
    path = log_file(state_file)
    path.with_name("bounces.sqlite-wal").write_bytes(b"\xa5" * 100_000)
    with BounceLog(state_file, NOON) as log:
        assert log.warnings == ()
        assert log.position("main", "INBOX") == Position(7, 300)


@pytest.mark.parametrize("open_it", [BounceLog, Reader])
def test_a_file_of_a_newer_mailmon_is_refused_and_left_alone(
    state_file: Path, open_it: type[BounceLog] | type[Reader]
) -> None:
    with sqlite3.connect(log_file(state_file)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
    connection.close()
    before = log_file(state_file).read_bytes()
    with pytest.raises(
        StateError, match=rf"newer mailmon \(layout {SCHEMA.version + 1}; this one knows {SCHEMA.version}\)"
    ):
        open_it(state_file, TOMORROW)
    assert log_file(state_file).read_bytes() == before


@pytest.mark.parametrize("open_it", [BounceLog, Reader])
def test_somebody_elses_database_is_refused_and_left_alone(
    state_file: Path, open_it: type[BounceLog] | type[Reader]
) -> None:
    log_file(state_file).unlink()
    with sqlite3.connect(log_file(state_file)) as connection:
        connection.execute("CREATE TABLE precious (x)")
    connection.close()
    with pytest.raises(StateError, match="a database of another program"):
        open_it(state_file, TOMORROW)
    with sqlite3.connect(log_file(state_file)) as connection:
        assert connection.execute("SELECT count(*) FROM precious").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("open_it", [BounceLog, Reader])
@pytest.mark.parametrize("what", ["directory", "pipe", "link"])
def test_what_is_no_regular_file_is_refused(
    state_file: Path, open_it: type[BounceLog] | type[Reader], what: str, tmp_path: Path
) -> None:
    path = log_file(state_file)
    path.rename(tmp_path / "elsewhere")
    if what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="not a regular file"):
        open_it(state_file, NOON)


def test_contents_that_make_no_sense_are_a_clear_error(state_file: Path) -> None:
    with sqlite3.connect(log_file(state_file)) as connection:
        connection.execute("UPDATE messages SET original_to = 'nonsense', received_at = 'yesterday'")
    connection.close()
    with Reader(state_file, NOON) as reader, pytest.raises(StateError, match="invalid contents"):
        list(reader.rows(BounceFilter()))

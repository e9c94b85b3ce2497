"""The SQLite engine with a toy schema: migrated, checked, set aside, locked and pruned; full disks and kills."""

from __future__ import annotations

import signal
import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from mailmon.errors import LockHeldError, StateError
from mailmon.store.sqlite.database import Database, ReadOnlyDatabase
from mailmon.store.sqlite.files import DatabaseFile
from mailmon.store.sqlite.schema import version_of
from tests.store.disk import fill, small_disk
from tests.store.sqlite.toy import NOON, TOY, TOY_1, count_notes, names_in, start, write_notes

TOMORROW = NOON + timedelta(days=1)
OPENINGS = [Database, ReadOnlyDatabase]


@pytest.fixture
def file(tmp_path: Path) -> DatabaseFile:
    """Return a database of version 1 with 300 notes."""
    file = DatabaseFile(tmp_path / "state" / "toy.sqlite")
    with Database(file, TOY_1, NOON) as database:
        write_notes(database, 300)
    return file


@pytest.mark.parametrize("open_it", OPENINGS)
def test_a_file_of_version_1_is_migrated_by_whoever_opens_it(
    file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase]
) -> None:
    with open_it(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (300, ())
        assert database.connection is not None
        assert version_of(database.connection) == 2
        assert database.connection.execute("SELECT count(*) FROM tags").fetchone() == (300,)


@pytest.mark.parametrize("open_it", OPENINGS)
def test_a_file_of_a_newer_version_is_refused_and_left_alone(
    file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase]
) -> None:
    Database(file, TOY, NOON).close()
    before = file.path.read_bytes()
    with pytest.raises(StateError, match=r"written by a newer mailmon \(layout 2; this one knows 1\)"):
        open_it(file, TOY_1, TOMORROW)
    assert file.path.read_bytes() == before


@pytest.mark.parametrize("open_it", OPENINGS)
def test_a_database_of_another_kind_is_refused(
    file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase]
) -> None:
    with pytest.raises(StateError, match="a database of another program"):
        open_it(file, TOY_1._replace(application_id=1), NOON)


# Tags get slow: a second and more, so that it is killed in the middle.
SLOW = """
import sys
from pathlib import Path
from mailmon.store.sqlite.database import Database
from mailmon.store.sqlite.files import DatabaseFile
from tests.store.sqlite.toy import NOON, TOY
numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000000)"
many = numbers + " INSERT INTO tags SELECT 1, i FROM n"
slow = (TOY.migrations[1][0], "DELETE FROM notes WHERE id > 10", many)
print("ready", flush=True)
Database(DatabaseFile(Path(sys.argv[1])), TOY._replace(migrations=(TOY.migrations[0], slow)), NOON)
"""


def test_a_migration_that_is_killed_leaves_the_file_and_the_next_run_repeats_it(file: DatabaseFile) -> None:
    process = start(SLOW, file.path)
    log = file.path.with_name("toy.sqlite-wal")
    until_s = time.monotonic() + 30
    while not (log.exists() and log.stat().st_size > 1_000_000):  # the pages that do not fit into the cache
        assert time.monotonic() < until_s
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with Database(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (300, ())
        assert database.connection.execute("SELECT count(*) FROM tags").fetchone() == (300,)


@pytest.mark.parametrize("damage", [b"no database " * 900, b""], ids=["noise", "empty"])
def test_a_damaged_or_empty_file_is_replaced_and_a_warning_says_what_is_lost(file: DatabaseFile, damage: bytes) -> None:
    file.path.write_bytes(damage)
    with Database(file, TOY, TOMORROW) as database:
        assert count_notes(database) == 0
        [warning] = database.warnings
    assert warning.endswith("started a new one: notes are lost")
    aside = {"toy.sqlite.set-aside-20260302T120000Z"} if damage else set()
    assert names_in(file.path.parent) == {"toy.sqlite", "toy.sqlite.lock", *aside}


@pytest.mark.parametrize("name", ["tags", "meta"])
def test_a_file_without_one_of_its_tables_is_damaged(file: DatabaseFile, name: str) -> None:
    Database(file, TOY, NOON).close()
    with sqlite3.connect(file.path) as connection:
        connection.execute(f"DROP TABLE {name}")
    connection.close()
    with pytest.raises(StateError, match=f"damaged: no table {name}"):
        ReadOnlyDatabase(file, TOY, NOON)
    with Database(file, TOY, NOON) as database:
        [warning] = database.warnings
    assert "set aside as toy.sqlite.set-aside-20260301T120000Z" in warning


def test_damage_that_shows_on_the_way_ends_the_run_and_the_next_one_starts_anew(file: DatabaseFile) -> None:
    with Database(file, TOY, NOON) as database:
        database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        database.connection.execute("PRAGMA cache_size = 0")
        with file.path.open("r+b") as raw:
            raw.seek(4096)
            raw.write(b"\xa5" * (file.path.stat().st_size - 4096))
        with pytest.raises(StateError, match=r"damaged.*; set aside as toy\.sqlite\.set-aside-20260301T120000Z"):
            write_notes(database, 50)
    with Database(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (0, ())


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        file = DatabaseFile(disk / "toy.sqlite")
        with Database(file, TOY, NOON) as database:
            write_notes(database, 3)
            ballast = fill(disk)
            with pytest.raises(StateError, match=r"toy\.sqlite: .*(full|disk)") as caught:
                write_notes(database, 2000)
            assert caught.value.exit_code == 74
            assert count_notes(database) == 3
            ballast.unlink()
            write_notes(database, 1)
        with ReadOnlyDatabase(file, TOY, NOON) as reader:
            assert count_notes(reader) == 4


HOLDER = """
import sys
from pathlib import Path
from mailmon.store.sqlite.files import UseLock
lock = UseLock(Path(sys.argv[1]))
assert lock.take(alone=True)
print("ready", flush=True)
sys.stdin.readline()
"""


def test_a_lock_of_another_process_is_waited_for_and_ends_with_that_process(file: DatabaseFile) -> None:
    Database(file, TOY, NOON).close()
    process = start(HOLDER, file.path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    with pytest.raises(LockHeldError, match=f"another process holds {file.path}") as caught:
        Database(file, TOY, NOON, wait_s=0.2)
    assert caught.value.exit_code == 75
    with ReadOnlyDatabase(file, TOY, NOON) as reader:
        assert count_notes(reader) == 300, "readers never wait"
    process.kill()
    process.communicate()
    with Database(file, TOY, NOON) as database:
        assert count_notes(database) == 300


def test_old_rows_are_deleted_with_what_belongs_to_them_a_bounded_number_per_run(file: DatabaseFile) -> None:
    with Database(file, TOY, TOMORROW) as database:
        write_notes(database, 5, TOMORROW)
        assert database.prune(1) == 0, "not older than a day"
    with Database(file, TOY, TOMORROW + timedelta(seconds=1)) as database:
        assert (database.prune(1, limit=200), database.prune(1), database.prune(1)) == (200, 100, 0)
        assert count_notes(database) == 5
        assert database.connection.execute("SELECT count(*) FROM tags").fetchone() == (0,)
        assert database.connection.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert database.prune(10**9) == 0


def test_a_schema_without_expiry_keeps_everything(file: DatabaseFile) -> None:
    with Database(file, TOY._replace(expiry=None), NOON + timedelta(days=9999)) as database:
        assert database.prune(1) == 0
        assert count_notes(database) == 300

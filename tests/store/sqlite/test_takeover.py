"""Files of an earlier name: renamed once, whole, whoever comes first and whatever happens on the way."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mailmon.errors import LockHeldError, StateError
from mailmon.store.sqlite.database import Database, ReadOnlyDatabase
from mailmon.store.sqlite.files import DatabaseFile, UseLock
from tests.store.disk import as_nobody, remount, small_disk
from tests.store.sqlite.toy import (
    NOON,
    TOY,
    TOY_1,
    count_notes,
    in_directory,
    make_killed,
    make_old,
    names_in,
    start,
    write_notes,
)

KILLS = int(os.environ.get("MAILMON_KILLS", "12"))
NEW = {"toy.sqlite", "toy.sqlite.lock"}
OPENINGS = [Database, ReadOnlyDatabase]


@pytest.fixture
def file(tmp_path: Path) -> DatabaseFile:
    """Return the place of a database that lies under its earlier name, with 50 notes."""
    (tmp_path / "state").mkdir()
    file = in_directory(tmp_path / "state")
    make_old(file)
    return file


@pytest.mark.parametrize("open_it", OPENINGS)
def test_whoever_comes_first_renames_it(file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase]) -> None:
    with open_it(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (50, ())
    assert names_in(file.path.parent) == NEW
    with open_it(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (50, ())


@pytest.mark.parametrize("open_it", OPENINGS)
def test_what_a_killed_run_left_in_the_log_comes_along_and_is_migrated(
    tmp_path: Path, open_it: type[Database] | type[ReadOnlyDatabase]
) -> None:
    file = in_directory(tmp_path / "state")
    file.path.parent.mkdir()
    make_killed(file, tmp_path / "elsewhere")
    with open_it(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (50, ())
        assert database.connection is not None
        assert database.connection.execute("SELECT count(*) FROM tags").fetchone() == (50,)
    assert names_in(file.path.parent) == NEW


def test_locks_of_the_earlier_name_are_removed(file: DatabaseFile) -> None:
    (file.path.parent / "old.sqlite.scan-main.lock").touch()
    (file.path.parent / "other.lock").touch()
    Database(file, TOY, NOON).close()
    assert names_in(file.path.parent) == {*NEW, "other.lock"}
    (file.path.parent / "old.sqlite.lock").touch()  # killed before it was removed
    Database(file, TOY, NOON).close()
    assert names_in(file.path.parent) == {*NEW, "other.lock"}


@pytest.mark.parametrize("open_it", OPENINGS)
def test_of_two_files_the_new_one_is_used_and_a_warning_names_the_other(
    file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase]
) -> None:
    with Database(DatabaseFile(file.path), TOY, NOON) as database:
        write_notes(database, 3)
    with open_it(file, TOY, NOON) as database:
        assert count_notes(database) == 3
        assert database.warnings == (
            f"{file.earlier}: ignored because toy.sqlite exists; delete it if it is not needed",
        )
    assert names_in(file.path.parent) == {*NEW, "old.sqlite", "old.sqlite.lock"}


@pytest.mark.parametrize("open_it", OPENINGS)
def test_without_either_nothing_is_taken_over(tmp_path: Path, open_it: type[Database] | type[ReadOnlyDatabase]) -> None:
    with open_it(in_directory(tmp_path), TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (0, ())
    assert "old.sqlite" not in names_in(tmp_path)


PROGRAM = """
import sys
from pathlib import Path
from mailmon.store.sqlite.database import Database, ReadOnlyDatabase
from tests.store.sqlite.toy import NOON, TOY, count_notes, in_directory
kind = {"write": Database, "read": ReadOnlyDatabase}[sys.argv[2]]
print("ready", flush=True)
sys.stdin.readline()
with kind(in_directory(Path(sys.argv[1])), TOY, NOON) as database:
    print(count_notes(database), *database.warnings, flush=True)
"""


def test_of_processes_that_start_at_once_one_renames_it_and_all_find_all(tmp_path: Path) -> None:
    file = in_directory(tmp_path / "state")
    file.path.parent.mkdir()
    make_killed(file, tmp_path / "elsewhere")
    processes = [start(PROGRAM, file.path.parent, kind) for kind in ("write", "read", "write", "read")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process, kind in zip(processes, ("write", "read", "write", "read"), strict=True):
        said, errors = process.communicate(timeout=60)
        assert errors == ""
        assert said.split()[0] == "50"
        if kind == "write":
            assert said == "50\n"
    assert names_in(file.path.parent) == NEW


# Kills itself at the so-many-th thing that Python does with the database's files, or later than all of them.
KILLED = """
import os, signal, sys
from pathlib import Path
from mailmon.store.sqlite.database import Database
from tests.store.sqlite.toy import NOON, TOY, count_notes, in_directory
left = int(sys.argv[2])
def count(event, arguments):
    global left
    is_step = event in ("os.rename", "os.remove", "os.scandir", "sqlite3.connect", "fcntl.flock")
    if is_step or (event == "open" and ".sqlite" in str(arguments[0])):
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
Database(in_directory(Path(sys.argv[1])), TOY, NOON).close()
print("done", flush=True)
"""


def test_killed_between_any_two_steps_it_is_there_once_and_whole(tmp_path: Path) -> None:
    for step in range(1, 30):
        file = in_directory(tmp_path / f"state-{step}")
        file.path.parent.mkdir()
        make_killed(file, tmp_path / f"elsewhere-{step}")
        said, errors = start(KILLED, file.path.parent, step).communicate(timeout=60)
        assert errors == ""
        with Database(file, TOY, NOON) as database:
            assert (count_notes(database), database.warnings) == (50, ())
        assert names_in(file.path.parent) == NEW
        if said:
            break
    assert said, f"the last one, after {step} steps, was not killed"
    assert step > 10


def test_killed_at_any_time_it_is_there_once_and_whole(tmp_path: Path) -> None:
    moments = random.Random(20260301)
    for turn in range(KILLS):
        file = in_directory(tmp_path / f"state-{turn}")
        file.path.parent.mkdir()
        make_old(file, 2000, TOY_1)
        process = start(PROGRAM, file.path.parent, "write")
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(moments.random() * 0.06)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with ReadOnlyDatabase(file, TOY, NOON) as database:
            assert (count_notes(database), database.warnings) == (2000, ())
        assert names_in(file.path.parent) == NEW


def test_on_a_read_only_disk_it_is_read_where_it_lies(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        file = in_directory(disk)
        make_old(file)
        remount(disk, "ro")
        with ReadOnlyDatabase(file, TOY, NOON) as database:
            assert count_notes(database) == 50
            assert database.warnings == (
                f"{file.earlier}: read under its old name: it could not be renamed to toy.sqlite",
            )
        with pytest.raises(StateError, match="Read-only file system"):
            Database(file, TOY, NOON)


def test_who_may_not_write_the_directory_reads_it_where_it_lies(file: DatabaseFile) -> None:
    file.path.parent.chmod(0o755)
    assert file.earlier is not None
    os.chown(file.earlier, 65534, -1)
    with as_nobody(file.path.parent), ReadOnlyDatabase(file, TOY, NOON) as database:
        assert count_notes(database) == 50
        assert "read under its old name" in database.warnings[0]
    assert names_in(file.path.parent) == {"old.sqlite", "old.sqlite.lock"}


def hold_lock(file: DatabaseFile) -> Callable[[], None]:
    """Use the file of the earlier name as a scan of an earlier version does."""
    assert file.earlier is not None
    lock = UseLock(file.earlier)
    assert lock.take(alone=False)
    return lock.release


def hold_connection(file: DatabaseFile) -> Callable[[], None]:
    """Read the file of the earlier name as an earlier version does, which takes no lock of ours."""
    assert file.earlier is not None
    connection = sqlite3.connect(file.earlier, isolation_level=None, check_same_thread=False)
    connection.execute("SELECT count(*) FROM notes").fetchone()
    return connection.close


@pytest.mark.parametrize("hold", [hold_lock, hold_connection])
def test_while_an_earlier_version_uses_the_file_writers_wait_and_readers_read(
    file: DatabaseFile, hold: Callable[[DatabaseFile], Callable[[], None]]
) -> None:
    let_go = hold(file)
    with pytest.raises(LockHeldError, match=f"another process holds {file.earlier}"):
        Database(file, TOY, NOON, wait_s=0.2)
    with ReadOnlyDatabase(file, TOY, NOON) as reader:
        assert count_notes(reader) == 50
        assert "read under its old name" in reader.warnings[0]
    threading.Timer(0.3, let_go).start()
    with Database(file, TOY, NOON) as database:
        assert (count_notes(database), database.warnings) == (50, ())


def test_a_damaged_one_is_set_aside_by_a_writer_and_left_alone_by_a_reader(file: DatabaseFile) -> None:
    assert file.earlier is not None
    file.earlier.write_bytes(b"noise " * 2000)
    with pytest.raises(StateError, match=r"old\.sqlite: the database is damaged") as caught:
        ReadOnlyDatabase(file, TOY, NOON)
    assert caught.value.advice == "The next run that writes to it sets it aside and starts a new one."
    assert file.earlier.read_bytes() == b"noise " * 2000
    with Database(file, TOY, NOON) as database:
        [warning] = database.warnings
    assert warning.endswith("; set aside as old.sqlite.set-aside-20260301T120000Z, started a new one: notes are lost")
    assert names_in(file.path.parent) == {*NEW, "old.sqlite.set-aside-20260301T120000Z"}


def test_a_database_of_another_program_is_left_alone(file: DatabaseFile) -> None:
    assert file.earlier is not None
    file.earlier.unlink()
    connection = sqlite3.connect(file.earlier)
    connection.execute("CREATE TABLE precious (x)")
    connection.close()
    before = file.earlier.read_bytes()
    with ReadOnlyDatabase(file, TOY, NOON) as database:
        assert database.connection is None
    with Database(file, TOY, NOON) as database:
        assert (count_notes(database), len(database.warnings)) == (0, 1)
    assert file.earlier.read_bytes() == before


@pytest.mark.parametrize("open_it", OPENINGS)
def test_one_of_a_newer_version_is_refused_and_left_alone(
    file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase]
) -> None:
    with pytest.raises(StateError, match=r"old\.sqlite: written by a newer mailmon"):
        open_it(file, TOY_1, NOON)
    assert "toy.sqlite" not in names_in(file.path.parent)


@pytest.mark.parametrize("open_it", OPENINGS)
@pytest.mark.parametrize("what", ["directory", "pipe", "link"])
def test_what_is_no_regular_file_is_refused(
    file: DatabaseFile, open_it: type[Database] | type[ReadOnlyDatabase], what: str, tmp_path: Path
) -> None:
    assert file.earlier is not None
    file.earlier.rename(tmp_path / "elsewhere")
    if what == "directory":
        file.earlier.mkdir()
    elif what == "pipe":
        os.mkfifo(file.earlier)
    else:
        file.earlier.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError, match="not a regular file"):
        open_it(file, TOY, NOON)

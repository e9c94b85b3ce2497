"""The bounce log's files: owner, cost, and waiting for locks."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter, BounceRow
from mailmon.store.bouncelog.log import BounceLog, Reader
from tests.store.bouncelog.samples import BOB, HOUR, INBOX, NOON, RUN, log_file, seen

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.json"


def rows_of(state_file: Path) -> list[BounceRow]:
    with Reader(state_file, NOON) as reader:
        return list(reader.rows(BounceFilter()))


def test_nothing_is_there_before_the_first_scan_and_looking_makes_nothing(state_file: Path) -> None:
    assert rows_of(state_file) == []
    with Reader(state_file, NOON) as reader:
        assert reader.latest(BounceFilter(), 5) == []
        assert reader.message(1) is None
        assert reader.figures(NOON - HOUR, NOON).messages == 0
    assert not state_file.parent.exists()


def test_the_files_are_for_their_owner_only(state_file: Path) -> None:
    umask = os.umask(0)
    try:
        with BounceLog(state_file, NOON) as log:
            log.record(INBOX, 1, [seen(1, BOB)], RUN)
            files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state_file.parent.iterdir()}
    finally:
        os.umask(umask)
    names = {f"bounces.sqlite{suffix}" for suffix in ("", "-wal", "-shm", ".lock")}
    assert files == dict.fromkeys(names, 0o600)
    assert {path.name for path in state_file.parent.iterdir()} == {"bounces.sqlite", "bounces.sqlite.lock"}


@as_root
def test_root_opens_no_database_where_another_user_can_put_a_journal_beside_it(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(StateError, match="not opened as root, because another user can change"):
        BounceLog(tmp_path / "state.json", NOON)
    assert list(tmp_path.iterdir()) == []
    log_file(tmp_path / "state.json").touch()
    with pytest.raises(StateError, match="not opened as root, because another user can change"):
        Reader(tmp_path / "state.json", NOON)


@as_root
@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("open_it", [BounceLog, Reader])
def test_root_opens_no_database_that_another_user_has_put_into_a_shared_directory(
    tmp_path: Path, suffix: str, open_it: type[BounceLog] | type[Reader]
) -> None:
    tmp_path.chmod(0o1777)
    with BounceLog(tmp_path / "state.json", NOON) as log:
        log.record(INBOX, 1, [seen(1, BOB)], RUN)
    planted = tmp_path / f"bounces.sqlite{suffix}"
    planted.touch()
    os.chown(planted, 65534, 65534)
    with pytest.raises(StateError, match=f"{planted}: it does not belong to root"):
        open_it(tmp_path / "state.json", NOON)


@pytest.mark.parametrize("suffix", ["", "-wal", "-journal"])
def test_a_database_with_another_name_is_not_opened(tmp_path: Path, suffix: str) -> None:
    with BounceLog(tmp_path / "state.json", NOON) as log:
        log.record(INBOX, 1, [seen(1, BOB)], RUN)
    planted = tmp_path / f"bounces.sqlite{suffix}"
    planted.touch()
    os.link(planted, tmp_path / "another")
    with pytest.raises(StateError, match="it has a second hard link"):
        Reader(tmp_path / "state.json", NOON)


def test_what_is_committed_is_synced(state_file: Path) -> None:
    """A message may be moved once it is recorded: a power failure must not take the record back."""
    with BounceLog(state_file, NOON) as log:
        ask = log._connection.execute
        assert ask("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ask("PRAGMA synchronous").fetchone() == (2,)
        assert ask("PRAGMA foreign_keys").fetchone() == (1,)
        assert ask("PRAGMA auto_vacuum").fetchone() == (2,)


def test_one_who_looks_is_not_kept_waiting_by_a_scan(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 1, [seen(1, BOB)], RUN)
        log._connection.execute("BEGIN IMMEDIATE")
        assert len(rows_of(state_file)) == 1
        log._connection.execute("ROLLBACK")


def test_times_of_all_years_are_kept_in_order(state_file: Path) -> None:
    years = [datetime(1, 1, 1, tzinfo=UTC), datetime(900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)]
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 3, [seen(n, BOB)._replace(received_at=at) for n, at in enumerate(years, 1)], RUN)
    assert [row.received_at for row in rows_of(state_file)] == years


def test_a_check_that_has_nothing_to_do_with_bounces_does_not_load_sqlite() -> None:
    loaded = "mailmon.cli.check, mailmon.cli.bounces.log, mailmon.store.bouncelog, mailmon.store.sqlite"
    program = f"import sys, {loaded}; print('sqlite3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"False\n"


def test_the_file_can_be_looked_into_by_hand(state_file: Path) -> None:
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 1, [seen(1, BOB)], RUN)
    with sqlite3.connect(log_file(state_file)) as connection:
        query = "SELECT address, received_at FROM recipients r JOIN messages m ON m.id = r.message_id"
        assert connection.execute(query).fetchall() == [("bob@example.org", "2026-03-01T11:00:00.000Z")]
    connection.close()

"""The bounce log on a full disk: a clear error, and what was recorded stays."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog.log import BounceLog, Reader
from mailmon.store.bouncelog.writing import Position
from tests.store.bouncelog.samples import BOB, INBOX, NOON, RUN, log_file, seen
from tests.store.disk import as_nobody, fill, remount, small_disk


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """Return a state file with a bounce log of some size beside it."""
    state_file = tmp_path / "state" / "state.json"
    with BounceLog(state_file, NOON) as log:
        log.record(INBOX, 300, [seen(uid, BOB) for uid in range(1, 301)], RUN)
    return state_file


def test_a_directory_that_cannot_be_written_is_a_clear_error_and_can_be_looked_into(state_file: Path) -> None:
    os.chown(log_file(state_file), 65534, -1)
    state_file.parent.chmod(0o755)
    with as_nobody(state_file.parent):
        with pytest.raises(StateError, match=r"bounces\.sqlite\.lock: cannot be opened: Permission denied") as caught:
            BounceLog(state_file, NOON)
        assert caught.value.exit_code == 74
        with Reader(state_file, NOON) as reader:
            assert len(list(reader.rows(BounceFilter()))) == 300


def test_who_may_not_read_the_file_is_told_so(state_file: Path) -> None:
    state_file.parent.chmod(0o755)
    with as_nobody(state_file.parent), pytest.raises(StateError, match=r"bounces\.sqlite: cannot be read: Permission"):
        Reader(state_file, NOON)


def test_who_may_not_look_into_the_directory_is_told_so(state_file: Path) -> None:
    with as_nobody(state_file.parent), pytest.raises(StateError, match="Permission denied"):
        Reader(state_file, NOON)


def test_a_read_only_disk_is_a_clear_error_and_can_be_looked_into(tmp_path: Path, state_file: Path) -> None:
    with small_disk(tmp_path) as disk:
        shutil.copy(log_file(state_file), disk)
        remount(disk, "ro")
        with pytest.raises(StateError, match="Read-only file system") as caught:
            BounceLog(disk / "state.json", NOON)
        assert caught.value.exit_code == 74
        with Reader(disk / "state.json", NOON) as reader:
            assert len(list(reader.rows(BounceFilter()))) == 300


def test_a_disk_that_becomes_full_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk / "state.json"
        with BounceLog(path, NOON) as log:
            log.record(INBOX, 1, [seen(1, BOB)], RUN)
            ballast = fill(disk)
            with pytest.raises(StateError, match=r"bounces\.sqlite: .*(full|disk)") as caught:
                log.record(INBOX, 900, [seen(uid, BOB) for uid in range(2, 900)], RUN)
            assert caught.value.exit_code == 74
            assert log.position("main", "INBOX") == Position(7, 1)
            ballast.unlink()
            assert log.record(INBOX, 2, [seen(2, BOB)], RUN)[0].is_new
        with Reader(path, NOON) as reader:
            assert len(list(reader.rows(BounceFilter()))) == 2


def test_a_full_disk_before_the_first_scan_is_a_clear_error(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        fill(disk)
        with pytest.raises(StateError):
            BounceLog(disk / "state.json", NOON)

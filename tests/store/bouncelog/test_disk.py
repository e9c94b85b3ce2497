"""What becomes of the history where nothing can be written? A clear error, and what was recorded stays."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog.log import BounceLog, Reader, history_file
from mailmon.store.bouncelog.writing import Position
from tests.store.bouncelog.samples import BOB, INBOX, NOON, RUN, seen
from tests.store.disk import fill, remount, small_disk


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    """Return a state file with a history of some size beside it."""
    state_file = tmp_path / "state" / "state.json"
    with BounceLog(state_file, NOON) as history:
        history.record(INBOX, 300, [seen(uid, BOB) for uid in range(1, 301)], RUN)
    return state_file


@contextmanager
def as_nobody(directory: Path) -> Iterator[None]:
    """Be a user to whom nothing belongs, and who may pass through the directories above this one."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in directory.parents}
    for parent, mode in modes.items():
        parent.chmod(mode | 0o011)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in modes.items():
            parent.chmod(mode)


def test_a_directory_that_cannot_be_written_is_a_clear_error_and_can_be_looked_into(state_file: Path) -> None:
    os.chown(history_file(state_file), 65534, -1)
    state_file.parent.chmod(0o755)
    with as_nobody(state_file.parent):
        with pytest.raises(StateError, match=r"history\.sqlite\.lock: cannot be opened: Permission denied") as caught:
            BounceLog(state_file, NOON)
        assert caught.value.exit_code == 74
        with Reader(state_file, NOON) as reader:
            assert len(list(reader.rows(BounceFilter()))) == 300


def test_who_may_not_read_the_file_is_told_so(state_file: Path) -> None:
    state_file.parent.chmod(0o755)
    with as_nobody(state_file.parent), pytest.raises(StateError, match=r"history\.sqlite: cannot be read: Permission"):
        Reader(state_file, NOON)


def test_who_may_not_look_into_the_directory_is_told_so(state_file: Path) -> None:
    with as_nobody(state_file.parent), pytest.raises(StateError, match="Permission denied"):
        Reader(state_file, NOON)


def test_a_read_only_disk_is_a_clear_error_and_can_be_looked_into(tmp_path: Path, state_file: Path) -> None:
    with small_disk(tmp_path) as disk:
        shutil.copy(history_file(state_file), disk)
        remount(disk, "ro")
        with pytest.raises(StateError, match="Read-only file system") as caught:
            BounceLog(disk / "state.json", NOON)
        assert caught.value.exit_code == 74
        with Reader(disk / "state.json", NOON) as reader:
            assert len(list(reader.rows(BounceFilter()))) == 300


def test_a_disk_that_becomes_full_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        path = disk / "state.json"
        with BounceLog(path, NOON) as history:
            history.record(INBOX, 1, [seen(1, BOB)], RUN)
            ballast = fill(disk)
            with pytest.raises(StateError, match=r"history\.sqlite: .*(full|disk)") as caught:
                history.record(INBOX, 900, [seen(uid, BOB) for uid in range(2, 900)], RUN)
            assert caught.value.exit_code == 74
            assert history.position("main", "INBOX") == Position(7, 1)
            ballast.unlink()
            assert history.record(INBOX, 2, [seen(2, BOB)], RUN)[0].is_new
        with Reader(path, NOON) as reader:
            assert len(list(reader.rows(BounceFilter()))) == 2


def test_a_full_disk_before_the_first_scan_is_a_clear_error(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        fill(disk)
        with pytest.raises(StateError):
            BounceLog(disk / "state.json", NOON)

"""The heartbeat file: the end of the last complete run."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from mailmon.errors import StateError
from mailmon.model import Status
from mailmon.outputs.heartbeat import LINE_BYTES, beat
from tests.store.test_files import SERVICE_UID, as_root

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_run_that_ended_is_one_line(tmp_path: Path) -> None:
    beat(tmp_path / "heartbeat", NOON, Status.FAILED, 1)
    text = (tmp_path / "heartbeat").read_text()
    assert text.split() == ["2026-03-01T12:00:00Z", "failed", "exit", "1"]
    assert text.endswith("\n")


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("exit_code", [0, 75])
def test_the_line_has_always_the_same_length(tmp_path: Path, status: Status, exit_code: int) -> None:
    for _ in range(2):
        beat(tmp_path / "heartbeat", NOON, status, exit_code)
        assert (tmp_path / "heartbeat").stat().st_size == LINE_BYTES


def test_a_later_run_writes_over_it_in_place(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    beat(path, NOON, Status.FAILED, 1)
    first = path.stat()
    os.utime(path, (0, 0))
    beat(path, NOON + timedelta(minutes=15), Status.OK, 0)
    assert (path.read_text().split()[0], path.stat().st_ino) == ("2026-03-01T12:15:00Z", first.st_ino)
    assert path.stat().st_mtime > 0


def test_what_was_longer_is_cut(tmp_path: Path) -> None:
    (tmp_path / "heartbeat").write_bytes(b"x" * 5000)
    beat(tmp_path / "heartbeat", NOON, Status.OK, 0)
    assert "x" not in (tmp_path / "heartbeat").read_text().removesuffix("exit 0\n").replace("exit", "")
    assert (tmp_path / "heartbeat").stat().st_size == LINE_BYTES


def test_a_time_of_another_zone_is_written_in_utc(tmp_path: Path) -> None:
    beat(tmp_path / "heartbeat", NOON.astimezone(timezone(timedelta(hours=2))), Status.OK, 0)
    assert (tmp_path / "heartbeat").read_text().startswith("2026-03-01T12:00:00Z ")


def planted_link(path: Path) -> None:
    (path.parent / "victim").write_bytes(b"precious" * 100)
    path.symlink_to(path.parent / "victim")


@pytest.mark.parametrize("plant", [Path.mkdir, os.mkfifo, planted_link])
def test_what_is_no_file_is_told_and_left_alone(tmp_path: Path, plant: object) -> None:
    assert callable(plant)
    plant(tmp_path / "heartbeat")
    with pytest.raises(StateError, match="heartbeat_file: ") as caught:
        beat(tmp_path / "heartbeat", NOON, Status.OK, 0)
    assert caught.value.advice == "Set heartbeat_file to a writable place."
    assert plant is not planted_link or (tmp_path / "victim").read_bytes() == b"precious" * 100


def test_a_missing_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file or directory"):
        beat(tmp_path / "gone" / "heartbeat", NOON, Status.OK, 0)


def test_those_who_watch_it_may_read_it(tmp_path: Path) -> None:
    umask = os.umask(0o022)
    try:
        beat(tmp_path / "heartbeat", NOON, Status.OK, 0)
    finally:
        os.umask(umask)
    assert (tmp_path / "heartbeat").stat().st_mode & 0o777 == 0o644


@as_root
def test_a_run_by_hand_as_root_does_not_lock_the_service_out(tmp_path: Path) -> None:
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
    beat(tmp_path / "heartbeat", NOON, Status.OK, 0)
    assert (tmp_path / "heartbeat").stat().st_uid == SERVICE_UID

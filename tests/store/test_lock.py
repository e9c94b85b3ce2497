"""The lock against another run on the same state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailmon.errors import LockHeldError, StateError
from mailmon.store.lock import Lock
from tests.store.test_files import SERVICE_UID, as_root, full_disk

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from mailmon.store.lock import Lock
with Lock(Path(sys.argv[1]), datetime(2026, 3, 1, 12, 0, tzinfo=UTC)):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(state_file: Path) -> subprocess.Popen[bytes]:
    """Start a process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(state_file)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    process.stdout.close()
    return process


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    process = hold(tmp_path / "state.json")
    try:
        with pytest.raises(LockHeldError) as caught, Lock(tmp_path / "state.json", NOON):
            pass
    finally:
        process.kill()
        process.wait()
    said = f"another run holds {tmp_path}/state.json.lock: process {process.pid} since 2026-03-01T12:00:00Z"
    assert (caught.value.message, caught.value.exit_code) == (said, 75)


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    process = hold(tmp_path / "state.json")
    process.send_signal(signal.SIGKILL)
    process.wait()
    with Lock(tmp_path / "state.json", NOON):
        assert (tmp_path / "state.json.lock").read_text() == f"process {os.getpid()} since 2026-03-01T12:00:00Z\n"


def test_a_lock_that_was_given_up_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        with Lock(tmp_path / "state.json", NOON):
            pass


def test_states_beside_each_other_do_not_lock_each_other_out(tmp_path: Path) -> None:
    with Lock(tmp_path / "one.json", NOON), Lock(tmp_path / "two.json", NOON):
        pass


def test_escape_codes_in_a_lock_file_are_made_visible(tmp_path: Path) -> None:
    with Lock(tmp_path / "state.json", NOON):
        (tmp_path / "state.json.lock").write_bytes(b"\x1b[2Jwho")
        with pytest.raises(LockHeldError, match=r"\\x1b\[2Jwho"), Lock(tmp_path / "state.json", NOON):
            pass


def test_where_no_directory_could_be_made_a_run_goes_on_without_a_lock(tmp_path: Path) -> None:
    with Lock(tmp_path / "gone" / "state.json", NOON), Lock(tmp_path / "gone" / "state.json", NOON):
        assert not (tmp_path / "gone").exists()


def test_a_place_that_is_no_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match=r"state\.json\.lock: cannot be opened: Not a directory"):
        Lock(tmp_path / "file" / "state.json", NOON).__enter__()


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "state.json.lock").symlink_to(tmp_path / "victim")
    with pytest.raises(StateError, match="cannot be opened"):
        Lock(tmp_path / "state.json", NOON).__enter__()
    assert not (tmp_path / "victim").exists()


def test_a_full_disk_keeps_no_run_from_its_lock(tmp_path: Path) -> None:
    with full_disk(), Lock(tmp_path / "state.json", NOON), pytest.raises(LockHeldError, match="unknown process"):
        Lock(tmp_path / "state.json", NOON).__enter__()


@as_root
def test_a_lock_made_as_root_belongs_to_the_owner_of_its_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, SERVICE_UID, SERVICE_UID)
    with Lock(tmp_path / "state.json", NOON):
        assert (tmp_path / "state.json.lock").stat().st_uid == SERVICE_UID

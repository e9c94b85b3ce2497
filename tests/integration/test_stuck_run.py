"""A run that hangs and blocks later ones is reported by exit code, ping and one alert."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailmon.clock import read_anchor
from mailmon.errors import LockHeldError, StuckLockError
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from mailmon.store.lock import Lock
from tests.embedded import kinds
from tests.monitor import Monitor

UUID = "0d7e0f4e-8f5d-4a6b-9d3c-0123456789ab"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BOOT = read_anchor(NOW).boot_id
HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from mailmon.store.lock import Lock
deadline_s = float(sys.argv[2]) if sys.argv[2] != "none" else None
with Lock(Path(sys.argv[1]), datetime.fromisoformat(sys.argv[4]), deadline_s, sys.argv[3]):
    print("held", flush=True)
    time.sleep(600)
"""


@contextmanager
def stopped_holder(
    state_file: Path, deadline_s: str = "1", boot: str = BOOT, since: datetime | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Let a process take the lock as a run does, and stop it."""
    state_file.parent.mkdir(exist_ok=True)
    at = (since or datetime.now(UTC)).isoformat()
    command = [sys.executable, "-c", HOLD, str(state_file), deadline_s, boot, at]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    process.send_signal(signal.SIGSTOP)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def take(state_file: Path, now: datetime, deadline_s: float | None = 1.0, boot: str = BOOT) -> None:
    with Lock(state_file, now, deadline_s, boot):
        pass


def test_a_stopped_run_is_no_success_of_later_ones_for_ever(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    """What a user saw: every later run ended with 75, which the unit takes for success, and nobody was told."""
    monitor.config["ping"] = {"url": f"{receiver.url}/{UUID}"}
    with stopped_holder(monitor.state_file, "600"):
        assert monitor.check().exit_code == 75, "it has only just begun"
        assert receiver.requests == []
    with stopped_holder(monitor.state_file) as holder:
        time.sleep(2.2)
        runs = [monitor.check(), monitor.check()]
        for run in runs:
            assert run.exit_code == 74, run.stderr
            assert run.document["error"]["code"] == "state"
            for words in (f"process {holder.pid} since ", "hangs", "its deadline was 1", f"kill -9 {holder.pid}"):
                assert words in run.stderr
        assert sandbox.accepted == []
        assert [request.path for request in receiver.requests if UUID in request.path] == [f"/{UUID}/fail"] * 2
        assert kinds(receiver) == ["problem"]
        (message,) = receiver.ntfy_messages()
        assert "mailmon check failed at " in str(message["title"])
        assert f"process {holder.pid}" in str(message["message"])
        failed = monitor.run("notify", "unit-failed", "mailmon.service")
        assert "already reported" in failed.stdout, "what systemd starts then does not tell it again"
        assert monitor.run("check", "--dry-run").exit_code == 74
        assert kinds(receiver) == ["problem"]
    assert monitor.check().exit_code == 0
    assert kinds(receiver) == ["problem", "recovery"]
    assert "mailmon check completed again after " in str(receiver.ntfy_messages()[1]["title"])
    assert not monitor.state_file.with_name("state.json.stuck").exists()
    assert monitor.check().exit_code == 0
    assert kinds(receiver) == ["problem", "recovery"]


def test_another_run_that_hangs_later_is_told_anew(monitor: Monitor, receiver: Receiver) -> None:
    for number in (1, 2):
        with stopped_holder(monitor.state_file):
            time.sleep(2.2)
            assert monitor.check().exit_code == 74
        assert kinds(receiver) == ["problem"] * number


def test_what_no_channel_took_is_tried_again(monitor: Monitor, receiver: Receiver) -> None:
    with stopped_holder(monitor.state_file):
        time.sleep(2.2)
        receiver.status = 500
        assert monitor.check().exit_code == 74
        receiver.status = 200
        assert monitor.check().exit_code == 74
        sent = len(receiver.ntfy_messages())
        assert monitor.check().exit_code == 74
        assert len(receiver.ntfy_messages()) == sent


@pytest.mark.parametrize("jump", [timedelta(days=400), -timedelta(days=400)])
def test_a_clock_that_was_set_makes_no_run_seem_to_hang(tmp_path: Path, jump: timedelta) -> None:
    with stopped_holder(tmp_path / "state.json", "60", since=NOW), pytest.raises(LockHeldError):
        take(tmp_path / "state.json", NOW + jump)


def test_a_clock_that_was_set_back_hides_no_run_that_hangs(tmp_path: Path) -> None:
    with stopped_holder(tmp_path / "state.json", "1", since=NOW):
        time.sleep(2.2)
        with pytest.raises(StuckLockError):
            take(tmp_path / "state.json", NOW - timedelta(days=400))


def test_the_holder_s_own_deadline_counts(tmp_path: Path) -> None:
    with stopped_holder(tmp_path / "state.json", "3600"):
        time.sleep(2.2)
        with pytest.raises(LockHeldError):
            take(tmp_path / "state.json", datetime.now(UTC), 1.0)


@pytest.mark.parametrize(("later_s", "error"), [(5, LockHeldError), (500, StuckLockError), (-500, LockHeldError)])
@pytest.mark.parametrize("boot", [BOOT, "another", ""])
def test_without_a_common_start_of_the_machine_the_wall_clock_tells(
    tmp_path: Path, later_s: int, error: type[Exception], boot: str
) -> None:
    """So it is between versions, and where several machines share a directory."""
    deadline_s = "none" if boot == BOOT else "60"
    boot = "" if boot == BOOT else boot.encode().hex()
    with stopped_holder(tmp_path / "state.json", deadline_s, boot, NOW), pytest.raises(error):
        take(tmp_path / "state.json", NOW + timedelta(seconds=later_s), 60.0)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff\xfe", b"process 1 since 2026-99-99T99:99:99Z\n", b"deadline 1 s, boot - 9.9"]
)
def test_a_lock_file_that_says_nothing_is_judged_by_its_age(tmp_path: Path, raw: bytes) -> None:
    state_file = tmp_path / "state.json"
    with stopped_holder(state_file):
        lock = tmp_path / "state.json.lock"
        lock.write_bytes(raw)
        with pytest.raises(LockHeldError):
            take(state_file, datetime.now(UTC), 60.0)
        os.utime(lock, (1, 1))
        with pytest.raises(StuckLockError, match="hangs"):
            take(state_file, datetime.now(UTC), 60.0)

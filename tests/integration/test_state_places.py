"""Runs whose state file is a link, a mount of its own, or in a directory that cannot be written."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from mailmon.store.keeper import Keeper
from mailmon.store.state import load, peek
from tests.embedded import kinds
from tests.monitor import Monitor
from tests.store.test_files import SERVICE_UID, as_root
from tests.store.test_state import STATE

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def mount(*words: str) -> None:
    if os.geteuid() != 0 or subprocess.run(["mount", *words], capture_output=True, check=False).returncode:
        pytest.skip("only root can mount")


@pytest.fixture
def undo() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def plant_link(state_file: Path, elsewhere: Path, undo: ExitStack) -> None:
    state_file.symlink_to(elsewhere)


def plant_whole_link(state_file: Path, elsewhere: Path, undo: ExitStack) -> None:
    elsewhere.touch()
    elsewhere.write_text('{"schema": "mailmon/state/1"}')
    state_file.symlink_to(Path("..") / elsewhere.name)


def plant_mount(state_file: Path, elsewhere: Path, undo: ExitStack) -> None:
    """A file of its own, as containers have it: empty at first."""
    elsewhere.touch()
    state_file.touch()
    mount("--bind", str(elsewhere), str(state_file))
    undo.callback(subprocess.run, ["umount", "-l", str(state_file)], check=True)


def plant_read_only(state_file: Path, elsewhere: Path, undo: ExitStack) -> None:
    """The same in a directory that cannot be written: there is no room for a lock, a key and a journal."""
    mount("-t", "tmpfs", "tmpfs", str(state_file.parent))
    undo.callback(subprocess.run, ["umount", "-l", str(state_file.parent)], check=True)
    plant_mount(state_file, elsewhere, undo)
    mount("-o", "remount,ro", str(state_file.parent))


@pytest.mark.parametrize("plant", [plant_link, plant_whole_link, plant_mount, plant_read_only])
def test_a_state_file_that_cannot_be_replaced_is_kept_and_every_run_checks(
    monitor: Monitor,
    sandbox: Sandbox,
    receiver: Receiver,
    tmp_path: Path,
    undo: ExitStack,
    plant: Callable[[Path, Path, ExitStack], None],
) -> None:
    """What a user saw: the link was gone, or the exit code 74 and no check."""
    monitor.state_file.parent.mkdir()
    elsewhere = tmp_path / "kept.json"
    plant(monitor.state_file, elsewhere, undo)
    before = monitor.state_file.lstat()
    for fault, expected in (("", 0), ("lose", 1), ("lose", 1), ("", 0), ("", 0)):
        sandbox.faults.lose_mail = bool(fault)
        run = monitor.check()
        assert run.exit_code == expected, run.stderr
        assert len(run.document["steps"]) == 5
        assert monitor.run("status").exit_code == 0
    assert kinds(receiver) == ["problem", "recovery"]
    assert monitor.state_file.lstat().st_ino == before.st_ino
    assert monitor.state_file.is_symlink() == plant.__name__.endswith("link")
    assert json.loads(elsewhere.read_text())["last_run"]["status"] == "ok"
    left = {path.name for path in monitor.state_file.parent.iterdir()}
    assert not any("tmp" in name for name in left), left


def test_two_runs_do_not_overlap_in_a_directory_that_cannot_be_written(
    monitor: Monitor, sandbox: Sandbox, tmp_path: Path, undo: ExitStack
) -> None:
    monitor.state_file.parent.mkdir()
    plant_read_only(monitor.state_file, tmp_path / "kept.json", undo)
    sandbox.faults.delivery_delay_s = 0.5
    with monitor.start(["check"]) as first:
        until_s = time.monotonic() + 20
        while not sandbox.accepted and time.monotonic() < until_s:
            time.sleep(0.01)
        first.send_signal(signal.SIGSTOP)
        try:
            assert monitor.check().exit_code == 75
        finally:
            first.send_signal(signal.SIGCONT)
        first.communicate(timeout=20)


@as_root
def test_a_service_user_without_the_directory_writes_his_file_in_place(tmp_path: Path) -> None:
    place = tmp_path / "state"
    place.mkdir()
    (place / "state.json").touch()
    os.chown(place / "state.json", SERVICE_UID, SERVICE_UID)
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_mode & 0o005 != 0o005 and path.stat().st_uid == 0:
            path.chmod(path.stat().st_mode | 0o005)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setresgid(SERVICE_UID, SERVICE_UID, SERVICE_UID)
            os.setresuid(SERVICE_UID, SERVICE_UID, SERVICE_UID)
            keeper = Keeper(place / "state.json", NOON, is_dry=False)
            keeper.save(checks=STATE.checks)
            code = 0 if not keeper.error else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert peek(place / "state.json").state.checks == STATE.checks


def bound(tmp_path: Path, undo: ExitStack) -> Path:
    """Return a state file that is a mount by itself, in a directory of its own."""
    (tmp_path / "state").mkdir()
    plant_mount(tmp_path / "state/state.json", tmp_path / "kept.json", undo)
    return tmp_path / "state/state.json"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_file_that_a_crash_tore_is_restored_from_the_journal(tmp_path: Path, undo: ExitStack, share: float) -> None:
    path = bound(tmp_path, undo)
    keeper = Keeper(path, NOON, is_dry=False)
    keeper.save(checks=STATE.checks)
    before = path.read_bytes()
    keeper.save(outbox=STATE.outbox)
    after = path.read_bytes()
    torn = int(len(after) * share)
    path.write_bytes(after[:torn] + before[torn:])
    again = Keeper(path, NOON, is_dry=False)
    assert again.state.outbox == STATE.outbox
    assert again.state.checks.keys() == STATE.checks.keys()
    again.save(outbox=())
    assert peek(path).state.outbox == ()


def test_a_foreign_file_that_cannot_be_moved_is_copied(tmp_path: Path, undo: ExitStack) -> None:
    path = bound(tmp_path, undo)
    path.write_text("somebody's")
    loaded = load(path, NOON)
    (aside,) = path.parent.glob("*set-aside*")
    assert loaded.warnings[0].endswith(f"copied to {aside.name}")
    assert aside.read_text() == "somebody's"


SAVE = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from mailmon.store.keeper import Keeper
from tests.store.test_state import STATE
entry = STATE.outbox[0]
path = Path(sys.argv[1])
keeper = Keeper(path, datetime(2026, 3, 1, tzinfo=UTC), is_dry=False)
number = int(keeper.state.outbox[0].alert.id) if keeper.state.outbox else 0
while True:
    number += 1
    alert = entry.alert._replace(id=str(number), body=f"{number:07}" * 20_000)
    keeper.save(outbox=(entry._replace(alert=alert),))
    assert not keeper.error, keeper.error
    print(number, flush=True)
"""


def test_a_kill_in_the_midst_of_writing_in_place_loses_no_alert(tmp_path: Path, undo: ExitStack) -> None:
    path, dice, last, torn = bound(tmp_path, undo), random.Random(7), 0, 0
    for _ in range(int(os.environ.get("MAILMON_KILLS", "8"))):
        child = subprocess.Popen([sys.executable, "-c", SAVE, str(path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        said = child.stdout.readline()
        time.sleep(dice.uniform(0, 0.05))
        child.kill()
        said += child.stdout.read()
        child.wait()
        child.stdout.close()
        last = max(last, *(int(line) for line in said.splitlines(keepends=True) if line.endswith("\n")))
        keeper = Keeper(path, NOON, is_dry=True)
        torn += bool(keeper.warnings)
        (entry,) = keeper.state.outbox
        assert int(entry.alert.id) >= last
        assert entry.alert.body == f"{int(entry.alert.id):07}" * 20_000
    print(f"{torn} torn")

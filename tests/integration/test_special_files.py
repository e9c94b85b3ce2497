"""What is no regular file is refused and left alone, wherever it lies; nothing hangs and nothing fills the memory."""

from __future__ import annotations

import os
import resource
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.monitor import Monitor, Run

LIMIT_BYTES = 1024 * 1024 * 1024
PROMPT_S = 20.0


def plant_socket(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    before = Path.cwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        listener.bind(path.name)
    finally:
        os.chdir(before)
        listener.close()


def plant_device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


PLANTS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "socket": plant_socket,
    "directory": Path.mkdir,
    "device": plant_device,
}


def prompt(monitor: Monitor, *arguments: str) -> Run:
    """Run a command that must end soon, with little memory."""
    monitor.write()
    process = subprocess.run(
        monitor.command(*arguments),
        env=monitor.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROMPT_S,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES)),
    )
    return Run(process.returncode, process.stdout, process.stderr, 0.0)


@pytest.mark.parametrize("what", PLANTS)
@pytest.mark.parametrize("command", [("check",), ("check", "--dry-run"), ("status",), ("alerts",)])
def test_a_state_file_that_is_no_file_is_refused_and_left_alone(
    monitor: Monitor, what: str, command: tuple[str, ...]
) -> None:
    plant = PLANTS[what]
    monitor.state_file.parent.mkdir()
    plant(monitor.state_file)
    before = monitor.state_file.lstat()
    run = prompt(monitor, *command)
    assert run.exit_code == 74
    assert f"{monitor.state_file}: " in run.stderr
    assert what in run.stderr.lower()
    assert "Move it away" in run.stderr
    assert monitor.state_file.lstat()[:6] == before[:6]


@pytest.mark.parametrize("name", ["state.json.lock", "probe.key", "config.checked", "state.json.journal",
                                  "state.json.silences", "state.json.tmp", "heartbeat"])  # fmt: skip
@pytest.mark.parametrize("plant", [os.mkfifo, plant_socket, lambda path: path.symlink_to("/dev/zero")])
def test_whatever_lies_in_the_place_of_a_file_no_command_hangs(
    monitor: Monitor, name: str, plant: Callable[[Path], object]
) -> None:
    monitor.config["heartbeat_file"] = "state/heartbeat"
    assert monitor.check().exit_code == 0
    place = monitor.state_file.with_name(name)
    place.unlink(missing_ok=True)
    plant(place)
    before = place.lstat()
    for command in (("check",), ("status",), ("silence", "list")):
        run = prompt(monitor, *command)
        assert run.exit_code in (0, 74), run
        assert "bug" not in run.stderr
    assert name == "state.json.tmp" or place.lstat()[:2] == before[:2]

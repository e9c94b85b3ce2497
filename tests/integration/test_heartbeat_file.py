"""The heartbeat file: its age tells when the last complete run ended, so only such a run writes it."""

from __future__ import annotations

import re
import signal
import time
from datetime import datetime
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds, two_of_each
from tests.monitor import Monitor
from tests.store.disk import fill, small_disk


@pytest.fixture
def beating(monitor: Monitor) -> Monitor:
    """A monitor with a heartbeat file beside its configuration."""
    monitor.config["heartbeat_file"] = "heartbeat"
    return monitor


def beat_of(monitor: Monitor) -> str:
    """Return what stands in the heartbeat file, "" where there is none."""
    path = monitor.directory / "heartbeat"
    return path.read_text() if path.exists() else ""


def make_old(monitor: Monitor) -> None:
    """Let a run be long ago."""
    (monitor.directory / "heartbeat").write_text("2026-01-02T03:04:05Z ok exit 0\n")


def is_old(monitor: Monitor) -> bool:
    return beat_of(monitor) == "2026-01-02T03:04:05Z ok exit 0\n"


def wait_for_mail(sandbox: Sandbox) -> None:
    """Wait until a run has sent its probe, so that it is in its midst."""
    until_s = time.monotonic() + 10
    while not sandbox.accepted and time.monotonic() < until_s:
        time.sleep(0.005)
    assert sandbox.accepted


def test_a_complete_run_says_when_and_how_it_ended(beating: Monitor) -> None:
    document = beating.check().document
    line = beat_of(beating)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ok exit 0 *\n", line)
    finished_at = datetime.fromisoformat(document["finished_at"]).replace(microsecond=0)
    assert datetime.fromisoformat(line.split()[0]) == finished_at


@pytest.mark.parametrize("path", ["heartbeat", "an absolute one"])
def test_every_complete_run_writes_it_anew(beating: Monitor, path: str) -> None:
    if path != "heartbeat":
        beating.config["heartbeat_file"] = str(beating.directory / "heartbeat")
    make_old(beating)
    beating.check()
    assert not is_old(beating)
    make_old(beating)
    beating.run("check")
    assert not is_old(beating)


def test_a_run_that_found_a_failure_has_come_to_its_end(beating: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    assert beating.check().exit_code == 1
    assert beat_of(beating).split()[1:] == ["failed", "exit", "1"]


def test_a_run_whose_alert_is_refused_has_come_to_its_end(
    beating: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.refuse_login, receiver.status = {"smtp"}, 403
    assert beating.check().exit_code == 69
    assert beat_of(beating).split()[1:] == ["failed", "exit", "69"]


@pytest.mark.parametrize("name", ["main", "second", "out"])
def test_a_run_for_a_part_does_not_write_it(sandbox: Sandbox, receiver: Receiver, tmp_path: Path, name: str) -> None:
    monitor = Monitor(tmp_path, {**two_of_each(sandbox, receiver), "heartbeat_file": "heartbeat"})
    assert monitor.check(name).exit_code == 0
    assert beat_of(monitor) == ""
    make_old(monitor)
    assert monitor.check(name).exit_code == 0
    assert is_old(monitor)


def test_a_run_for_a_part_that_is_everything_there_is_does_not_write_it(beating: Monitor) -> None:
    """Who names the only account has asked for it, and not for all."""
    make_old(beating)
    assert beating.check("main").exit_code == 0
    assert is_old(beating)


def test_a_dry_run_does_not_write_it(beating: Monitor) -> None:
    assert beating.check("--dry-run").exit_code == 0
    assert beat_of(beating) == ""


@pytest.mark.parametrize("command", [("status",), ("alerts",), ("notify", "test"), ("config", "validate")])
def test_no_other_command_writes_it(beating: Monitor, command: tuple[str, ...]) -> None:
    assert beating.run(*command).exit_code == 0
    assert beat_of(beating) == ""


def test_a_mistake_in_the_configuration_does_not_write_it(beating: Monitor) -> None:
    make_old(beating)
    beating.config["deadline_s"] = "many"
    assert beating.check().exit_code == 78
    assert is_old(beating)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_in_its_midst_does_not_write_it(
    beating: Monitor, sandbox: Sandbox, number: signal.Signals
) -> None:
    make_old(beating)
    sandbox.faults.delivery_delay_s = 5.0
    beating.config["routes"]["main"]["receive_timeout_s"] = 20
    with beating.start(["check"]) as process:
        wait_for_mail(sandbox)
        process.send_signal(number)
        process.communicate(timeout=20)
    assert process.returncode != 0
    assert is_old(beating)


def test_a_run_that_finds_the_lock_held_does_not_write_it(beating: Monitor, sandbox: Sandbox) -> None:
    make_old(beating)
    sandbox.faults.delivery_delay_s = 0.3
    with beating.start(["check"]) as first:
        wait_for_mail(sandbox)
        first.send_signal(signal.SIGSTOP)
        try:
            assert beating.check().exit_code == 75
            assert is_old(beating)
        finally:
            first.send_signal(signal.SIGCONT)
        first.communicate(timeout=20)
    assert not is_old(beating)


def test_on_a_full_disk_its_age_still_tells_that_runs_end(beating: Monitor, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        beating.config |= {"state_file": str(disk / "state.json"), "heartbeat_file": str(disk / "heartbeat")}
        assert beating.check().exit_code == 0
        (disk / "heartbeat").write_text("x" * 64)
        fill(disk)
        assert beating.check().exit_code == 74
        assert (disk / "heartbeat").read_text().split()[1:] == ["ok", "exit", "74"]


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_heartbeat_that_cannot_be_written_is_told_and_holds_nothing_up(
    beating: Monitor, sandbox: Sandbox, receiver: Receiver, exit_code: int
) -> None:
    beating.config["heartbeat_file"] = "gone/heartbeat"
    sandbox.faults.refuse_login = {"smtp"} if exit_code else set()
    run = beating.check()
    assert run.exit_code == exit_code
    path = beating.directory / "gone" / "heartbeat"
    assert run.stderr == f"warning: heartbeat_file: {path}: No such file or directory\n"
    assert run.document["schema"] == "mailmon/check/1"
    assert kinds(receiver) == ["problem"] * exit_code

"""Is the queue of a real Postfix seen: what waits in it and why, that it is empty again, and that it is down?"""

from __future__ import annotations

import stat
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.bed import Bed
from tests.bed.clients import send
from tests.bed.postfix import empty_queue, queued
from tests.monitor import Monitor


def monitor_of(directory: Path, **queue: Any) -> Monitor:
    config = {
        "accounts": {},
        "checks": {"queue": {"instances": {"postfix": queue}}},
        "notify": "none",
    }
    return Monitor(directory, config)


def program(directory: Path, text: str) -> list[str]:
    """Return the command of a script that stands for postqueue."""
    path = directory / "list-queue"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{text}\n")
    path.chmod(stat.S_IRWXU)
    return [str(path)]


def test_what_waits_in_a_real_queue_is_told_with_its_reason_until_it_is_gone(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    monitor = monitor_of(tmp_path, config_directory=str(bed.directory / "postfix"), max_deferred=2)
    empty = monitor.check()
    assert (empty.exit_code, empty.step("queue:postfix")["message"]) == (0, "OK (empty)"), empty.stdout
    for _ in range(3):
        send(bed, "monitor+defer@mail.test")
    until_s = time.monotonic() + 10
    while monitor.check().step("queue:postfix")["metrics"]["deferred"] < 3 and time.monotonic() < until_s:
        time.sleep(0.2)
    step = monitor.check().step("queue:postfix")
    assert (step["status"], step["findings"][0]["id"]) == ("warning", "queue.deferred")
    assert step["message"].startswith("3 messages could not be delivered yet: 3 times ")
    assert "monitor" not in step["message"]
    assert 0 < step["metrics"]["oldest_s"] < 60
    assert len(queued(bed.directory)) == 3, "the queue is only read"
    assert empty_queue(bed.directory)
    assert monitor.check().document["changes"][0]["to"] == "up"


def test_a_mail_system_that_is_down_is_a_failure(tmp_path: Path) -> None:
    said = "print('postqueue: fatal: Queue report unavailable - mail system is down', file=sys.stderr); sys.exit(69)"
    run = monitor_of(tmp_path, command=program(tmp_path, said)).check()
    assert (run.exit_code, run.step("queue:postfix")["findings"][0]["id"]) == (1, "queue.mail_system_down")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("print('not allowed to view', file=sys.stderr); sys.exit(77)", "not allowed to view"),
        ("sys.stderr.write('x' * 10_000_000); sys.exit(1)", "exit code 1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "exit code -11"),
    ],
)
def test_a_queue_that_cannot_be_read_is_unknown(tmp_path: Path, text: str, words: str) -> None:
    run = monitor_of(tmp_path, command=program(tmp_path, text)).check()
    step = run.step("queue:postfix")
    assert (run.exit_code, step["status"], step["findings"][0]["id"]) == (75, "unknown", "queue.not_readable")
    assert words in step["message"]


def test_no_postqueue_at_all_is_unknown(tmp_path: Path) -> None:
    run = monitor_of(tmp_path, command=["/nowhere/postqueue"]).check()
    assert (run.exit_code, "No such file" in run.step("queue:postfix")["message"]) == (75, True)


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    text = "import subprocess; print('{}', flush=True); subprocess.run(['sleep', '600'])"
    run = monitor_of(tmp_path, command=program(tmp_path, text), timeout_s=2).check()
    assert (run.exit_code, "not finished within 2 s" in run.step("queue:postfix")["message"]) == (75, True)
    assert run.took_s < 6


def test_a_command_in_a_configuration_that_others_can_write_is_refused(tmp_path: Path) -> None:
    monitor = monitor_of(tmp_path, command=["/bin/true"])
    monitor.write()
    monitor.path.chmod(0o666)
    monitor.write = lambda: None  # type: ignore[method-assign]
    run = monitor.check()
    assert (run.exit_code, "checks.queue.instances.postfix.command: refused" in run.stderr) == (78, True)

"""The queue of a real Postfix: what is queued and why, empty again, and Postfix down."""

from __future__ import annotations

import grp
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bed import Bed
from tests.bed.clients import send
from tests.bed.postfix import empty_queue, queued
from tests.monitor import Monitor


def monitor_of(directory: Path, **queue: Any) -> Monitor:
    checks = {"queue": {"instances": {"postfix": queue}}}
    return Monitor(directory, {"accounts": {}, "checks": checks, "notify": "none"})


def program(directory: Path, text: str) -> list[str]:
    """Return the command of a script that stands for postqueue."""
    path = directory / "list-queue"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{text}\n")
    path.chmod(stat.S_IRWXU)
    return [str(path)]


def as_nobody(group: str, configuration: Path) -> list[str]:
    """Return postqueue as somebody without rights runs it in a hardened unit: setgid is of no use there."""
    nobody = [
        "setpriv",
        "--reuid=nobody",
        "--regid=nogroup",
        f"--groups={grp.getgrnam(group).gr_gid}",
        "--no-new-privs",
    ]
    return [*nobody, "/usr/sbin/postqueue", "-c", str(configuration), "-j"]


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


@pytest.fixture
def stopped(bed: Bed) -> Iterator[Path]:
    """Return the configuration of another instance of Postfix, which nobody has started."""
    directory = bed.directory / "stopped"
    shutil.copytree(bed.directory / "postfix", directory / "postfix")
    main_cf = directory / "postfix/main.cf"
    text = main_cf.read_text().replace(str(bed.directory / "queue"), str(directory / "queue"))
    main_cf.write_text(text.replace(str(bed.directory / "postfix"), str(directory / "postfix")))
    (directory / "queue").mkdir()
    subprocess.run(["/usr/sbin/postfix", "-c", str(main_cf.parent), "check"], capture_output=True, check=True)
    yield main_cf.parent
    shutil.rmtree(directory)


def test_a_postfix_that_is_down_is_a_failure_for_root_too_who_can_read_its_queue(stopped: Path, tmp_path: Path) -> None:
    letter = ["/usr/sbin/sendmail", "-C", str(stopped), "-f", "a@mail.test", "b@mail.test"]
    subprocess.run(letter, input=b"Subject: waits\n\nHello\n", timeout=30, check=True)
    run = monitor_of(tmp_path, config_directory=str(stopped), max_arriving=0).check()
    step = run.step("queue:postfix")
    assert (run.exit_code, [one["id"] for one in step["findings"]]) == (1, ["queue.mail_system_down", "queue.stuck"])
    assert step["metrics"]["maildrop"] == 1
    assert step["findings"][1]["message"].startswith(
        "1 message not yet picked up from incoming or maildrop, the oldest"
    )


def test_a_postfix_that_is_down_is_a_failure_for_one_of_the_group(stopped: Path, tmp_path: Path) -> None:
    run = monitor_of(tmp_path, command=as_nobody("postdrop", stopped)).check()
    assert (run.exit_code, run.step("queue:postfix")["findings"][0]["id"]) == (1, "queue.mail_system_down"), run.stdout


def test_a_queue_without_permission_is_unknown_and_the_advice_names_the_page(bed: Bed, tmp_path: Path) -> None:
    allowed = monitor_of(tmp_path, command=as_nobody("postdrop", bed.directory / "postfix")).check()
    assert allowed.step("queue:postfix")["status"] == "ok", allowed.stdout
    run = monitor_of(tmp_path, command=as_nobody("nogroup", bed.directory / "postfix")).check()
    step = run.step("queue:postfix")
    assert (run.exit_code, step["status"], step["findings"][0]["id"]) == (75, "unknown", "queue.not_readable")
    assert "Permission denied" in step["message"]
    assert "docs/mail-host.md" in step["advice"]


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
    marker = f"{time.time_ns()}"
    text = f"import subprocess; print('{{}}', flush=True); subprocess.run(['sleep', '600.{marker}'])"
    run = monitor_of(tmp_path, command=program(tmp_path, text), timeout_s=1).check()
    step = run.step("queue:postfix")
    assert (run.exit_code, "not finished within 1 s" in step["message"]) == (75, True)
    assert "timeout_s" in step["advice"]
    assert marker not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_of_a_queue_that_is_too_long_to_list_in_time_what_was_seen_is_told(tmp_path: Path) -> None:
    text = """for _ in range(60): print('{"queue_name": "deferred"}', flush=True)\ntime.sleep(600)"""
    step = monitor_of(tmp_path, command=program(tmp_path, text), timeout_s=1).check().step("queue:postfix")
    assert (step["status"], step["message"]) == ("warning", "at least 60 messages could not be delivered yet")


@pytest.mark.parametrize("option", [{"command": ["/bin/true"]}, {"config_directory": "/etc/postfix"}])
def test_what_names_a_program_or_its_libraries_is_refused_where_others_can_write(
    tmp_path: Path, option: dict[str, Any]
) -> None:
    monitor = monitor_of(tmp_path, **option)
    monitor.write()
    monitor.path.chmod(0o666)
    monitor.write = lambda: None  # type: ignore[method-assign]
    run = monitor.check()
    assert (run.exit_code, f"checks.queue.instances.postfix.{next(iter(option))}: refused" in run.stderr) == (78, True)

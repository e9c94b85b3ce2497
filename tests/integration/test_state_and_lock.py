"""What lies in the state directory: taken over, set aside, locked, owned, and never touched without need."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds, probes_in, state_of
from tests.monitor import Monitor


def wait_for(path: Path, text: str = "") -> None:
    until_s = time.monotonic() + 10
    while not (path.exists() and text in path.read_text()) and time.monotonic() < until_s:
        time.sleep(0.005)


def test_the_second_of_two_runs_at_once_says_who_holds_the_lock(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.delivery_delay_s = 0.3
    lock = monitor.state_file.with_name("state.json.lock")
    with monitor.start(["check", "--json"]) as first:
        wait_for(lock, "process")
        # Stopped, it holds the lock for as long as the others need, however slow this machine is just now.
        first.send_signal(signal.SIGSTOP)
        try:
            second = monitor.check()
            as_text = monitor.run("check")
        finally:
            first.send_signal(signal.SIGCONT)
        first.communicate(timeout=20)
    assert first.returncode == 0
    assert second.exit_code == as_text.exit_code == 75
    assert second.document["error"]["code"] == "locked"
    for said in (second.stderr, as_text.stderr, second.document["error"]["message"]):
        assert f"process {first.pid} since " in said
    assert len(sandbox.accepted) == 1
    assert receiver.requests == []


def test_the_lock_of_a_dead_run_is_free(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.delivery_delay_s = 0.5
    with monitor.start(["check"]) as first:
        wait_for(monitor.state_file.with_name("state.json.lock"), "process")
        first.send_signal(signal.SIGKILL)
        first.communicate()
    sandbox.faults.delivery_delay_s = 0
    assert monitor.check().exit_code == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\x00" * 100,
        b"[]",
        b"null",
        b'"text"',
        b"[" * 100_000,
        b'{"schema": "mailmon/state/2", "checks": {}}',
        b'{"schema": "other/1"}',
        b'{"schema": "mailmon/state/1", "checks": {"imap_auth:main": 5}}',
        b'{"schema": "mailmon/state/1", "checks": {"imap_auth:main": {"health": "broken", "since": "2026-01-01"}}}',
        b'{"schema": "mailmon/state/1", "probes": [{"token": "mm00"}]}',
        b'{"schema": "mailmon/state/1", "outbox": {}}',
        b'{"schema": "mailmon/state/1", "digest": 7, "checks": null}',
        b'{"schema": "mailmon/state/1", "unknown": 1}',
        b"\xff\xfe{\x00}\x00",
    ],
    ids=lambda raw: repr(raw[:75]),
)
def test_a_state_that_makes_no_sense_is_set_aside_and_the_run_goes_on(monitor: Monitor, raw: bytes) -> None:
    monitor.state_file.parent.mkdir()
    monitor.state_file.write_bytes(raw)
    run = monitor.check()
    assert run.exit_code == 0, run.stderr
    [warning] = run.stderr.splitlines()
    [aside] = monitor.state_file.parent.glob("state.json.set-aside-*")
    assert warning.startswith("warning: ")
    assert aside.name in warning
    assert aside.read_bytes() == raw
    assert state_of(monitor)["checks"]["imap_auth:main"]["health"] == "up"
    assert monitor.check().stderr == ""


def test_a_state_that_somebody_edited_with_care_is_taken_as_it_is(monitor: Monitor, receiver: Receiver) -> None:
    monitor.check()
    state = state_of(monitor)
    edited = {"health": "down", "since": "2026-01-02T03:04:05Z", "reason": "by hand"}
    state["checks"]["receive:main"] |= {**edited, "told": {**edited, "channels": ["*"]}}
    monitor.state_file.write_text(json.dumps(state))
    run = monitor.check()
    assert (run.exit_code, run.stderr) == (0, "")
    [message] = receiver.ntfy_messages()
    assert "by hand" in str(message["message"])


def small_state(monitor: Monitor, status: str, *failures: str, ago: timedelta = timedelta(hours=2, minutes=10)) -> None:
    """Write what the small monitor wrote: local time without a zone."""
    at = (datetime.now(UTC) - ago).astimezone().replace(tzinfo=None).isoformat()
    document: dict[str, Any] = {"last_status": status, "last_check": at, "last_failure": None}
    if failures:
        document["last_failure"] = {"timestamp": at, "failures": list(failures)}
    monitor.state_file.parent.mkdir(exist_ok=True)
    monitor.state_file.write_text(json.dumps(document, indent=2))


@pytest.mark.parametrize(
    "failures",
    [
        ("Email not received within 60 seconds",),
        ("IMAP auth failed: b'[AUTHENTICATIONFAILED] Authentication failed.'",),
        ("SMTP auth failed: (535, b'5.7.8 Error')", "IMAP auth failed: timed out"),
        ("something that no version ever said",),
    ],
)
def test_the_end_of_a_failure_that_the_small_monitor_saw_is_told_once(
    monitor: Monitor, receiver: Receiver, failures: tuple[str, ...]
) -> None:
    small_state(monitor, "unhealthy", *failures)
    for _ in range(2):
        run = monitor.check()
        assert (run.exit_code, run.stderr) == (0, "")
    assert kinds(receiver) == ["recovery"]
    assert "after 2 h 10 min" in str(receiver.ntfy_messages()[0]["title"])
    assert list(monitor.state_file.parent.glob("*set-aside*")) == []


def test_a_failure_that_the_small_monitor_told_of_is_not_told_again(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    small_state(monitor, "unhealthy", "Email not received within 60 seconds")
    sandbox.faults.lose_mail = True
    assert [monitor.check().exit_code for _ in range(2)] == [1, 1]
    assert kinds(receiver) == []
    sandbox.faults.lose_mail = False
    assert monitor.check().exit_code == 0
    assert kinds(receiver) == ["recovery"]
    assert "2 h 10 min" in str(receiver.ntfy_messages()[0]["message"])


def test_a_healthy_state_of_the_small_monitor_starts_in_silence(monitor: Monitor, receiver: Receiver) -> None:
    small_state(monitor, "healthy")
    assert monitor.check().stderr == ""
    assert kinds(receiver) == []


def test_a_dry_run_leaves_what_the_next_run_must_still_judge(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.delivery_delay_s = 1.3
    assert monitor.check().exit_code == 1
    sandbox.faults.delivery_delay_s = 0.0
    time.sleep(0.5)
    assert monitor.check("--dry-run").exit_code == 0
    assert len(probes_in(sandbox)) == 1
    notes = [finding["message"] for step in monitor.check().document["steps"] for finding in step["findings"]]
    assert len([note for note in notes if "arrived late" in note]) == 1
    assert probes_in(sandbox) == []

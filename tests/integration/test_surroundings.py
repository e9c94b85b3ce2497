"""Runs in odd surroundings: unknown time zones, ignored signals, secrets in the environment."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.monitor import Monitor

ZONES = (
    "UTC+24", "UTC-24", "UTC+167:59:59", "UTC-167:59:59", ":/nonexistent", "", "Foo/Bar", "Europe/Berlin",
    "CET-1CEST,M13.99.9/999,J0", "<" * 500, "AAA0BBB-25,0/0,J365/25", "\u00fc\u00f6",
)  # fmt: skip
SECRET = "s3cret-sentinel-0815"


@pytest.mark.parametrize("zone", ZONES)
def test_an_alert_leaves_whatever_the_zone_is(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, zone: str
) -> None:
    """What a user saw: with TZ=UTC+24 exit 70, and no alert ever."""
    sandbox.faults.lose_mail = True
    monitor.environ["TZ"] = zone
    run = monitor.run("check")
    assert run.exit_code == 1, run.stderr
    (message,) = receiver.ntfy_messages()
    assert "Receive Test failing since " in str(message["title"])
    sandbox.faults.lose_mail = False
    assert monitor.run("check").exit_code == 0
    assert monitor.run("status").exit_code == 0
    assert monitor.run("alerts").exit_code == 0
    assert "recovered after " in str(receiver.ntfy_messages()[-1]["title"])


def start_ignoring(monitor: Monitor, name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start the command as a shell starts a job in the background: with a signal ignored."""
    monitor.write()
    shell = ["sh", "-c", f'trap "" {name}; exec "$@"', "sh", *monitor.command(*arguments)]
    return subprocess.Popen(shell, text=True, env=monitor.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize(("name", "exit_code"), [("INT", 130), ("TERM", -signal.SIGTERM)])
def test_a_run_that_was_started_with_a_signal_ignored_ends_by_it(
    monitor: Monitor, sandbox: Sandbox, name: str, exit_code: int
) -> None:
    sandbox.faults.lose_mail = True
    monitor.config["routes"]["main"]["receive_timeout_s"] = 60
    with start_ignoring(monitor, name, "check") as process:
        until_s = time.monotonic() + 20
        while not sandbox.accepted and time.monotonic() < until_s:
            time.sleep(0.01)
        process.send_signal(signal.Signals[f"SIG{name}"])
        try:
            _, stderr = process.communicate(timeout=10)
        finally:
            process.kill()
    assert (process.returncode, "Traceback" in stderr) == (exit_code, False)


def test_the_tests_of_signals_pass_where_the_runner_was_started_with_one_ignored() -> None:
    chosen = "tests/integration/test_kill.py::test_a_run_that_is_interrupted_from_the_keyboard_leaves_a_whole_state"
    run = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-m", "pytest", "-p", "no:cacheprovider", chosen],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


def dumping(directory: Path, name: str, said: str = "") -> tuple[list[str], Path]:
    """Return a command that writes down its environment, and where."""
    path, taken = directory / f"dump-{name}", directory / f"{name}.json"
    path.write_text(
        f"#!{sys.executable}\nimport json, os, sys\njson.dump(dict(os.environ), open({str(taken)!r}, 'w'))\n"
        f"sys.stdin.read()\nprint({said!r})\n"
    )
    path.chmod(stat.S_IRWXU)
    return [str(path)], taken


def test_programs_that_a_run_starts_do_not_see_our_secrets(monitor: Monitor, sandbox: Sandbox, tmp_path: Path) -> None:
    password, seen_by_password = dumping(tmp_path, "password", sandbox.users["monitor@example.org"])
    queue, seen_by_queue = dumping(tmp_path, "queue")
    notify, seen_by_notify = dumping(tmp_path, "notify")
    account = monitor.config["accounts"]["main"]
    del account["password"]
    account["password_command"] = password
    monitor.config["checks"]["queue"] = {"instances": {"postfix": {"command": queue}}}
    monitor.config["notify"] = {"pager": {"type": "command", "command": notify}}
    monitor.environ |= {
        "MAILMON_OTHER_PASSWORD": SECRET, "MAILMON_PING_URL": f"http://127.0.0.1:9/{SECRET}", "TZ": "Europe/Berlin",
        "CREDENTIALS_DIRECTORY": str(tmp_path / SECRET), "GNUPGHOME": "/gnupg", "SSH_AUTH_SOCK": "/agent",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/bus", "MAIL_CONFIG": "/etc/postfix-2", "API_TOKEN": SECRET[::-1],
    }  # fmt: skip
    sandbox.faults.lose_mail = True
    assert monitor.check().exit_code == 1
    of_password, of_queue, of_notify = (
        json.loads(path.read_text()) for path in (seen_by_password, seen_by_queue, seen_by_notify)
    )
    for seen in (of_password, of_queue, of_notify):
        ours = {name for name in seen if name.startswith("MAILMON_") and not name.startswith("MAILMON_ALERT_")}
        assert ours == set()
        assert seen["PATH"] == os.environ["PATH"]
        assert seen["TZ"] == "Europe/Berlin"
        if seen is not of_password:
            assert SECRET not in json.dumps(seen)
    assert of_password["GNUPGHOME"] == "/gnupg"
    assert of_password["SSH_AUTH_SOCK"] == "/agent"
    assert of_password["DBUS_SESSION_BUS_ADDRESS"] == "unix:path=/bus"
    assert of_queue["MAIL_CONFIG"] == "/etc/postfix-2"
    assert of_queue["LC_ALL"] == "C"
    assert set(of_queue) <= {
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "MAIL_CONFIG", "LD_LIBRARY_PATH", "LC_ALL",
        "LC_CTYPE",
    }  # fmt: skip

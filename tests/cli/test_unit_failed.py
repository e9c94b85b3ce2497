"""`mailmon notify unit-failed`: one alert when mailmon itself has failed, whatever else is broken."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds, state_of
from tests.monitor import Monitor


def test_channels_and_units_are_called_by_their_names_in_the_status(monitor: Monitor, receiver: Receiver) -> None:
    receiver.status = 403
    assert monitor.run("notify", "unit-failed", "mailmon.service").exit_code == 69
    status = monitor.run("status").stdout
    assert re.search(r"^down      mailmon.service  .*: no details from systemd$", status, re.M)
    assert re.search(r"^down      Alerts via ntfy  .*: ntfy at .*403", status, re.M)


@pytest.mark.parametrize("status", ["1", "69", "75"])
def test_a_run_that_has_told_what_it_found_is_no_failed_unit(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, status: str
) -> None:
    monitor.environ |= {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": status}
    run = monitor.run("notify", "unit-failed", "mailmon.service")
    assert (run.exit_code, run.stdout.startswith("no alert sent: the run has finished")) == (0, True)
    assert monitor.run("notify", "unit-failed", "mailmon.service", "--json").document["alerts"] == []
    assert (receiver.requests, monitor.state_file.exists()) == ([], False)


def test_of_a_unit_that_is_no_check_every_exit_code_is_told(monitor: Monitor, receiver: Receiver) -> None:
    monitor.environ |= {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": "69"}
    run = monitor.run("notify", "unit-failed", "--any-exit-code", "mailmon-summary.service")
    assert (run.exit_code, run.stdout.startswith("alert sent: ntfy: ")) == (0, True), run.stdout
    [message] = receiver.ntfy_messages()
    assert "mailmon-summary.service failed at" in str(message["title"])


@pytest.mark.parametrize("status", ["70", "74", "78", "KILL"])
def test_a_failed_unit_is_told_once_until_it_runs_to_its_end(monitor: Monitor, receiver: Receiver, status: str) -> None:
    monitor.environ |= {"MONITOR_SERVICE_RESULT": "exit-code", "MONITOR_EXIT_STATUS": status}
    for expected in ("alert sent: ntfy: ", "no alert sent"):
        run = monitor.run("notify", "unit-failed", "mailmon.service")
        assert (run.exit_code, run.stdout.startswith(expected)) == (0, True), run.stdout + run.stderr
    [message] = receiver.ntfy_messages()
    assert "mailmon.service failed at" in str(message["title"])
    assert f"exit status {status}" in str(message["title"])
    monitor.check()
    assert kinds(receiver) == ["problem", "recovery"]
    assert "unit:mailmon.service" not in state_of(monitor)["checks"]


def test_what_else_waits_is_not_the_business_of_a_failed_unit(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    receiver.status = 503
    sandbox.faults.refuse_login = {"smtp"}
    assert [alert["status"] for alert in monitor.check().document["alerts"]] == ["pending"]
    monitor.run("silence", "main", "--for", "1h")
    receiver.status = 200
    run = monitor.run("notify", "unit-failed", "mailmon.service")
    assert (run.exit_code, run.stdout.count("\n")) == (0, 1), run.stdout
    assert "mailmon.service failed" in run.stdout
    assert "pending" in monitor.run("alerts").stdout


def test_a_failed_unit_that_could_not_be_told_is_told_the_next_time(monitor: Monitor, receiver: Receiver) -> None:
    receiver.status = 503
    assert monitor.run("notify", "unit-failed", "mailmon.service").exit_code == 69
    receiver.status = 200
    run = monitor.run("notify", "unit-failed", "mailmon.service")
    assert (run.exit_code, run.stdout.startswith("alert sent: ntfy: ")) == (0, True), run.stdout


def test_a_failed_unit_is_told_although_the_configuration_is_wrong(monitor: Monitor, receiver: Receiver) -> None:
    monitor.config["accounts"]["main"]["smtp"]["port"] = "many"
    monitor.config["notify"]["broken"] = {"type": "discord"}
    run = monitor.run("notify", "unit-failed", "mailmon.service", "--json")
    assert [alert["status"] for alert in json.loads(run.stdout)["alerts"]] == ["sent"]
    [message] = receiver.ntfy_messages()
    assert "accounts.main.smtp.port" in str(message["message"])


def test_a_failed_unit_is_told_although_the_state_cannot_be_had(monitor: Monitor, receiver: Receiver) -> None:
    monitor.state_file.parent.mkdir()
    monitor.state_file.mkdir()
    assert monitor.run("notify", "unit-failed", "mailmon.service").exit_code == 0
    assert kinds(receiver) == ["problem"]


def test_a_mistake_in_the_configuration_drops_nothing_that_waits_for_other_channels(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    """While there are mistakes, only some kinds of channel can be used; commands cannot."""
    taken = tmp_path / "taken"
    script = ["/bin/sh", "-c", f"test -e {taken} && cat >> {taken}"]
    monitor.config["notify"]["script"] = {"type": "command", "command": script}
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    monitor.config["deadline_s"] = "many"
    monitor.run("notify", "unit-failed", "mailmon.service")
    del monitor.config["deadline_s"]
    taken.touch()
    monitor.check()
    assert "SMTP Auth failing" in taken.read_text()

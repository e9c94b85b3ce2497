"""A server that accepts any password is found, rarely enough that no server bans the monitor."""

from __future__ import annotations

from mailmon.sandbox import Sandbox
from tests.monitor import Monitor


def test_a_wrong_password_is_tried_once_in_its_interval_only(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["accounts"]["main"]["wrong_password_interval"] = "1d"
    runs = [monitor.check() for _ in range(3)]
    assert [run.exit_code for run in runs] == [0, 0, 0], runs[0].stdout
    assert [("wrong_password:main" in run.stdout) for run in runs] == [True, False, False]
    assert [(one["id"], one["status"]) for one in runs[0].step("wrong_password:main")["findings"]] == [
        ("imap.any_password_accepted", "pass"),
        ("smtp.any_password_accepted", "pass"),
    ]
    assert (sandbox.logins["imap", "refused"], sandbox.logins["smtp", "refused"]) == (1, 1)


def test_without_being_asked_for_it_is_never_tried(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.check()
    assert (sandbox.logins["imap", "refused"], sandbox.logins["smtp", "refused"]) == (0, 0)


def test_a_server_that_takes_any_password_is_told_once(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["accounts"]["main"]["wrong_password_interval"] = "1d"
    sandbox.faults.any_password = {"imap"}
    run = monitor.check()
    assert run.exit_code == 1
    failed = [one for one in run.step("wrong_password:main")["findings"] if one["status"] == "fail"]
    assert [(one["id"], one["severity"]) for one in failed] == [("imap.any_password_accepted", "critical")]
    assert [change["id"] for change in run.document["changes"]] == ["wrong_password:main"]
    assert len(run.document["alerts"]) == 1
    again = monitor.check()
    assert (again.exit_code, again.document["changes"]) == (0, [])


def test_a_server_that_is_down_is_told_by_its_login_alone(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["accounts"]["main"]["wrong_password_interval"] = "1d"
    sandbox.faults.refuse_connection = {"imap"}
    run = monitor.check()
    assert run.step("wrong_password:main")["status"] == "skipped"
    assert [change["id"] for change in run.document["changes"]] == ["imap_auth:main"]

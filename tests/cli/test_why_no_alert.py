"""The line that ends a check, and `mailmon status`: was an alert sent, and if not, why."""

from __future__ import annotations

import re
from typing import Any

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.monitor import Monitor

STEP = "smtp_auth:main"


def last_line(monitor: Monitor, *arguments: str) -> str:
    """Return the line that ends a run, without the times."""
    return re.sub(r"\d\d:\d\d [-+]\d{4}", "TIME", monitor.run("check", *arguments).stdout.splitlines()[-1])


def below(monitor: Monitor, label: str) -> str:
    """Return the line below that of a check in the status, without the times."""
    lines = monitor.run("status").stdout.splitlines()
    number = next(number for number, line in enumerate(lines) if label in line)
    return re.sub(r"\d\d:\d\d [-+]\d{4}", "TIME", lines[number + 1].strip())


def quiet_of(monitor: Monitor) -> dict[str, Any]:
    rows = monitor.run("status", "--json").document["checks"]
    quiet: dict[str, Any] = next(row for row in rows if row["id"] == STEP).get("quiet", {})
    return quiet


def test_a_good_run_ends_with_its_count(monitor: Monitor) -> None:
    assert last_line(monitor) == "5 ok"


def test_each_reason_is_in_the_last_line_and_in_the_status(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["checks"]["smtp_auth"] = {"failure_threshold": 2, "success_threshold": 2}
    sandbox.faults.refuse_login = {"smtp"}
    assert last_line(monitor) == "2 ok, 1 failed, 2 skipped · no alert yet: failure 1 of 2"
    assert below(monitor, "SMTP Auth") == "no alert yet: failure 1 of 2"
    assert quiet_of(monitor) == {"reason": "failure 1 of 2", "code": "failures", "runs": 1, "threshold": 2}
    assert last_line(monitor) == "2 ok, 1 failed, 2 skipped · alert sent to ntfy"
    assert below(monitor, "SMTP Auth") == "alert sent at TIME"
    assert quiet_of(monitor) == {}
    assert last_line(monitor) == "2 ok, 1 failed, 2 skipped · alert already sent at TIME"
    assert below(monitor, "SMTP Auth") == "alert already sent at TIME"
    step = monitor.check().step(STEP)
    assert (step["quiet"]["code"], step["quiet"]["at"][-1]) == ("already_sent", "Z")
    sandbox.faults.refuse_login = set()
    assert last_line(monitor) == "5 ok · no alert yet: recovery 1 of 2"
    assert last_line(monitor) == "5 ok · alert sent to ntfy"


def test_a_silence_is_named_with_its_end(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.check()
    monitor.run("silence", "main", "--for", "2h")
    sandbox.faults.refuse_login = {"smtp"}
    assert last_line(monitor) == '2 ok, 1 failed, 2 skipped · silenced until TIME (silence "main")'
    assert below(monitor, "SMTP Auth") == 'silenced until TIME (silence "main")'
    assert set(quiet_of(monitor)) == {"reason", "code", "until"}
    monitor.run("silence", "end", "main")
    assert below(monitor, "SMTP Auth") == "silence ended: alert due in the next run"
    assert quiet_of(monitor) == {"reason": "silence ended: alert due in the next run", "code": "silence_ended"}
    assert last_line(monitor) == "2 ok, 1 failed, 2 skipped · alert sent to ntfy"


def test_a_failure_below_the_threshold_does_not_promise_an_alert_that_a_silence_holds_back(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    monitor.config["checks"]["smtp_auth"] = {"failure_threshold": 2}
    monitor.run("silence", "main", "--for", "2h")
    sandbox.faults.refuse_login = {"smtp"}
    words = "no alert yet: failure 1 of 2 (silenced until TIME)"
    assert last_line(monitor) == f"2 ok, 1 failed, 2 skipped · {words}"
    assert below(monitor, "SMTP Auth") == words
    assert set(quiet_of(monitor)) == {"reason", "code", "runs", "threshold", "until"}


def test_the_only_channel_cannot_announce_that_it_fails(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["notify"] = {"command": {"command": ["/bin/false"]}}
    sandbox.faults.refuse_login = {"smtp"}
    for _ in range(4):
        monitor.check()
    assert below(monitor, "Alerts via command") == "no alert: no other channel is configured"


def test_an_alert_that_waits_says_for_whom_and_why(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.refuse_login, receiver.status = {"smtp"}, 503
    assert re.fullmatch(r"2 ok, 1 failed, 2 skipped · alert pending for ntfy: ntfy at \S+: .*503.*", last_line(monitor))
    assert below(monitor, "SMTP Auth").startswith("alert pending for ntfy: ")


def test_a_skipped_step_is_up_and_says_since_when_it_was_not_checked(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.check()
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    status = monitor.run("status").stdout
    words = (
        rf"^up \(not checked since \d\d:\d\d [-+]\d{{4}}: skipped\)\n +Send Test .*: because {STEP} did not succeed$"
    )
    assert re.search(words, status, re.M), status
    columns = {line.index("  for ") for line in status.splitlines() if ", since " in line}
    assert len(columns) == 1, status
    rows = {row["id"]: row for row in monitor.run("status", "--json").document["checks"]}
    assert rows["send:main"]["skipped"] == f"skipped, because {STEP} did not succeed"
    assert (rows["send:main"]["quiet"]["code"], "skipped" in rows[STEP]) == ("skipped", False)
    sandbox.faults.refuse_login = set()
    monitor.check()
    assert "not checked" not in monitor.run("status").stdout


def test_a_dry_run_says_that_its_alert_was_not_sent(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    assert last_line(monitor, "--dry-run") == "2 ok, 1 failed, 2 skipped · dry run: alert not sent"


def test_what_fails_and_is_not_due_does_not_disappear(monitor: Monitor) -> None:
    pages = {"p": {"url": "http://127.0.0.1:9/"}}
    monitor.config["checks"]["http"] = {"interval": "1h", "failure_threshold": 2, "pages": pages}
    assert last_line(monitor) == "5 ok, 1 failed · no alert yet: failure 1 of 2"
    again = monitor.run("check")
    words = r"5 ok · 1 not due \(Web page \(p\) failing since \d\d:\d\d [-+]\d{4}\)"
    assert re.fullmatch(words, again.stdout.splitlines()[-1])
    assert (again.exit_code, len(monitor.check().document["steps"])) == (0, 5)
    at = r"\d\d:\d\d [-+]\d{4}"
    assert re.search(rf"^failing \(not checked since {at}: not due until {at}\)", monitor.run("status").stdout, re.M)
    row = next(row for row in monitor.run("status", "--json").document["checks"] if row["id"] == "http:p")
    assert re.fullmatch(rf"not due until {at}", row["skipped"])
    assert last_line(monitor, "--all").startswith("5 ok, 1 failed · alert sent to ntfy")
    assert "not due" not in monitor.run("status").stdout


def test_what_is_well_and_not_due_is_not_mentioned(monitor: Monitor) -> None:
    monitor.config["routes"]["main"]["interval"] = "1d"
    monitor.check()
    assert "not due" not in last_line(monitor) + monitor.run("status").stdout

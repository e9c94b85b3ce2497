"""`mailmon status`: the time of the next reminder."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds
from tests.monitor import Monitor

STEP = "smtp_auth:main"


@pytest.fixture
def reminding(monitor: Monitor) -> Monitor:
    """A monitor that reminds of a failure that lasts."""
    monitor.config["checks"]["defaults"]["reminder_interval"] = "6h"
    return monitor


def remembered(monitor: Monitor, step_id: str = STEP) -> dict[str, Any]:
    """Return what the status says of a step."""
    rows: list[dict[str, Any]] = monitor.run("status", "--json").document["checks"]
    return next(row for row in rows if row["id"] == step_id)


def reminders(monitor: Monitor) -> dict[str, str]:
    """Return when which steps are told again, as the status says in its document."""
    rows = monitor.run("status", "--json").document["checks"]
    return {row["id"]: row["next_reminder_at"] for row in rows if row["next_reminder_at"]}


def after_announcement(row: dict[str, Any]) -> timedelta:
    """Return how long after a step was told it is told again."""
    return datetime.fromisoformat(row["next_reminder_at"]) - datetime.fromisoformat(row["announced_at"])


def test_what_is_down_says_when_it_is_told_again(reminding: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    row = remembered(reminding)
    assert (row["health"], row["announced"], after_announcement(row)) == ("down", "down", timedelta(hours=6))
    lines = reminding.run("status").stdout.splitlines()
    [number] = [number for number, line in enumerate(lines) if "next reminder" in line]
    assert re.match(r"down      SMTP Auth \(main\) ", lines[number - 1])
    at = datetime.fromisoformat(row["next_reminder_at"]).astimezone()
    assert lines[number] == f"          next reminder {at:%Y-%m-%d %H:%M:%S %z}"


def test_a_run_that_tells_nothing_new_does_not_put_the_reminder_off(reminding: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    first = reminders(reminding)
    reminding.check()
    assert reminders(reminding) == first


def test_a_reminder_is_followed_by_the_next_one(reminding: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    reminding.config["checks"]["defaults"]["reminder_interval"] = "1s"
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    first = remembered(reminding)
    time.sleep(1.1)
    reminding.check()
    second = remembered(reminding)
    assert kinds(receiver) == ["problem"] * 2
    assert first["next_reminder_at"] <= second["announced_at"] < second["next_reminder_at"]
    assert after_announcement(second) == timedelta(seconds=1)


def test_a_warning_that_lasts_says_so_too(reminding: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.certificate = "soon"
    reminding.check()
    assert set(reminders(reminding)) == {"certificate:127.0.0.1"}
    assert remembered(reminding, "certificate:127.0.0.1")["health"] == "degraded"


def test_each_check_has_the_interval_of_its_own_configuration(reminding: Monitor, sandbox: Sandbox) -> None:
    reminding.config["checks"] |= {"smtp_auth": {"reminder_interval": "1d"}}
    sandbox.faults.refuse_login = {"smtp", "imap"}
    reminding.check()
    rows = {step_id: remembered(reminding, step_id) for step_id in ("imap_auth:main", STEP)}
    assert {key: after_announcement(row) for key, row in rows.items()} == {
        "imap_auth:main": timedelta(hours=6),
        STEP: timedelta(days=1),
    }


@pytest.mark.parametrize("interval", [None, 0, "0s"])
def test_without_an_interval_there_is_no_reminder(monitor: Monitor, sandbox: Sandbox, interval: object) -> None:
    if interval is not None:
        monitor.config["checks"]["defaults"]["reminder_interval"] = interval
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    row = remembered(monitor)
    assert (row["health"], row["next_reminder_at"]) == ("down", None)
    assert "reminder" not in monitor.run("status").stdout


def test_of_what_is_well_or_not_told_yet_nobody_is_reminded(reminding: Monitor, sandbox: Sandbox) -> None:
    reminding.config["checks"]["defaults"]["failure_threshold"] = 2
    reminding.check()
    assert reminders(reminding) == {}
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    assert (remembered(reminding)["health"], reminders(reminding)) == ("failing", {})
    reminding.check()
    assert set(reminders(reminding)) == {STEP}
    sandbox.faults.refuse_login = set()
    reminding.check()
    assert (remembered(reminding)["health"], reminders(reminding)) == ("up", {})


def test_a_failure_that_a_silence_holds_back_has_no_reminder_yet(reminding: Monitor, sandbox: Sandbox) -> None:
    reminding.check()
    reminding.run("silence", "main", "--for", "1h")
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    assert (remembered(reminding)["health"], reminders(reminding)) == ("down", {})


def test_channels_that_do_not_get_through_have_no_reminder(
    reminding: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    """The interval is one of checks; that nobody can be told is told once."""
    receiver.status = 403
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    assert remembered(reminding, "channel:ntfy")["health"] == "down"
    assert set(reminders(reminding)) == {STEP}


def test_while_mailmon_cannot_tell_no_reminder_is_promised(
    reminding: Monitor, sandbox: Sandbox, tmp_path: Path
) -> None:
    """That it cannot be told whether it still fails was told instead, once."""
    reminding.config["checks"]["defaults"]["unknown_threshold"] = 1
    sandbox.faults.refuse_login = {"smtp"}
    reminding.check()
    spoilt = tmp_path / "spoilt.pem"
    spoilt.write_text("no certificate")
    reminding.config["accounts"]["main"]["smtp"]["ca_file"] = str(spoilt)
    assert reminding.check().step(STEP)["status"] == "unknown"
    row = remembered(reminding)
    assert (row["health"], row["announced"]) == ("unknown", "down")
    assert row["next_reminder_at"] is None

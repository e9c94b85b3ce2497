"""Exactly one JSON document on stdout, whatever happens, with the keys that other tools rely on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.cli.programs import run
from tests.embedded import two_of_each
from tests.monitor import Monitor

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
RUN_KEYS = ["schema", "run_id", "started_at", "finished_at", "duration_s", "status", "steps", "changes", "alerts"]
STEP_KEYS = ["id", "check", "name", "status", "duration_s", "message", "advice", "findings", "metrics"]


def must_be_an_instant(text: str) -> None:
    assert INSTANT.fullmatch(text), text


def test_a_green_run_is_one_document(monitor: Monitor) -> None:
    result = monitor.run("check", "--json")
    document = result.document
    assert result.stderr == ""
    assert list(document) == RUN_KEYS
    assert document["schema"] == "mailmon/check/1"
    assert document["status"] == "ok"
    assert document["changes"] == document["alerts"] == []
    must_be_an_instant(document["started_at"])
    must_be_an_instant(document["finished_at"])
    assert 0 < document["duration_s"] < 5
    for step in document["steps"]:
        assert list(step) == STEP_KEYS
        assert step["id"] == f"{step['check']}:{step['name']}"
        assert isinstance(step["duration_s"], float)
    metrics = result.step("receive:main")["metrics"]
    assert 0 <= metrics["delivery_error_s"] <= metrics["delivery_s"] < 1


def test_a_change_and_its_alert_are_in_the_document(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.check()
    sandbox.faults.lose_mail = True
    document = monitor.check().document
    [change], [alert] = document["changes"], document["alerts"]
    assert (change["id"], change["from"], change["to"]) == ("receive:main", "up", "down")
    must_be_an_instant(change["since"])
    assert "not received within 1 s" in change["reason"]
    assert (alert["channel"], alert["status"]) == ("ntfy", "sent")
    assert f"127.0.0.1:{sandbox.imaps_port}: Receive Test failing since " in alert["title"]
    [finding] = next(step for step in document["steps"] if step["id"] == "receive:main")["findings"]
    assert (finding["id"], finding["status"], finding["severity"]) == ("route.not_received", "fail", "error")
    assert finding["target"] == f"127.0.0.1:{sandbox.imaps_port}"
    sandbox.faults.lose_mail = False
    [change] = monitor.check().document["changes"]
    assert (change["from"], change["to"]) == ("down", "up")


def test_warnings_and_transcripts_stay_out_of_the_document(monitor: Monitor, sandbox: Sandbox) -> None:
    del monitor.config["notify"]
    monitor.state_file.parent.mkdir()
    monitor.state_file.write_text("torn")
    result = monitor.run("check", "--json", "-v")
    assert result.document["status"] == "ok"
    assert result.stderr.count("warning: ") == 2


ERRORS: list[tuple[tuple[str, ...], int, str]] = [
    (("check", "--json", "nobody"), 2, "usage"),
    (("check", "nobody", "--json"), 2, "usage"),
    (("notify", "test", "--json", "nobody"), 2, "usage"),
    (("check", "--json", "--state-file", "/proc/nowhere/state.json"), 74, "state"),
    (("check", "--json", "--smtp-port", "0"), 78, "config"),
    (("check", "--json", "--smtp-port", "many"), 2, "usage"),
    (("status", "--json", "--nonsense"), 2, "usage"),
]


@pytest.mark.parametrize(("arguments", "exit_code", "code"), ERRORS, ids=[" ".join(row[0]) for row in ERRORS])
def test_an_error_is_one_document_too(monitor: Monitor, arguments: tuple[str, ...], exit_code: int, code: str) -> None:
    result = monitor.run(*arguments)
    assert result.exit_code == exit_code
    assert result.stderr
    document = result.document
    assert document["schema"] == "mailmon/error/1"
    assert list(document["error"]) == ["code", "message"]
    assert document["error"]["code"] == code


def test_an_unknown_name_is_told_with_those_that_there_are(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    result = Monitor(tmp_path, two_of_each(sandbox, receiver)).run("check", "nobody", "out")
    assert result.exit_code == 2
    assert "unknown account or route 'nobody' (defined: back, main, out, second)" in result.stderr
    assert sandbox.connections == {}


def test_status_before_any_run_says_so(monitor: Monitor) -> None:
    text = monitor.run("status")
    assert (text.exit_code, text.stdout) == (
        0,
        f"no complete run yet: start one with `mailmon check`\nstate     {monitor.state_file}\n",
    )
    document = monitor.run("status", "--json").document
    nothing: dict[str, Any] = {
        "state_file": str(monitor.state_file),
        "last_run": None,
        "age_s": None,
        "is_stale": False,
    }
    nothing |= {"checks": [], "silences": [], "pending": []}
    assert document == {"schema": "mailmon/status/1", **nothing}
    assert not monitor.state_file.parent.exists()


def test_status_tells_the_health_of_each_check_and_what_is_pending(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    sandbox.faults.refuse_login, receiver.status = {"smtp"}, 500
    monitor.check()
    connections = dict(sandbox.connections)
    lines = monitor.run("status").stdout.splitlines()
    assert re.fullmatch(r"last run  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}, \d+\.\d s ago: failed", lines[0])
    down = [line for line in lines if line.startswith("down ")]
    assert len(down) == 1
    assert re.match(
        r"down\s+SMTP Auth \(main\)\s+for \d+\.\d s, since .*: 127\.0\.0\.1:\d+: login: 535 5\.7\.8", down[0]
    )
    assert re.fullmatch(r"pending   ntfy, 1 runs?: 127.*: SMTP Auth failing since .*answered 500.*", lines[-1])
    document: dict[str, Any] = monitor.run("status", "--json").document
    assert document["last_run"]["status"] == "failed"
    health = {row["id"]: row["health"] for row in document["checks"]}
    assert health["smtp_auth:main"] == "down"
    assert health["receive:main"] == "up"
    for row in document["checks"]:
        must_be_an_instant(row["since"])
        must_be_an_instant(row["checked_at"])
    [pending] = document["pending"]
    assert (pending["channel"], pending["status"], pending["runs"]) == ("ntfy", "pending", 1)
    assert dict(sandbox.connections) == connections, "status asks nobody"


def test_status_of_a_torn_state_says_so_and_leaves_it(monitor: Monitor) -> None:
    monitor.state_file.parent.mkdir()
    monitor.state_file.write_text("{")
    result = monitor.run("status", "--json")
    assert result.exit_code == 0
    assert result.document["last_run"] is None
    assert result.stderr.startswith(f"warning: {monitor.state_file}: ")
    assert monitor.state_file.read_text() == "{"


def test_status_needs_no_secret(monitor: Monitor) -> None:
    monitor.check()
    del monitor.config["accounts"]["main"]["password"]
    monitor.config["accounts"]["main"]["password_file"] = "/nowhere"
    assert monitor.run("status").exit_code == 0


@pytest.mark.parametrize("command", [("config", "schema"), ("config", "example")])
def test_what_prints_json_anyway_prints_one_document(tmp_path: Path, command: tuple[str, ...]) -> None:
    result = run(tmp_path, *command)
    assert isinstance(json.loads(result.stdout), dict)
    assert result.stderr == ""

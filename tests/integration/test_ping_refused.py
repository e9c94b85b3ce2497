"""A ping address that refuses every ping is reported: its watcher will never alarm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds
from tests.monitor import Monitor, Run

UUID = "5f9f5a1e-4a52-4c7b-8a3e-3d7f6d1c2b1a"
PING = "mailmon:ping"


@pytest.fixture
def watcher() -> Receiver:
    """The receiver of the pings; that of the alerts is `receiver`."""
    return Receiver()


@pytest.fixture
def pinged(monitor: Monitor, watcher: Receiver) -> Monitor:
    watcher.start()
    monitor.config["ping"] = {"url": f"{watcher.url}/{UUID}"}
    return monitor


@pytest.fixture(autouse=True)
def _stopped(watcher: Receiver) -> object:
    yield
    watcher.stop()


def health(monitor: Monitor) -> str | None:
    checks = monitor.run("status", "--json").document["checks"]
    return next((check["health"] for check in checks if check["id"] == PING), None)


def unseen(run: Run) -> bool:
    return UUID not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"not found", "answered 404: not found"),
        (301, b"", "answered 301, a redirect, which is never followed"),
        (401, b"", "answered 401"),
        (403, b"", "answered 403"),
        (410, b"", "answered 410"),
        # Healthchecks, for an id that it does not know (healthchecks.io/docs/http_api/)
        (200, b"OK (not found)", "answered 200: OK (not found)"),
        # Uptime Kuma
        (200, b'{"ok":false,"msg":"Monitor not found or not active."}', "answered 200: "),
    ],
)
def test_a_ping_address_that_refuses_is_told_at_once_and_its_recovery_too(
    pinged: Monitor, watcher: Receiver, receiver: Receiver, status: int, body: bytes, words: str
) -> None:
    watcher.status, watcher.body = status, body
    runs = [pinged.check() for _ in range(3)]
    for run in runs:
        assert run.exit_code == 0, run.stderr
        assert words in run.stderr
        assert any(words in warning for warning in run.document["warnings"])
        assert unseen(run)
    assert kinds(receiver) == ["problem"]
    assert [change["id"] for change in runs[0].document["changes"]] == [PING]
    assert [alert["status"] for alert in runs[0].document["alerts"]] == ["sent"]
    title = receiver.ntfy_messages()[0]["title"]
    assert "Ping failing" in str(title)
    assert UUID not in json.dumps(receiver.ntfy_messages())
    assert health(pinged) == "down"
    assert words in pinged.run("status").stdout
    assert UUID not in pinged.state_file.read_text()

    watcher.status, watcher.body = 200, b"OK"
    run = pinged.check()
    assert (run.exit_code, run.stderr) == (0, "")
    assert "warnings" not in run.document
    assert kinds(receiver) == ["problem", "recovery"]
    assert health(pinged) == "up"
    assert pinged.check().document["changes"] == []


@pytest.mark.parametrize("trouble", ["500", "lost"])
def test_a_ping_service_that_is_away_for_a_while_is_told_only_after_three_runs(
    pinged: Monitor, watcher: Receiver, receiver: Receiver, trouble: str
) -> None:
    watcher.status, watcher.lose_answer = 500, trouble == "lost"
    for _ in range(2):
        run = pinged.check()
        assert (run.exit_code, run.stderr, "warnings" in run.document) == (0, "", False)
        assert health(pinged) == "failing"
    assert kinds(receiver) == []
    run = pinged.check()
    assert "the ping URL: " in run.stderr
    assert kinds(receiver) == ["problem"]
    watcher.status, watcher.lose_answer = 200, False
    pinged.check()
    assert kinds(receiver) == ["problem", "recovery"]


def test_one_ping_that_fails_and_works_again_is_nobodys_news(
    pinged: Monitor, watcher: Receiver, receiver: Receiver
) -> None:
    watcher.status = 503
    pinged.check()
    watcher.status = 200
    run = pinged.check()
    assert (run.stderr, kinds(receiver), health(pinged)) == ("", [], "up")


def test_a_service_that_knows_no_start_is_pinged_all_the_same(
    pinged: Monitor, watcher: Receiver, receiver: Receiver
) -> None:
    """What counts is the ping at the end of a run."""
    watcher.script = [404, 200]
    run = pinged.check()
    assert (run.stderr, kinds(receiver), health(pinged)) == ("", [], None)


@pytest.mark.parametrize("arguments", [("main",), ("--dry-run",)])
def test_a_run_that_does_not_ping_says_nothing_of_it(
    pinged: Monitor, watcher: Receiver, receiver: Receiver, arguments: tuple[str, ...]
) -> None:
    watcher.status = 404
    pinged.check()
    watcher.status = 200
    assert "warnings" not in pinged.check(*arguments).document
    assert health(pinged) == "down"


def test_without_a_ping_address_its_trouble_is_forgotten(
    pinged: Monitor, watcher: Receiver, receiver: Receiver
) -> None:
    watcher.status = 404
    pinged.check()
    del pinged.config["ping"]
    run = pinged.check()
    assert (run.stderr, kinds(receiver), health(pinged)) == ("", ["problem"], None)


def test_without_a_channel_the_warning_stands(pinged: Monitor, watcher: Receiver) -> None:
    watcher.status = 404
    pinged.config["notify"] = "none"
    run = pinged.check()
    assert (run.exit_code, "answered 404" in run.stderr) == (0, True)
    assert health(pinged) == "down"


def test_it_can_be_silenced(pinged: Monitor, watcher: Receiver, receiver: Receiver) -> None:
    watcher.status = 404
    assert pinged.run("silence", PING, "--for", "1h").exit_code == 0
    assert "answered 404" in pinged.check().stderr
    assert kinds(receiver) == []


def test_a_failure_of_the_mail_and_one_of_the_pings_are_both_told(
    pinged: Monitor, watcher: Receiver, receiver: Receiver, sandbox: Sandbox
) -> None:
    watcher.status = 404
    sandbox.faults.refuse_login = {"smtp"}
    run = pinged.check()
    assert run.exit_code == 1
    assert kinds(receiver) == ["problem", "problem"]
    assert len({alert["id"] for alert in run.document["alerts"]}) == 2


def test_text_output_warns_too(pinged: Monitor, watcher: Receiver, tmp_path: Path) -> None:
    watcher.status = 404
    run = pinged.run("check")
    assert "warning: the ping URL: answered 404" in run.stderr
    assert "notify test" in run.stderr

"""Routes with their own interval, slow routes, and arrivals in the wrong folder or form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailmon.config import Overrides, load, resolve
from mailmon.model import Anchor
from mailmon.run import Request, RunResult, run
from mailmon.sandbox import Sandbox
from mailmon.sandbox.dsn import Failure, build_bounce
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, findings_of, kinds, probes_in, route_to, state_of
from tests.monitor import Monitor

START = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


def steps_of(document: dict[str, Any]) -> set[str]:
    return {step["id"] for step in document["steps"]}


def test_a_route_is_asked_when_its_interval_is_over(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["routes"]["rare"] = {**route_to(), "interval": "1d"}
    assert "receive:rare" in steps_of(monitor.check().document)
    again = monitor.check().document
    assert "receive:main" in steps_of(again)
    assert not {step for step in steps_of(again) if step.endswith(":rare")}
    assert len(sandbox.accepted) == 3
    assert "receive:rare" in steps_of(monitor.check("--all").document)
    assert "receive:rare" in steps_of(monitor.check("rare").document)
    assert state_of(monitor)["checks"]["receive:rare"]["health"] == "up"


def test_where_nothing_is_due_nobody_logs_in(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    monitor.config["routes"]["main"]["interval"] = "1d"
    assert monitor.check().exit_code == 0
    before = dict(sandbox.connections)
    run = monitor.check("--due")
    assert (run.exit_code, run.document["steps"], run.document["status"]) == (0, [], "ok")
    assert dict(sandbox.connections) == before
    assert state_of(monitor)["checks"]["imap_auth:main"]["health"] == "up"
    assert receiver.requests == []


def test_what_failed_is_asked_again_before_its_interval_is_over(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["routes"]["main"] |= {"interval": "1d"}
    sandbox.faults.lose_mail = True
    assert monitor.check().step("receive:main")["status"] == "failed"
    state = monitor.state_file.read_text()
    assert '"down"' in state
    sandbox.faults.lose_mail = False
    assert monitor.check("main").step("receive:main")["status"] == "ok"


def test_an_arrival_in_junk_is_a_failure_of_its_own(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    monitor.config["routes"]["main"] |= {"junk_folders": ["Junk", "Spam"], "receive_timeout_s": 8}
    for folder in ("Junk", "Spam"):
        sandbox.store.mailbox(MAIN, folder)
    assert monitor.check().exit_code == 0
    sandbox.faults.folder = "Junk"
    run = monitor.check()
    step = run.step("receive:main")
    assert (step["status"], findings_of(run)) == ("failed", ["route.in_junk"]), run.stdout
    assert re.search(r"arrived in Junk after \d", step["message"])
    assert probes_in(sandbox, MAIN, "Junk") == [], "it is taken away there too"
    sandbox.faults.folder = "INBOX"
    assert monitor.check().exit_code == 0
    assert kinds(receiver) == ["problem", "recovery"]


@pytest.mark.parametrize(
    "options",
    [{"probe": "html"}, {"probe": "8bit"}, {"attachment_bytes": 300_000}, {"probe": "html", "attachment_bytes": 9}],
)
def test_each_kind_of_probe_arrives_unmodified(monitor: Monitor, sandbox: Sandbox, options: dict[str, Any]) -> None:
    monitor.config["routes"]["main"] |= {**options, "expect": {"unmodified": True}}
    run = monitor.check()
    assert (run.exit_code, findings_of(run)) == (0, []), run.stdout
    assert len(sandbox.accepted[0].raw) > options.get("attachment_bytes", 0)
    assert probes_in(sandbox) == []


def test_a_footer_on_the_way_is_told(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["routes"]["main"]["expect"] = {"unmodified": True}
    sandbox.faults.footer = True
    step = monitor.check().step("receive:main")
    assert (step["status"], "This message was scanned by sandbox." in step["message"]) == ("warning", True)


def test_verdicts_of_nobody_are_no_pass(monitor: Monitor) -> None:
    monitor.config["routes"]["main"]["expect"] = {"authserv": "mx.example.org", "dkim": True, "tls": "any"}
    step = monitor.check().step("receive:main")
    assert [one["id"] for one in step["findings"]] == ["route.dkim"]
    monitor.config["routes"]["main"]["expect"] = {"dkim": True}
    assert monitor.check().exit_code == 78


def test_what_is_expected_is_read_before_another_route_cleans_up(monitor: Monitor, sandbox: Sandbox) -> None:
    """Several routes end in one mailbox, and each cleans it: what was not read could never be found wrong."""
    wanted = {"expect": {"authserv": "mx.example.org", "dkim": True}}
    monitor.config["routes"] = {name: {**route_to(), **wanted} for name in "abcdef"}
    monitor.config["routes"]["slow"] = {**route_to(), "arrives_within": "1h"}
    for _ in range(4):
        run = monitor.check()
        for name in "abcdef":
            assert [one["id"] for one in run.step(f"receive:{name}")["findings"]] == ["route.dkim"]
    assert probes_in(sandbox) == []


class SlowWay:
    """A route of which the sandbox delivers when it is told to, in time that passes at once."""

    def __init__(self, monitor: Monitor, sandbox: Sandbox) -> None:
        monitor.config["routes"]["main"] |= {"arrives_within": "2h"}
        monitor.write()
        self._setup = resolve(load(monitor.path, Overrides({}), {"HOME": "/"}), monitor.path, {"HOME": "/"})
        self._sandbox, self.now = sandbox, START

    def check(self, after: timedelta = timedelta()) -> RunResult:
        self.now += after
        anchor = Anchor("boot", (self.now - START).total_seconds() + 1000, self.now)
        return run(Request(self._setup, lambda: self.now, anchor=lambda _: anchor))

    def deliver(self, after: timedelta) -> None:
        inbox = self._sandbox.store.mailbox(MAIN)
        inbox.append(self._sandbox.accepted[-1].raw, received_at=self.now + after)


def step_of(report: RunResult, step_id: str = "receive:main") -> tuple[str, str]:
    (found,) = [step for step in report.steps if step.id == step_id]
    return found.status.value, found.message


@pytest.fixture
def slow(monitor: Monitor, sandbox: Sandbox) -> SlowWay:
    sandbox.faults.lose_mail = True
    return SlowWay(monitor, sandbox)


def test_a_way_of_20_minutes_is_told_with_its_delay_by_runs_of_seconds(
    slow: SlowWay, sandbox: Sandbox, receiver: Receiver
) -> None:
    first = slow.check()
    assert step_of(first)[0] == "skipped"
    for _ in range(3):
        waiting = slow.check(timedelta(minutes=5))
        assert waiting.duration_s < 5
        assert step_of(waiting)[0] == "skipped"
        assert "on its way for" in step_of(waiting)[1]
    slow.deliver(timedelta(minutes=5))
    done = slow.check(timedelta(minutes=6))
    assert step_of(done)[0] == "ok"
    assert re.fullmatch(r"Email delivered in (1199\.[0-9]|1200\.[0-9])s", step_of(done)[1])
    metrics = {one.name: one.value for step in done.steps for one in step.metrics}
    assert metrics["delivery_s"] == pytest.approx(1200, abs=metrics["delivery_error_s"])
    assert len(sandbox.accepted) == 1, "one probe at a time is on its way"
    assert probes_in(sandbox) == []
    assert step_of(slow.check(timedelta(minutes=5)))[0] == "skipped"
    assert len(sandbox.accepted) == 2
    assert receiver.requests == []


def test_what_never_comes_is_told_once_and_another_probe_is_sent(
    slow: SlowWay, sandbox: Sandbox, receiver: Receiver
) -> None:
    slow.check()
    late = slow.check(timedelta(hours=2, minutes=1))
    assert step_of(late)[0] == "failed"
    assert "not received within 2 h; accepted by" in step_of(late)[1]
    assert step_of(slow.check(timedelta(minutes=5)))[0] == "skipped", "the next one is on its way: nothing is known"
    assert len(sandbox.accepted) == 2
    slow.deliver(timedelta(minutes=1))
    assert step_of(slow.check(timedelta(minutes=5)))[0] == "ok"
    assert kinds(receiver) == ["problem", "recovery"]


def test_what_comes_back_ends_the_wait(slow: SlowWay, sandbox: Sandbox) -> None:
    slow.check()
    sandbox.faults.lose_mail, sandbox.faults.bounce = False, "5.2.2 mailbox full"
    raw = sandbox.accepted[-1]
    failure = Failure(raw.sender, raw.recipients[0], raw.raw, "5.2.2 mailbox full")
    sandbox.store.mailbox(MAIN).append(build_bounce(failure, "localhost", False), received_at=slow.now)
    status, message = step_of(slow.check(timedelta(minutes=5)))
    assert (status, "then bounced" in message, "mailbox full" in message) == ("failed", True, True), message


def test_a_slow_way_that_is_fast_is_told_in_the_same_run(slow: SlowWay, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.lose_mail = False
    report = slow.check()
    status, message = step_of(report)
    assert (status, message.startswith("Email delivered in 0.")) == ("ok", True), (status, message)
    assert probes_in(sandbox) == []

"""Several accounts and routes in one run: each told by its name, none in the way of another."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, SECOND, findings_of, kinds, probes_in, route_to, state_of, two_of_each
from tests.link import Link
from tests.monitor import Monitor


@pytest.fixture
def pair(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Monitor:
    """A monitor of two accounts with a route in each direction."""
    return Monitor(tmp_path, two_of_each(sandbox, receiver))


def test_two_accounts_and_two_routes_run_green_again_and_again(
    pair: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    for _ in range(5):
        run = pair.check()
        assert run.exit_code == 0, run.stdout
        assert findings_of(run) == []
        assert probes_in(sandbox) + probes_in(sandbox, SECOND) == []
    assert receiver.requests == []


def test_several_routes_from_one_account_share_its_connection_without_a_mix_up(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.config["routes"] |= {name: route_to(f"monitor+{name}@example.org") for name in "abcd"}
    for number in range(1, 6):
        run = monitor.check()
        assert run.exit_code == 0, run.stdout + run.stderr
        assert findings_of(run) == []
        assert sandbox.connections == {"smtp": number, "imap": number}
        assert len(sandbox.accepted) == 5 * number
    assert probes_in(sandbox) == []
    assert receiver.requests == []


def test_a_refused_recipient_of_one_route_is_not_in_the_way_of_the_next_one(monitor: Monitor, sandbox: Sandbox) -> None:
    """Without RSET the transaction is still open: 503 nested MAIL command (RFC 5321 section 4.1.4)."""
    monitor.config["routes"] |= {"next": route_to(), "last": route_to()}
    sandbox.faults.rcpt_reply = "450 4.2.0 greylisted"
    run = monitor.check()
    for route in ("main", "next", "last"):
        assert run.step(f"send:{route}")["message"].endswith("RCPT: 450 4.2.0 greylisted (temporary)")


def test_two_routes_into_one_mailbox_judge_each_probe_once(pair: Monitor, sandbox: Sandbox) -> None:
    pair.config["routes"] = {"a": route_to(SECOND, "main", "second"), "b": route_to(SECOND, "second", "second")}
    for delay_s in (0.0, 0.05, 0.3):
        sandbox.faults.delivery_delay_s = delay_s
        run = pair.check()
        assert run.exit_code == 0, run.stdout
        assert findings_of(run) == []
        assert probes_in(sandbox, SECOND) == []


def test_a_mailbox_without_its_smtp_server_may_still_be_the_end_of_a_route(pair: Monitor, sandbox: Sandbox) -> None:
    del pair.config["accounts"]["second"]["smtp"]
    del pair.config["routes"]["back"]
    run = pair.check()
    assert run.exit_code == 0
    assert "smtp_auth:second" not in [step["id"] for step in run.document["steps"]]
    assert sandbox.connections == {"smtp": 1, "imap": 2}


def test_accounts_alone_are_only_logged_in_to(pair: Monitor, sandbox: Sandbox) -> None:
    pair.config["routes"] = {}
    run = pair.check()
    assert run.exit_code == 0
    assert {step["check"] for step in run.document["steps"]} == {"imap_auth", "smtp_auth"}
    assert sandbox.accepted == []


def test_what_is_no_longer_configured_is_forgotten(pair: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.lose_mail = True
    assert pair.check().exit_code == 1
    sandbox.faults.lose_mail = False
    del pair.config["routes"]["back"]
    assert pair.check().exit_code == 0
    assert "receive:back" not in state_of(pair)["checks"]
    assert kinds(receiver) == ["problem", "recovery"]


def test_a_probe_of_one_route_that_is_late_is_told_by_that_route(pair: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.delivery_delay_s = 1.8
    assert pair.check("out").exit_code == 1
    sandbox.faults.delivery_delay_s = 0.0
    until_s = time.monotonic() + 5
    while not probes_in(sandbox, SECOND) and time.monotonic() < until_s:
        time.sleep(0.02)
    run = pair.check()
    assert findings_of(run) == ["route.arrived_late"]
    assert "arrived late" in str(run.step("receive:out")["findings"] + run.step("cleanup:out")["findings"])
    assert probes_in(sandbox, SECOND) == []


def test_several_faults_at_once_give_one_alert_that_names_them_all(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    monitor = Monitor(tmp_path, two_of_each(sandbox, receiver))
    monitor.config["accounts"]["second"]["password"] = "wrong"
    sandbox.faults.lose_mail = True
    monitor.config["routes"] = {"self": route_to(), "back": route_to(MAIN, "second", "main")}
    run = monitor.check()
    assert run.troubled == ["imap_auth:second", "smtp_auth:second", "receive:self"]
    [message] = receiver.ntfy_messages()
    text = str(message["message"])
    places = [text.index(f"{label}: ") for label in ("IMAP Auth (second)", "SMTP Auth (second)", "Receive Test (self)")]
    assert places == sorted(places), "causes first"
    monitor.config["accounts"]["second"]["password"] = sandbox.users[SECOND]
    sandbox.faults.lose_mail = False
    assert monitor.check().exit_code == 0
    assert monitor.check().exit_code == 0
    assert kinds(receiver) == ["problem", "recovery"]


def test_a_route_between_two_accounts_sees_its_bounce_in_the_mailbox_of_the_sender(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    monitor = Monitor(tmp_path, two_of_each(sandbox, receiver))
    del monitor.config["routes"]["back"]
    monitor.config["routes"]["out"]["receive_timeout_s"] = 20
    sandbox.faults.bounce = "5.2.2 mailbox full"
    run = monitor.check()
    assert run.exit_code == 1
    assert run.took_s < 6
    assert "then bounced: " in run.step("receive:out")["message"]
    assert "5.2.2 mailbox full" in run.step("receive:out")["message"]
    assert sandbox.store.mailbox(MAIN).messages == []
    sandbox.faults.bounce = None
    assert monitor.check().exit_code == 0
    assert probes_in(sandbox, SECOND) == []
    assert kinds(receiver) == ["problem", "recovery"]


def test_trouble_in_the_senders_mailbox_is_no_failure_of_the_route(pair: Monitor, sandbox: Sandbox) -> None:
    """A bounce would come there; that it cannot be looked for must not hide that the probe arrives."""
    with Link(sandbox.imaps_port) as link:
        pair.config["accounts"]["main"]["imap"] |= {"port": link.port, "timeout_s": 1}
        pair.config["routes"] = {"out": {**route_to(SECOND, "main", "second"), "receive_timeout_s": 8}}
        sandbox.faults.delivery_delay_s = 3.5
        link.cut_after_s = 1.0
        run = pair.check()
    assert run.exit_code == 0, run.stdout
    assert run.step("receive:out")["metrics"]["delivery_s"] == pytest.approx(3.5, abs=0.3)
    assert [f["id"] for f in run.step("receive:out")["findings"]] == ["route.bounces_unseen"]

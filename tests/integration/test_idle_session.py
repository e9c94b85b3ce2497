"""A server ends an SMTP session that is idle while the mailbox is opened: nothing was sent, so it is opened again."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import two_of_each
from tests.monitor import Monitor

GOODBYES = [
    "421 4.4.2 mx.example.org Error: timeout exceeded",
    "421 mx.example.org: SMTP command timeout - closing connection",
    "451 4.7.0 Timeout waiting for client input",
    None,
]


@pytest.mark.parametrize("goodbye", GOODBYES)
def test_a_slow_imap_login_does_not_fail_the_send_test(monitor: Monitor, sandbox: Sandbox, goodbye: str | None) -> None:
    sandbox.faults.smtp_idle_s, sandbox.faults.smtp_goodbye = 0.4, goodbye
    sandbox.faults.imap_login_delay_s = 1.5
    run = monitor.check()
    assert run.troubled == [], run.step("send:main")["message"]
    assert len(sandbox.accepted) == 1
    assert sandbox.connections["smtp"] == 2


def test_several_routes_share_the_session_that_was_opened_again(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    config = two_of_each(sandbox, receiver)
    for number in range(6):  # the more there are, the likelier one sends while another one opens
        config["routes"][f"again{number}"] = {**config["routes"]["out"], "in": "second"}
    sandbox.faults.smtp_idle_s, sandbox.faults.imap_login_delay_s = 0.6, 1.5
    run = Monitor(tmp_path, config).check()
    assert [step for step in run.troubled if step.startswith("send")] == [], run.stdout
    assert len(sandbox.accepted) == 8
    assert sandbox.connections["smtp"] <= 4


def test_a_server_that_says_421_to_every_message_is_asked_twice_and_told(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.mail_reply = "421 4.3.2 shutting down"
    run = monitor.check()
    assert run.troubled == ["send:main"]
    assert "421 4.3.2 shutting down" in run.step("send:main")["message"]
    assert sandbox.connections["smtp"] == 2


@pytest.mark.parametrize("fault", ["rcpt_reply", "data_reply"])
def test_a_session_that_ends_later_is_not_opened_again(monitor: Monitor, sandbox: Sandbox, fault: str) -> None:
    setattr(sandbox.faults, fault, "421 4.4.2 timeout exceeded")
    run = monitor.check()
    assert run.troubled == ["send:main"]
    assert sandbox.connections["smtp"] == 1
    assert sandbox.accepted == []


def test_an_imap_server_that_lets_everybody_in_is_critical(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.preauth = True
    step = monitor.check().step("imap_auth:main")
    assert [(one["id"], one["severity"]) for one in step["findings"]] == [("imap.preauth", "critical")]
    assert "whoever connects is logged in" in step["message"]

"""Messages about mail that was accepted and did not arrive."""

from __future__ import annotations

import pytest

from mailmon.sandbox import Sandbox
from tests.monitor import Monitor

UUID = "065C3B10-9D1E-4C5B-8A4E-0F6E5D2C1B3A.1"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("250 2.0.0 Ok: queued as v5Ev7Q_UpS", "as queue id v5Ev7Q_UpS"),
        (f"250 Message Queued ({UUID})", f"as queue id {UUID}"),
        ("250 ok 1700000000 qp 12345", ": 250 ok 1700000000 qp 12345"),
        ("250 thank\tyou", ": 250 thank\\tyou"),
    ],
)
def test_a_lost_message_is_told_by_its_whole_queue_id_or_by_the_whole_reply(
    monitor: Monitor, sandbox: Sandbox, reply: str, words: str
) -> None:
    sandbox.faults.data_reply, sandbox.faults.lose_mail = reply, True
    step = monitor.check().step("receive:main")
    target = f"127.0.0.1:{sandbox.smtp_port}"
    assert step["message"] == f"not received within 1 s; accepted by {target}{'' if words[0] == ':' else ' '}{words}"
    assert step["findings"][0]["evidence"] == reply.replace("\t", "\\t")


def test_a_reply_without_end_is_cut_in_the_state_and_in_the_alert(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.data_reply, sandbox.faults.lose_mail = "250 " + "yes " * 1000, True
    step = monitor.check().step("receive:main")
    assert len(step["message"]) < 300
    assert step["message"].endswith("yes…")
    assert "yes " * 60 not in monitor.state_file.read_text()

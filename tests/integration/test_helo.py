"""The configured name in EHLO, and the message when a server refuses it."""

from __future__ import annotations

import pytest

from mailmon.sandbox import Sandbox
from tests.monitor import Monitor


@pytest.mark.parametrize("helo", ["probe.example.net", "[192.0.2.25]"])
def test_the_configured_name_is_sent(monitor: Monitor, sandbox: Sandbox, helo: str) -> None:
    monitor.config["accounts"]["main"]["helo"] = helo
    run = monitor.run("check", "-v")
    assert run.exit_code == 0, run.stdout
    assert f"EHLO {helo}\n" in run.stderr


def test_a_name_that_the_server_refuses_stands_in_the_finding_with_what_to_do(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    monitor.config["accounts"]["main"]["helo"] = "bad.example.net"
    sandbox.faults.refused_helo = {"bad."}
    finding = monitor.check().step("send:main")["findings"][0]
    assert finding["id"] == "smtp.rcpt_refused"
    assert "(EHLO sent: bad.example.net)" in finding["message"]
    assert "`helo`" in finding["fix"]
    monitor.config["accounts"]["main"]["helo"] = "good.example.net"
    assert monitor.check().exit_code == 0

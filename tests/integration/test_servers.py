"""Servers reached as configured: IPv4 or IPv6, another address than their name, without a login."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from tests.diagnose.test_ipv6 import has_ipv6
from tests.embedded import MAIN, account_of, monitor_of
from tests.link import Link
from tests.monitor import Monitor


def test_a_server_is_connected_to_at_another_place_under_its_own_name(sandbox: Sandbox, tmp_path: Path) -> None:
    monitor = monitor_of(sandbox, tmp_path)
    for service in ("smtp", "imap"):
        monitor.config["accounts"]["main"][service] |= {"host": "localhost", "connect_to": "127.0.0.1", "family": "4"}
    run = monitor.check()
    assert run.exit_code == 0, run.stdout
    monitor.config["accounts"]["main"]["imap"] |= {"host": "other.example"}
    assert "cert" in monitor.check().step("imap_auth:main")["findings"][0]["id"]


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6, not even on loopback")
def test_a_server_is_reached_by_ipv6_only(sandbox: Sandbox, tmp_path: Path) -> None:
    monitor = monitor_of(sandbox, tmp_path)
    with Link(sandbox.smtp_port, host="::1") as smtp, Link(sandbox.imaps_port, host="::1") as imap:
        for service, link in (("smtp", smtp), ("imap", imap)):
            monitor.config["accounts"]["main"][service] |= {
                "host": "localhost", "connect_to": "::1", "family": "6", "port": link.port,
            }  # fmt: skip
        run = monitor.check()
        assert run.exit_code == 0, run.stdout
        assert min(smtp.connections, imap.connections) == 1


def test_a_family_that_a_host_does_not_have_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    monitor = monitor_of(sandbox, tmp_path)
    monitor.config["accounts"]["main"]["imap"] |= {"family": "6"}
    step = monitor.check().step("imap_auth:main")
    assert (step["status"], "no IPv6 address" in step["message"]) == ("failed", True)


def test_who_has_two_ways_to_log_in_must_keep_one(sandbox: Sandbox, tmp_path: Path) -> None:
    account = {**account_of(sandbox), "token": "t"}
    run = Monitor(tmp_path, {"accounts": {"main": account}, "notify": "none"}).check()
    assert (run.exit_code, "exclude each other" in run.stderr) == (78, True)


def test_without_a_login_the_sender_needs_no_password(sandbox: Sandbox, tmp_path: Path) -> None:
    """As a foreign server hands mail over on port 25; the embedded server wants a login, and says so at MAIL."""
    monitor = monitor_of(sandbox, tmp_path)
    outside = {"address": "outside@example.net", "smtp": {**account_of(sandbox)["smtp"], "auth": "none"}}
    monitor.config["accounts"]["outside"] = outside
    monitor.config["routes"]["main"] = {"from": "outside", "to": MAIN, "in": "main"}
    run = monitor.check()
    assert run.step("smtp_auth:outside")["message"] == "OK (no login)"
    assert (run.step("send:main")["status"], "530" in run.step("send:main")["message"]) == ("failed", True)
    assert sandbox.logins[("smtp", "outside@example.net")] == 0

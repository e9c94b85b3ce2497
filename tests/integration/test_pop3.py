"""A mailbox without IMAP, on a real Dovecot: found, timed, cleaned, nothing else touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bed import Bed
from tests.link import Link
from tests.monitor import Monitor

FOREIGN = b"From: a@example.org\r\nTo: monitor@mail.test\r\nSubject: invoice\r\n\r\n" + b"x" * 3000 + b"\r\n.dot\r\n"


@pytest.fixture
def monitor(bed: Bed, tmp_path: Path) -> Monitor:
    bed.reset()
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 3}
    account = {
        "address": bed.user,
        "password": bed.password,
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
        "pop3": {"port": bed.ports["pop3s"], "security": "tls", **trust},
    }
    route = {"from": "main", "to": bed.user, "in": "main", "receive_timeout_s": 5}
    checks = {"defaults": {"failure_threshold": 1}}
    return Monitor(
        tmp_path, {"accounts": {"main": account}, "routes": {"main": route}, "checks": checks, "notify": "none"}
    )


def services(monitor: Monitor) -> dict[str, Any]:
    account: dict[str, Any] = monitor.config["accounts"]["main"]
    return account


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_cycle_is_green_and_leaves_foreign_mail_as_it_was(monitor: Monitor, bed: Bed, security: str) -> None:
    bed.deliver("monitor", FOREIGN)
    services(monitor)["pop3"] |= {"security": security, "port": bed.ports["pop3s" if security == "tls" else "pop3"]}
    for _ in range(2):
        run = monitor.check()
        assert run.exit_code == 0, run.stdout + run.stderr
        assert [step["check"] for step in run.document["steps"]] == [
            "pop3_auth", "smtp_auth", "send", "receive", "cleanup",
        ]  # fmt: skip
        assert run.step("cleanup:main")["message"] == "OK (removed 1)"
    left = bed.mails("monitor")
    assert len(left) == 1
    assert b"invoice" in left[0].read_bytes()
    assert "S" not in left[0].name.partition(":2,")[2], "it was marked as read"


def test_the_delay_is_within_the_bound_that_is_told(monitor: Monitor, bed: Bed) -> None:
    monitor.config["routes"]["main"]["to"] = "monitor+d1700@mail.test"
    metrics = monitor.check().step("receive:main")["metrics"]
    assert metrics["delivery_s"] - metrics["delivery_error_s"] - 0.1 <= 1.7 <= metrics["delivery_s"] + 0.1
    assert metrics["delivery_error_s"] < 2.5


def test_what_never_arrives_is_told_and_found_when_it_comes(monitor: Monitor, bed: Bed) -> None:
    monitor.config["routes"]["main"] |= {"to": "monitor+d2500@mail.test", "receive_timeout_s": 1}
    assert monitor.check().step("receive:main")["findings"][0]["id"] == "route.not_received"
    monitor.config["routes"]["main"] |= {"to": bed.user, "receive_timeout_s": 8}
    said: list[str] = []
    for _ in range(4):  # it may not have come yet
        said += [one["id"] for step in monitor.check().document["steps"] for one in step["findings"]]
        if "route.arrived_late" in said:
            break
    assert "route.arrived_late" in said
    assert [mail for mail in bed.mails("monitor") if b"X-Mailmon-Token" in mail.read_bytes()] == []


def test_a_bounce_ends_the_wait(monitor: Monitor) -> None:
    monitor.config["routes"]["main"] |= {"to": "bounce@mail.test", "receive_timeout_s": 20}
    run = monitor.check()
    assert run.step("receive:main")["findings"][0]["id"] == "route.bounced"
    assert run.took_s < 10


def test_a_second_delivery_is_told(monitor: Monitor) -> None:
    monitor.config["routes"]["main"]["to"] = "monitor+dup@mail.test"
    runs = [monitor.check() for _ in range(2)]
    said = [one["id"] for run in runs for one in run.step("cleanup:main")["findings"]]
    assert "route.delivered_twice" in said


def test_a_wrong_password_is_told_and_tried_once(monitor: Monitor) -> None:
    services(monitor)["password"] = "s3ntinel-Value"
    with Link(services(monitor)["pop3"]["port"]) as link:
        services(monitor)["pop3"]["port"] = link.port
        run = monitor.check("-v")
        assert link.connections == 1
    step = run.step("pop3_auth:main")
    assert (step["status"], step["findings"][0]["id"]) == ("failed", "pop3.login_refused")
    assert run.step("send:main")["status"] == "skipped"
    assert "s3ntinel-Value" not in run.stdout + run.stderr


def test_a_silent_server_ends_in_time(monitor: Monitor) -> None:
    with Link(services(monitor)["pop3"]["port"]) as link:
        link.is_silent = True
        services(monitor)["pop3"]["port"] = link.port
        run = monitor.check()
    assert run.step("pop3_auth:main")["findings"][0]["id"] == "pop3.timeout"
    assert run.took_s < 15


def test_beside_imap_it_is_only_logged_in_to(monitor: Monitor, bed: Bed) -> None:
    trust = {"host": "localhost", "ca_file": str(bed.ca_file)}
    services(monitor)["imap"] = {"port": bed.ports["imaps"], "security": "tls", **trust}
    run = monitor.check()
    assert run.exit_code == 0, run.stdout
    assert [step["check"] for step in run.document["steps"]][:2] == ["imap_auth", "pop3_auth"]
    assert run.step("pop3_auth:main")["metrics"]["certificate_days"] > 1


def test_junk_folders_need_imap(monitor: Monitor) -> None:
    monitor.config["routes"]["main"]["junk_folders"] = ["Junk"]
    run = monitor.check()
    assert (run.exit_code, "POP3 has no folders" in run.stderr) == (78, True)

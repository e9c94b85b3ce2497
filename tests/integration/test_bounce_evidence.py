"""A forged bounce raises no alarm, a genuine one at once: against the embedded server, and a real one."""

from __future__ import annotations

import smtplib
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.bed import Bed
from tests.bed.clients import eventually, send
from tests.embedded import MAIN, TOPIC, account_of
from tests.mail.samples import dsn
from tests.monitor import Monitor

FIELDS = """\
Final-Recipient: rfc822; %s
Action: failed
Status: 5.7.26
Remote-MTA: dns; gmail-smtp-in.l.google.com
Diagnostic-Code: smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated.
"""
HERE = b"Received: by %s (Postfix)\r\n\tid 4XyZ12abcD; Sun,  1 Mar 2026 12:00:06 +0000 (UTC)\r\n"
OUTSIDE = (
    b"Received: from evil.example (unknown [203.0.113.5])\r\n\tby mail.example.org (Postfix) with ESMTP id 4X;\r\n"
    b"\tSun,  1 Mar 2026 12:00:06 +0000 (UTC)\r\n"
)


def refused(address: str, returned: bytes = b"") -> bytes:
    original = returned or b"From: a@example.org\r\nTo: %s\r\nSubject: Minutes\r\n\r\n" % address.encode()
    return dsn(FIELDS % address, returned=original)


@pytest.fixture
def monitor(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Monitor:
    account = {**account_of(sandbox), "bounces": {"folder": "Bounces"}}
    channels = {"ntfy": {"server": receiver.url, "topic": TOPIC}}
    config = {"accounts": {"main": account}, "checks": {"defaults": {"failure_threshold": 1}}, "notify": channels}
    sandbox.store.mailbox(MAIN, "Bounces")
    return Monitor(tmp_path, config)


def check(monitor: Monitor, sandbox: Sandbox, *messages: bytes) -> dict[str, Any]:
    for raw in messages:
        sandbox.store.mailbox(MAIN, "Bounces").append(raw)
    step: dict[str, Any] = monitor.run("check", "--json").step("bounces:main")
    return step


def test_a_forged_bounce_raises_no_alarm(sandbox: Sandbox, monitor: Monitor, receiver: Receiver) -> None:
    """One such message said that gmail.com refuses us, and each new domain again."""
    assert check(monitor, sandbox, OUTSIDE + HERE % b"mail.example.org" + refused("a@gmail.com"))["status"] == "ok"
    forged = [refused(f"a@d{number}.example") for number in range(50)]
    assert check(monitor, sandbox, *forged)["status"] == "ok"
    assert receiver.ntfy_messages() == []


def test_three_in_two_runs_are_one_alert_that_says_unverified(
    sandbox: Sandbox, monitor: Monitor, receiver: Receiver
) -> None:
    check(monitor, sandbox, refused("a@gmail.com"), refused("b@gmail.com"))
    assert receiver.ntfy_messages() == []
    step = check(monitor, sandbox, refused("c@gmail.com"))
    said = "gmail.com refuses us: 5.7.26 unauthenticated (unverified)"
    assert (step["status"], step["message"]) == ("warning", said)
    check(monitor, sandbox, refused("d@gmail.com"))
    (alert,) = receiver.ntfy_messages()
    assert "unverified" in f"{alert['title']} {alert['message']}"


def test_ever_new_forged_domains_are_a_bounded_number_of_alerts(
    sandbox: Sandbox, monitor: Monitor, receiver: Receiver
) -> None:
    for run in range(8):
        domains = [f"d{number}.example" for number in range(run, run + 3)]
        check(monitor, sandbox, *(refused(f"u{run}x{n}@{domain}") for domain in domains for n in range(3)))
    assert len(receiver.ntfy_messages()) <= 4


def test_a_bounce_that_the_own_server_made_is_told_at_once(
    sandbox: Sandbox, monitor: Monitor, receiver: Receiver
) -> None:
    step = check(monitor, sandbox, HERE % b"mail.example.org" + refused("a@gmail.com"))
    assert (step["status"], step["message"]) == ("failed", "gmail.com refuses us: 5.7.26 unauthenticated")
    assert len(receiver.ntfy_messages()) == 1
    number = monitor.run("bounces", "list", "--json").document["bounces"][0]["id"]
    assert monitor.run("bounces", "show", str(number), "--json").document["evidence"] == "local"


def test_a_bounce_of_a_message_in_sent_mail_is_told_at_once(sandbox: Sandbox, monitor: Monitor) -> None:
    monitor.config["accounts"]["main"]["bounces"]["sent"] = "Sent"
    sent = b"From: a@example.org\r\nTo: a@gmail.com\r\nSubject: Minutes\r\nMessage-ID: <m1@pc>\r\n\r\n"
    sandbox.store.mailbox(MAIN, "Sent").append(sent + b"Hello\r\n")
    other = sent.replace(b"a@gmail.com", b"a@outlook.com")
    assert check(monitor, sandbox, refused("a@outlook.com", other))["status"] == "ok"
    assert check(monitor, sandbox, refused("a@gmail.com", sent))["status"] == "failed"


@pytest.mark.bed
def test_a_real_server_s_bounces_are_evidence_and_mail_from_outside_is_none(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
    account = {
        "address": bed.user,
        "password": bed.password,
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
        "bounces": {"folder": "INBOX"},
    }
    limits = {"bounces": {"max_soft": 0}}
    monitor = Monitor(tmp_path, {"accounts": {"main": account}, "checks": limits, "notify": "none"})
    with smtplib.SMTP("127.0.0.1", bed.ports["smtp"], timeout=10) as smtp:
        smtp.sendmail("", [bed.user], HERE % b"mail.test" + refused("a@b.example"))
    assert len(eventually(lambda: bed.mails("monitor"))) == 1
    assert monitor.run("check", "--json").step("bounces:main")["status"] == "ok"
    send(bed, "bounce@mail.test")
    assert eventually(lambda: bed.mails("monitor")[1:])
    step = monitor.run("check", "--json").step("bounces:main")
    assert (step["status"], step["message"]) == ("warning", "1 soft bounces in 24 h, more than 0")
    bed.reset()

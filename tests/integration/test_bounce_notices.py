"""Senders are notified of each bounce once: against the embedded server."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from tests.bed import Bed
from tests.bed.clients import imap_session, only_mail
from tests.embedded import MAIN, SECOND, account_of
from tests.mail.samples import dsn
from tests.monitor import Monitor

FIELDS = """\
Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; jonathan@example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <b>no such user</b>
"""
RETURNED = (
    b"From: a@example.org\nTo: jonathan@example.com\nCc: victim@example.net, third@example.org\nSubject: <i>Hi</i>\n\n"
)
BOUNCE = dsn(FIELDS, returned=RETURNED)
LUNCH = b"From: b@example.org\nTo: a@example.org\nCc: victim@example.net\nSubject: lunch?\n\nAt noon?\n"


@pytest.fixture
def monitor(sandbox: Sandbox, tmp_path: Path) -> Monitor:
    account = {**account_of(sandbox), "bounces": {"folder": "INBOX", "test": {"folder": "INBOX"}}}
    notices = {"account": "main", "to": [SECOND]}
    return Monitor(tmp_path, {"accounts": {"main": account}, "bounce_notices": notices, "notify": "none"})


def put(sandbox: Sandbox, *messages: bytes) -> None:
    for raw in messages:
        sandbox.store.mailbox(MAIN).append(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def letters(sandbox: Sandbox, address: str = SECOND) -> list[EmailMessage]:
    raws = [one.raw for one in sandbox.store.mailbox(address).messages]
    return [one for raw in raws if isinstance(one := message_from_bytes(raw, policy=policy.default), EmailMessage)]


def scan(monitor: Monitor, *more: str) -> dict[str, Any]:
    run = monitor.run("bounces", "scan", "--json", *more)
    assert run.exit_code == 0, run.stderr
    row: dict[str, Any] = run.document["accounts"][0]
    return row


def queue(monitor: Monitor) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = monitor.run("bounces", "queue", "--json").document["notices"]
    return found


def test_a_bounce_is_told_once_to_those_named_and_to_nobody_whom_it_names(sandbox: Sandbox, monitor: Monitor) -> None:
    put(sandbox, BOUNCE, LUNCH)
    assert scan(monitor)["notices"] == {"sent": 1, "failed": 0}
    assert scan(monitor)["notices"] == {"sent": 0, "failed": 0}
    (letter,) = letters(sandbox)
    assert letter["Subject"] == "Not delivered: <i>Hi</i>"
    # This server, as many, lets its users send under their own address only: the null sender was tried and refused.
    assert (letter["Auto-Submitted"], sandbox.accepted[-1].sender) == ("auto-generated", MAIN)
    text, page = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert page is not None
    assert "jonathan@example.com" in text.get_content()
    assert "the mailbox does not exist (5.1.1)" in text.get_content()
    assert "<b>" not in page.get_content()
    assert "&lt;b&gt;no such user" in page.get_content()
    assert [(one["status"], one["recipient"]) for one in queue(monitor)] == [("sent", SECOND)]
    assert all(SECOND in one.recipients for one in sandbox.accepted)


@pytest.mark.bed
def test_the_envelope_sender_is_null_where_the_server_takes_it(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    trust = {"host": "localhost", "ca_file": str(bed.ca_file)}
    account = {
        "address": bed.user,
        "password": bed.password,
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
        "bounces": {"folder": "INBOX"},
    }
    notices = {"account": "main", "to": ["u0001@mail.test"]}
    config = {"accounts": {"main": account}, "bounce_notices": notices, "notify": "none"}
    bed.deliver("monitor", BOUNCE)
    assert scan(Monitor(tmp_path, config))["notices"] == {"sent": 1, "failed": 0}
    letter = only_mail(bed, "u0001")
    assert letter.startswith(b"Return-Path: <>")
    assert b"Auto-Submitted: auto-generated" in letter


def test_what_is_not_taken_waits_and_is_tried_again(sandbox: Sandbox, monitor: Monitor) -> None:
    put(sandbox, BOUNCE)
    monitor.config["bounce_notices"]["to"] = ["nobody@example.org"]
    run = monitor.run("check", "--json")
    step = run.step("bounces:main")
    assert (step["status"], step["findings"][0]["id"]) == ("warning", "bounces.notice_failed")
    (dead,) = queue(monitor)
    assert (dead["status"], dead["attempts"]) == ("dead", 1)
    assert "550" in dead["error"]
    assert scan(monitor)["notices"] == {"sent": 0, "failed": 0}
    assert monitor.run("bounces", "retry", str(dead["id"]), "--json").document["queued"] == 1
    assert queue(monitor)[0]["status"] == "waiting"
    assert "nobody@" not in monitor.run("bounces", "queue", "--mask").stdout
    assert monitor.run("bounces", "retry").exit_code == 2


def test_an_hour_has_a_limit(sandbox: Sandbox, monitor: Monitor) -> None:
    monitor.config["bounce_notices"]["max_per_hour"] = 3
    put(sandbox, *(BOUNCE + b"%d\n" % number for number in range(5)))
    assert scan(monitor)["notices"]["sent"] == 3
    assert scan(monitor)["notices"]["sent"] == 0
    assert [one["status"] for one in queue(monitor)].count("waiting") == 2


def test_test_mode_tells_only_those_who_are_named_for_it(sandbox: Sandbox, monitor: Monitor) -> None:
    put(sandbox, BOUNCE)
    assert scan(monitor, "--test")["notices"]["sent"] == 0
    assert letters(sandbox) == []


def test_notices_are_off_by_default(sandbox: Sandbox, monitor: Monitor) -> None:
    del monitor.config["bounce_notices"]
    put(sandbox, BOUNCE)
    assert scan(monitor)["new"] == 1
    assert (letters(sandbox), queue(monitor)) == ([], [])


SENT_COPY = (
    b"From: %s\nTo: jonathan@example.com\nCc: u0001@mail.test, out@example.com\n"
    b"Subject: Minutes\nMessage-ID: <m1@pc>\n\n"
)


@pytest.mark.bed
@pytest.mark.parametrize(
    ("cc", "subject", "identity", "told"),
    [
        (b"u0001@mail.test, out@example.com", b"Minutes", b"<m1@pc>", ["u0001@mail.test", "u0002@mail.test"]),
        (b"u0001@mail.test, u0003@mail.test", b"Minutes", b"<m1@pc>", ["u0002@mail.test"]),
        (b"u0001@mail.test, out@example.com", b"Buy now", b"<m1@pc>", ["u0002@mail.test"]),
        (b"u0001@mail.test, out@example.com", b"Minutes", b"<m2@pc>", ["u0002@mail.test"]),
    ],
)
def test_a_copy_in_the_folder_of_sent_mail_is_proof(
    bed: Bed, tmp_path: Path, cc: bytes, subject: bytes, identity: bytes, told: list[str]
) -> None:
    bed.reset()
    trust = {"host": "localhost", "ca_file": str(bed.ca_file)}
    account = {
        "address": bed.user,
        "password": bed.password,
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
        "bounces": {"folder": "INBOX", "sent": "Sent"},
    }
    rules = {"account": "main", "to": ["u0002@mail.test"], "cc": True, "cc_domains": ["mail.test"]}
    monitor = Monitor(tmp_path, {"accounts": {"main": account}, "bounce_notices": rules, "notify": "none"})
    returned = b"From: %s\nTo: jonathan@example.com\nCc: %s\nSubject: %s\nMessage-ID: %s\n\n"
    imap = imap_session(bed)
    imap.create("Sent")
    bounce = dsn(FIELDS, returned=returned % (bed.user.encode(), cc, subject, identity))
    for folder, raw in (("Sent", SENT_COPY % bed.user.encode()), ("INBOX", bounce)):
        assert imap.append(folder, "", "", raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))[0] == "OK"
    imap.logout()
    scan(monitor)
    assert sorted(one["recipient"] for one in queue(monitor)) == told


def test_a_folder_of_sent_mail_that_is_not_there_proves_nothing_and_is_told(sandbox: Sandbox, monitor: Monitor) -> None:
    monitor.config["accounts"]["main"]["bounces"]["sent"] = "Gone"
    monitor.config["bounce_notices"] |= {"cc": True, "cc_domains": ["example.org"]}
    put(sandbox, BOUNCE.replace(b"Subject: <i>", b"Message-ID: <m1@pc>\nSubject: <i>"))
    row = scan(monitor)
    assert [one["recipient"] for one in queue(monitor)] == [SECOND]
    assert any("Gone: sent mail cannot be read" in warning for warning in row["warnings"])

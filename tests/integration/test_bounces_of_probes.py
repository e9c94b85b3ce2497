"""The reason why a probe came back or is late, whichever system says so: against the embedded server."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from mailmon.mail.advice import advice_on
from mailmon.mail.probe.probe import find_token
from mailmon.sandbox import Sandbox
from mailmon.sandbox.bounce_forms import FORMS
from tests.bed import Bed
from tests.bed.postfix import reload, set_parameter
from tests.embedded import MAIN, monitor_of, probes_in, put_foreign_mail, route_to
from tests.mail.bounce.letters import LETTERS, ORIGINAL, Letter
from tests.monitor import Monitor

REASON = "5.2.2 mailbox is full"


@pytest.fixture
def monitor(sandbox: Sandbox, tmp_path: Path) -> Monitor:
    return monitor_of(sandbox, tmp_path)


@pytest.mark.parametrize("form", [*(name for name in FORMS if "delay" not in name), None])
@pytest.mark.parametrize("headers_only", [False, True], ids=["whole", "headers"])
def test_a_probe_that_came_back_is_told_with_the_reason(
    form: str | None, headers_only: bool, sandbox: Sandbox, monitor: Monitor
) -> None:
    """Of qmail and in other languages it was "not received", although the classifier reads them."""
    sandbox.faults.bounce, sandbox.faults.bounce_form = REASON, form
    sandbox.faults.bounce_headers_only = headers_only
    step = monitor.check().step("receive:main")
    assert [finding["id"] for finding in step["findings"]] == ["route.bounced"]
    assert "then bounced: " in step["message"]
    assert REASON in step["message"]
    assert step["message"].count("5.2.2") == 1
    assert step["advice"] == advice_on("mailbox-full")
    assert step["duration_s"] < 1


@pytest.mark.parametrize("form", ["exim_delay", "postfix_delay"])
def test_why_a_probe_is_late_is_told_when_it_does_not_come(form: str, sandbox: Sandbox, monitor: Monitor) -> None:
    sandbox.faults.bounce, sandbox.faults.bounce_form = "connect to mx2.example.org: Connection refused", form
    first = monitor.check().step("receive:main")
    assert [finding["id"] for finding in first["findings"]] == ["route.not_received"]
    assert first["message"].startswith("not received within 1 s; accepted by ")
    assert "; delayed: " in first["message"]
    assert "connect to mx2.example.org: Connection refused" in first["message"]
    assert first["advice"] == advice_on("next-server-down")
    sandbox.faults.bounce = None
    assert monitor.check().step("receive:main")["status"] == "ok"


def test_a_delay_notice_does_not_end_the_wait(sandbox: Sandbox, monitor: Monitor) -> None:
    monitor.config["routes"]["main"]["receive_timeout_s"] = 10
    sandbox.faults.bounce, sandbox.faults.bounce_form = "connect to mx2: Connection refused", "postfix_delay"

    def deliver_late() -> None:
        while not sandbox.accepted:
            time.sleep(0.02)
        time.sleep(0.7)
        sandbox.store.mailbox(MAIN).append(sandbox.accepted[0].raw)

    late = threading.Thread(target=deliver_late, daemon=True)
    late.start()
    step = monitor.check().step("receive:main")
    late.join(5)
    assert step["status"] == "ok", step


def around(letter: Letter, probe: bytes) -> bytes:
    """Return a sample notification as it would be written about a probe."""
    text = letter.text if ORIGINAL in letter.text else f"{letter.text}\n\n--- Original message ---\n\n{ORIGINAL}"
    text = text.replace(ORIGINAL, probe.decode().replace("\r\n", "\n")).replace("bob@example.org", MAIN)
    written = letter._replace(text=text, fields=letter.fields.replace("bob@example.org", MAIN))
    return written.raw.replace(b"alice@example.com", MAIN.encode()).replace(b"\n", b"\r\n")


def test_every_form_that_the_classifier_knows_is_told_in_a_check(sandbox: Sandbox, monitor: Monitor) -> None:
    """One run with a route for each sample; the answers come in words while it waits."""
    sandbox.faults.lose_mail = True
    bounces = [letter for letter in LETTERS if letter.kind == "bounce"]
    route = {**route_to(), "receive_timeout_s": 15}
    monitor.config["routes"] = {f"r{number}": route for number in range(len(bounces))}

    def answer() -> None:
        for number, letter in enumerate(bounces):
            while len(sandbox.accepted) <= number:
                time.sleep(0.01)
            sandbox.store.mailbox(MAIN).append(around(letter, sandbox.accepted[number].raw))

    answering = threading.Thread(target=answer, daemon=True)
    answering.start()
    run = monitor.check()
    answering.join(5)
    told = {step["message"] for step in run.document["steps"] if step["check"] == "receive"}
    for letter in bounces:
        assert any("then bounced: " in words and letter.status in words for words in told), (letter.system, told)
    assert all("then bounced: " in words for words in told)


def test_a_letter_that_quotes_the_token_of_a_settled_probe_changes_nothing(sandbox: Sandbox, monitor: Monitor) -> None:
    assert monitor.check().exit_code == 0
    sandbox.faults.lose_mail = True
    monitor.check()
    sandbox.faults.lose_mail = False
    arrived, lost = (find_token(mail.raw.decode()) for mail in sandbox.accepted)
    forged = (
        b"Return-Path: <>\r\nFrom: MAILER-DAEMON@evil.example\r\nTo: monitor@example.org\r\nSubject: failure notice\r\n"
        b"\r\n<monitor@example.org>: 550 5.1.1 no such user\r\nmailmon probe %s\r\n"
    )
    assert arrived
    sandbox.store.mailbox(MAIN).append(forged % arrived.encode())
    run = monitor.check()
    assert run.exit_code == 0
    assert "bounced" not in run.stdout
    assert lost
    put_foreign_mail(sandbox)
    assert len(probes_in(sandbox)) == 1


def of_bed(bed: Bed, directory: Path, recipient: str, timeout_s: float) -> Monitor:
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
    account = {
        "address": bed.user,
        "password": bed.password,
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
    }
    route = {"from": "main", "to": recipient, "in": "main", "receive_timeout_s": timeout_s}
    return Monitor(directory, {"accounts": {"main": account}, "routes": {"main": route}, "notify": "none"})


@pytest.mark.bed
def test_a_bounce_of_a_real_postfix_is_told_and_taken_away(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    run = of_bed(bed, tmp_path, "bounce@mail.test", 30).check()
    assert "then bounced: 5.2.2 mailbox full (testbed)" in run.step("receive:main")["message"]
    assert bed.mails("monitor") == []


@pytest.mark.bed
def test_a_real_postfix_says_why_a_probe_is_late(bed: Bed, tmp_path: Path) -> None:
    """The notice of `delay_warning_time` held the reason, and nobody read it."""
    bed.reset()
    set_parameter(bed.directory, "delay_warning_time", "1s")
    reload(bed.directory)
    try:
        step = of_bed(bed, tmp_path, "monitor+defer@mail.test", 25).check().step("receive:main")
    finally:
        set_parameter(bed.directory, "delay_warning_time", "0h")
        reload(bed.directory)
        bed.reset()
    assert step["message"].startswith("not received within 25 s; accepted by localhost:")
    assert "; delayed: " in step["message"]
    assert "451 4.3.0 deferred (testbed)" in step["message"]

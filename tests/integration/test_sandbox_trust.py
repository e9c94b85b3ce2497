"""Logins, certificates and connections that fail or come back: at most one refusal, no credential to a stranger."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, findings_of, monitor_of, probes_in, put_foreign_mail, route_to
from tests.link import Link
from tests.monitor import Monitor


def account(monitor: Monitor) -> dict[str, Any]:
    made: dict[str, Any] = monitor.config["accounts"]["main"]
    return made


def set_trust(monitor: Monitor, **trust: Any) -> None:
    """Replace how the certificates of both services are verified."""
    for service in ("smtp", "imap"):
        del account(monitor)[service]["ca_file"]
        account(monitor)[service] |= trust


@pytest.mark.parametrize("spelling", ["plain", "colons"])
def test_a_pin_takes_the_place_of_chain_and_name(monitor: Monitor, sandbox: Sandbox, spelling: str) -> None:
    digest = sandbox.certificate_sha256
    if spelling == "colons":
        digest = ":".join(digest[n : n + 2] for n in range(0, 64, 2)).upper()
    set_trust(monitor, tls_sha256=["0" * 64, digest])
    run = monitor.run("check")
    assert (run.exit_code, run.stderr) == (0, "")


def test_a_wrong_pin_is_a_certificate_failure_before_any_credential(monitor: Monitor, sandbox: Sandbox) -> None:
    set_trust(monitor, tls_sha256=["0" * 64])
    run = monitor.check("-v")
    assert run.exit_code == 1
    assert run.troubled == ["imap_auth:main", "smtp_auth:main"]
    assert findings_of(run) == ["tls.pin_mismatch"] * 2
    for step in ("imap_auth:main", "smtp_auth:main"):
        assert ": certificate: the certificate's SHA-256 is " in run.step(step)["message"]
        assert sandbox.certificate_sha256 in run.step(step)["message"]
    assert sandbox.logins == {}
    assert "LOGIN" not in run.stderr
    assert "AUTH PLAIN" not in run.stderr


@pytest.mark.parametrize(
    ("certificate", "finding"),
    [("expired", "tls.cert_expired"), ("self_signed", "tls.cert_self_signed"), ("wrong_name", "tls.cert_name")],
)
def test_a_bad_certificate_gets_no_credential(
    monitor: Monitor, sandbox: Sandbox, certificate: str, finding: str
) -> None:
    sandbox.faults.certificate = certificate
    run = monitor.check()
    assert run.exit_code == 1
    assert findings_of(run) == [finding] * 2
    assert sandbox.logins == {}


def test_insecure_takes_any_certificate_and_warns_on_every_run(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.certificate = "self_signed"
    set_trust(monitor, insecure=True)
    for _ in range(2):
        run = monitor.run("check")
        assert run.exit_code == 0
        assert run.stderr.count("is not verified") == 2
    account(monitor)["imap"]["tls_sha256"] = ["0" * 64]
    run = monitor.run("check")
    assert run.exit_code == 78
    assert "insecure and tls_sha256 exclude each other" in run.stderr


def test_a_missing_starttls_is_a_failure_and_never_a_downgrade(monitor: Monitor, sandbox: Sandbox) -> None:
    account(monitor)["imap"] |= {"port": sandbox.imap_port, "security": "starttls"}
    assert monitor.check().exit_code == 0
    sandbox.logins.clear()
    sandbox.faults.hidden_capabilities = {"STARTTLS"}
    run = monitor.check()
    assert findings_of(run) == ["imap.starttls_missing"]
    assert ("imap", "ok") not in sandbox.logins


def test_plain_text_on_a_tls_port_is_said_as_such(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.plaintext_on_tls = True
    assert findings_of(monitor.check()) == ["imap.plaintext_on_tls_port"]


@pytest.mark.parametrize("names", [{"AUTH=PLAIN"}, {"IDLE", "MOVE", "UNSELECT", "ID", "LITERAL+", "SASL-IR"}])
def test_capabilities_that_a_server_hides_are_not_needed(monitor: Monitor, sandbox: Sandbox, names: set[str]) -> None:
    sandbox.faults.hidden_capabilities = names
    run = monitor.check()
    assert run.exit_code == 0, run.stdout
    assert probes_in(sandbox) == []


def test_a_server_that_hides_uidplus_is_not_asked_for_it(monitor: Monitor, sandbox: Sandbox) -> None:
    foreign = put_foreign_mail(sandbox, 1)
    foreign[0].flags.add("\\Deleted")
    sandbox.faults.hidden_capabilities = {"UIDPLUS"}
    run = monitor.check("-v")
    assert findings_of(run) == ["cleanup.not_possible"]
    assert "EXPUNGE" not in run.stderr
    assert foreign[0] in sandbox.store.mailbox(MAIN).messages


def test_a_server_that_disables_login_but_offers_auth_plain_is_logged_in_to(monitor: Monitor, sandbox: Sandbox) -> None:
    """RFC 3501 section 6.2.3: LOGINDISABLED speaks of the LOGIN command only."""
    sandbox.faults.login_disabled = True
    run = monitor.check()
    assert run.exit_code == 0, run.step("imap_auth:main")["message"]


def test_a_server_that_allows_no_login_at_all_gets_no_credential(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.login_disabled = True
    sandbox.faults.hidden_capabilities = {"AUTH=PLAIN"}
    run = monitor.check("-v")
    assert findings_of(run) == ["imap.auth_not_offered"]
    assert ("imap", "ok") not in sandbox.logins
    assert ("imap", "refused") not in sandbox.logins


@pytest.mark.parametrize("password", ['quote"d\\', "umläut €", " leading and trailing "])
def test_an_odd_password_logs_in_by_both_protocols(receiver: Receiver, tmp_path: Path, password: str) -> None:
    with Sandbox(users={MAIN: password}, directory=tmp_path / "sandbox") as sandbox:
        run = monitor_of(sandbox, tmp_path, receiver).check()
    assert run.exit_code == 0, run.stdout


def test_a_refused_login_is_tried_once_for_each_service_and_run(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.config["routes"] |= {"again": route_to(), "detail": route_to("monitor+detail@example.org")}
    sandbox.faults.refuse_login = {"smtp", "imap"}
    for number in (1, 2):
        assert monitor.check().exit_code == 1
        assert sandbox.logins == {("smtp", "refused"): number, ("imap", "refused"): number}


def test_a_refused_login_is_not_also_told_as_mail_not_received(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.refuse_login = {"imap"}
    assert monitor.check().troubled == ["imap_auth:main"]
    [message] = receiver.ntfy_messages()
    assert f"127.0.0.1:{sandbox.imaps_port}: IMAP Auth failing since " in str(message["title"])
    assert "Receive" not in str(message["message"])


@pytest.fixture
def link(sandbox: Sandbox, monitor: Monitor) -> Any:
    """A link to the IMAP server that can be cut."""
    with Link(sandbox.imaps_port) as link:
        account(monitor)["imap"]["port"] = link.port
        yield link


def cut_while_waiting(monitor: Monitor, sandbox: Sandbox, link: Link, *, refuse: bool = False) -> dict[str, Any]:
    """Cut the IMAP connection while the probe is awaited; return the document of the run."""
    monitor.config["routes"]["main"]["receive_timeout_s"] = 5
    sandbox.faults.delivery_delay_s = 1.0
    with monitor.start(["check", "--json"]) as process:
        while not sandbox.accepted:
            time.sleep(0.005)
        time.sleep(0.3)
        if refuse:
            link.refuse()
        link.cut()
        stdout, stderr = process.communicate(timeout=30)
    assert stderr == ""
    document: dict[str, Any] = json.loads(stdout)
    return document


def test_a_connection_that_breaks_is_opened_once_more(monitor: Monitor, sandbox: Sandbox, link: Link) -> None:
    document = cut_while_waiting(monitor, sandbox, link)
    assert document["status"] == "ok", document
    assert link.connections == 2
    assert sandbox.logins["imap", "ok"] == 2
    assert sandbox.logins["smtp", "ok"] == 1
    assert probes_in(sandbox) == []


def test_a_broken_connection_that_cannot_be_reopened_is_the_servers_failure(
    monitor: Monitor, sandbox: Sandbox, link: Link
) -> None:
    document = cut_while_waiting(monitor, sandbox, link, refuse=True)
    assert document["status"] == "failed"
    step = next(step for step in document["steps"] if step["id"] == "receive:main")
    assert [finding["id"] for finding in step["findings"]] == ["imap.connection_lost"]
    assert "opened again: connect: connection refused" in step["message"]


def test_a_server_that_cuts_every_connection_is_opened_once_more_and_not_again(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    sandbox.faults.cut_imap = True
    run = monitor.check()
    assert run.exit_code == 1
    assert sandbox.connections["imap"] <= 2
    assert "imap.connection_lost" in findings_of(run)


HOSTILE = "550 5.1.1 \x1b[31mno <b>such</b> @everyone user"


@pytest.mark.parametrize(
    ("fault", "reply", "step", "words"),
    [
        ("greeting", "554 5.3.2 go away", "smtp_auth:main", "greeting: 554 5.3.2 go away"),
        ("greeting", "421 4.3.2 too busy", "smtp_auth:main", "greeting: 421 4.3.2 too busy (temporary)"),
        ("mail_reply", "452 4.3.1 disk full", "send:main", "MAIL: 452 4.3.1 disk full (temporary)"),
        ("mail_reply", "553 5.7.1 not yours", "send:main", "MAIL: 553 5.7.1 not yours"),
        ("rcpt_reply", "450 4.2.0 greylisted", "send:main", "RCPT: 450 4.2.0 greylisted (temporary)"),
        ("rcpt_reply", HOSTILE, "send:main", r"RCPT: 550 5.1.1 \x1b[31mno <b>such</b> @everyone user"),
        ("data_reply", "554 5.7.1 spam", "send:main", "DATA: 554 5.7.1 spam"),
        ("data_reply", "451 4.7.1 try later", "send:main", "DATA: 451 4.7.1 try later (temporary)"),
    ],
    ids=lambda value: value if value != HOSTILE else "hostile",
)
def test_a_refusal_is_quoted_with_its_stage_and_class(
    monitor: Monitor, sandbox: Sandbox, fault: str, reply: str, step: str, words: str
) -> None:
    setattr(sandbox.faults, fault, reply)
    run = monitor.check()
    assert run.exit_code == 1
    assert run.troubled == [step]
    assert run.step(step)["message"].endswith(words), run.step(step)["message"]
    assert run.step(step)["advice"]
    assert "\x1b" not in monitor.run("check").stdout


@pytest.mark.parametrize("service", ["smtp", "imap"])
@pytest.mark.parametrize("fault", ["silent", "refuse_connection"])
def test_a_server_that_says_nothing_or_hangs_up_is_a_failure_in_time(
    monitor: Monitor, sandbox: Sandbox, service: str, fault: str
) -> None:
    account(monitor)[service]["timeout_s"] = 1
    setattr(sandbox.faults, fault, {service})
    run = monitor.check()
    assert run.exit_code == 1
    assert run.troubled == [f"{service}_auth:main"]
    assert run.took_s < 4

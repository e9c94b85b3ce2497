"""What is said of a real Postfix and Dovecot: what they have, nothing else; and of each certificate, on all ports."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailmon.clients.records import Answered, Records
from mailmon.diagnose.blocklists import LISTS, BlockList
from mailmon.diagnose.dnsbl import judge_lists
from mailmon.diagnose.plan import Options, Request, kinds_for
from mailmon.diagnose.run import diagnose
from mailmon.model import Severity, Verdict
from mailmon.model.diagnosis import Diagnosis
from tests.bed import Bed
from tests.monitor import Monitor

pytestmark = pytest.mark.bed

PORTS = {
    "smtp": "smtp",
    "submission": "submission",
    "smtps": "smtps",
    "imap": "imap",
    "imaps": "imaps",
    "pop3": "pop3",
    "pop3s": "pop3s",
}
# The bed's Postfix takes TLS 1.0, as Debian 12's does, and its Dovecot trusts clients on loopback.
HAS = {
    ("smtp", "tls.old_version"),
    ("submission", "tls.old_version"),
    ("smtps", "tls.old_version"),
    ("imap", "imap.auth_before_tls"),
    ("pop3", "pop3.auth_before_tls"),
}


def look(bed: Bed, *names: str, **options: object) -> Diagnosis:
    ports = tuple(f"{bed.ports[name]}:{PORTS[name]}" for name in names or PORTS)
    request = Request("mail.test", tuple(kinds_for(ports, None)), False, (("127.0.0.1", bed.ports["dns"]),))
    return diagnose(request, Options(str(bed.ca_file), relay="all")._replace(**options))  # type: ignore[arg-type]


def failures(bed: Bed, found: Diagnosis) -> set[tuple[str, str]]:
    names = {f"mail.test:{bed.ports[name]}": name for name in PORTS}
    return {
        (names.get(one.target, one.target), one.id)
        for one in found.findings
        if one.status is Verdict.FAIL and one.severity not in (Severity.NOTICE, Severity.INFO)
    }


def test_healthy_servers_have_just_the_findings_that_they_have(bed: Bed) -> None:
    bed.reset()
    found = look(bed)
    assert failures(bed, found) == HAS
    assert [one for one in found.findings if one.status is Verdict.UNKNOWN] == []
    assert {one.tls.version for one in found.services if one.tls} == {"TLSv1.3"}
    assert any(one.id == "tls.cert_differs_between_ports" and one.status is Verdict.PASS for one in found.findings)
    assert found.duration_s < 3


@pytest.fixture
def with_certificate(bed: Bed) -> Iterator[Bed]:
    yield bed
    bed.use_certificate("server")


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("expired", "tls.cert_expired"),
        ("soon", "tls.cert_expiring"),
        ("wronghost", "tls.cert_name"),
        ("selfsigned", "tls.cert_self_signed"),
    ],
)
def test_each_certificate_has_its_finding_on_all_ports(with_certificate: Bed, name: str, finding: str) -> None:
    with_certificate.use_certificate(name)
    found = failures(with_certificate, look(with_certificate))
    assert found - HAS == {(port, finding) for port in PORTS}


def test_a_port_that_shows_another_certificate_is_noticed(with_certificate: Bed) -> None:
    bed = with_certificate
    bed.use_certificate_for_mailboxes("soon")
    found = failures(bed, look(bed)) - HAS
    assert ("mail.test", "tls.cert_differs_between_ports") in found
    assert Counter(finding for _, finding in found)["tls.cert_expiring"] == 4


def test_smuggling_and_wrong_passwords_are_tried_with_leave(bed: Bed) -> None:
    bed.reset()
    found = look(bed, "smtp", "imaps", is_intrusive=True, mailbox=bed.user)
    by_id = {one.id: one.status for one in found.findings if one.id in ("smtp.smuggling", "imap.any_password_accepted")}
    # Debian 12's Postfix takes a bare LF for an end of line unless it is told not to.
    assert by_id == {"smtp.smuggling": Verdict.FAIL, "imap.any_password_accepted": Verdict.PASS}


def test_an_account_logs_in_with_its_password_nowhere_to_be_seen(bed: Bed) -> None:
    bed.reset()
    found = look(bed, "submission", "imaps", "pop3s", username=bed.user, password=bed.password)
    logins = [one for one in found.findings if one.id.endswith(".login_refused")]
    assert [one.status for one in logins] == [Verdict.PASS] * 3
    assert all(bed.password not in line.text for one in found.transcripts for line in one.lines)
    wrong = look(bed, "imaps", username=bed.user, password="not-the-password")
    refused = [one for one in wrong.findings if one.id == "imap.login_refused"]
    assert [(one.status, one.fix[:24]) for one in refused] == [(Verdict.FAIL, "Check the password file;")]


def test_a_block_list_is_asked_by_real_dns(bed: Bed) -> None:
    records = Records((("127.0.0.1", bed.ports["dns"]),), 2)
    lists = [BlockList("bl.test", {"127.0.0.4": "test"}), BlockList("dead.test", {"127.0.0.2": "test"})]
    said = [[(one.id, one.status.value) for one in judged.all] for judged in judge_lists(records, "192.0.2.66", lists)]
    assert said == [[("dnsbl.listed", "fail")], [("dnsbl.unavailable", "unknown")]]
    assert judge_lists(records, "192.0.2.1", lists[:1])[0].all[0].status is Verdict.PASS


def test_dns_tells_missing_names_from_missing_records(bed: Bed) -> None:
    records = Records((("127.0.0.1", bed.ports["dns"]),), 2)
    assert records.ask("nowhere.broken.test", "A").kind is Answered.NXDOMAIN
    assert records.ask("mail.test", "AAAA").kind is Answered.NODATA
    assert records.ask("mail.test", "MX").values == ("10 mx.mail.test",)
    assert Records((("127.0.0.1", 9),), 0.5).ask("mail.test", "A").kind is Answered.FAILED


def test_a_domain_is_looked_at_by_its_mx(bed: Bed) -> None:
    request = Request("broken.test", tuple(kinds_for((), None)), True, (("127.0.0.1", bed.ports["dns"]),))
    found = diagnose(request, Options())
    assert [(one.id, one.status.value) for one in found.findings if one.status is Verdict.FAIL] == [
        ("dns.mx_dangling", "fail")
    ]


def test_the_cycle_looks_now_and_then_and_tells_what_is_new(with_certificate: Bed, tmp_path: Path) -> None:
    bed = with_certificate
    config = {
        "accounts": {
            "main": {
                "address": bed.user,
                "password": bed.password,
                "imap": {
                    "host": "localhost",
                    "port": bed.ports["imaps"],
                    "security": "tls",
                    "ca_file": str(bed.ca_file),
                },
            }
        },
        "dns": {"nameservers": [f"127.0.0.1:{bed.ports['dns']}"]},
        "notify": "none",
        "checks": {
            "diagnose": {
                "hosts": [f"mail.test:{bed.ports['smtps']}:smtps"],
                "ca_file": str(bed.ca_file),
                "interval": "1d",
                "skip": ["tls.old_version"],
            },
            "dnsbl": {
                "hosts": ["192.0.2.66"],
                "lists": {"bl.test": {"codes": {"127.0.0.4": "test"}}},
                "without": [one.zone for one in LISTS],
            },
        },
    }
    monitor = Monitor(tmp_path, config)
    first = monitor.run("check", "--json")
    host = f"mail.test:{bed.ports['smtps']}:smtps"
    assert first.step(f"diagnose:{host}")["status"] == "ok"
    listed = first.step("dnsbl:192.0.2.66")
    assert (listed["status"], "bl.test" in listed["message"]) == ("failed", True)
    again = monitor.run("check", "--json").document["steps"]
    assert [step["id"] for step in again if step["check"] in ("diagnose", "dnsbl")] == []
    bed.use_certificate("expired")
    asked = monitor.run("check", host, "--json")
    assert asked.step(f"diagnose:{host}")["status"] == "failed"
    assert [change["to"] for change in asked.document["changes"]] == ["down"]


def configured(bed: Bed, address: str) -> dict[str, object]:
    """Return a configuration with one account at the bed."""
    imap = {"host": "localhost", "port": bed.ports["imaps"], "security": "tls", "ca_file": str(bed.ca_file)}
    account = {"address": address, "username": bed.user, "password": bed.password, "imap": imap}
    nameservers = [f"127.0.0.1:{bed.ports['dns']}"]
    return {"accounts": {"main": account}, "dns": {"nameservers": nameservers}, "notify": "none"}


def test_messages_of_the_smuggling_test_are_removed_where_an_account_reads_them(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    subject = b"Subject: mailmon looks for SMTP smuggling\r\n"
    bed.deliver("monitor", subject + b"X-Mailmon-Smuggling: of somebody else\r\n\r\nx\r\n")
    monitor = Monitor(tmp_path, configured(bed, bed.user))
    port = f"{bed.ports['smtp']}:smtp"
    options = ("--port", port, "--ca-file", str(bed.ca_file), "--intrusive", "--mailbox", bed.user, "--json")
    document = monitor.run("diagnose", "mail.test", *options).document
    notes = [note for note in document["notes"] if "smuggling test" in note]
    assert [re.sub(r"\d+", "N", note) for note in notes] == [
        f"the smuggling test sent N messages to {bed.user}; N were deleted"
    ]
    sent, removed = map(int, re.findall(r"\d+", notes[0]))
    assert 2 <= sent == removed
    assert [b"of somebody else" in path.read_bytes() for path in bed.mails("monitor")] == [True]


def test_where_no_account_reads_them_it_is_said_how_many_are_left_and_where(bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    monitor = Monitor(tmp_path, configured(bed, "another@example.org"))
    port = f"{bed.ports['smtp']}:smtp"
    options = ("--port", port, "--ca-file", str(bed.ca_file), "--intrusive", "--mailbox", bed.user, "--json")
    document = monitor.run("diagnose", "mail.test", *options).document
    (note,) = [note for note in document["notes"] if "smuggling test" in note]
    left = int(re.findall(r"\d+", note)[0])
    assert f"left {left} messages in {bed.user} (Subject: mailmon looks for SMTP smuggling): delete them (" in note
    wait_until(lambda: len(bed.mails("monitor")) == left)


def wait_until(is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not is_so() and time.monotonic() < until_s:
        time.sleep(0.05)
    assert is_so()

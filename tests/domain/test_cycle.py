"""Domains in a cycle: checked now and then; new findings and changed records are announced."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailmon.sandbox.receiver import Receiver
from tests.bed import Bed
from tests.domain.cases import DOMAIN, Case, Changes, zones_of
from tests.domain.nameserver import SERVFAIL, Faults, serving
from tests.embedded import kinds, state_of
from tests.monitor import Monitor, Run


def look(monitor: Monitor, changes: Changes, faults: Faults | None = None, *arguments: str) -> Run:
    with serving(zones_of(Case("", "", changes)), faults) as server:
        monitor.config["dns"] = {"nameservers": [f"127.0.0.1:{server.port}"]}
        return monitor.check(*arguments)


@pytest.fixture
def watching(monitor: Monitor) -> Monitor:
    monitor.config["checks"]["dns"] = {
        "domains": {DOMAIN: {"selectors": ["s1"], "addresses": ["9.9.9.9"]}},
        "connect": False,
    }
    return monitor


def test_a_domain_is_looked_at_once_a_day(watching: Monitor, receiver: Receiver) -> None:
    first = look(watching, {})
    assert (first.exit_code, first.step(f"dns:{DOMAIN}")["status"]) == (0, "ok"), first.stdout
    assert [step["id"] for step in look(watching, {}).document["steps"] if step["check"] == "dns"] == []
    assert receiver.requests == []


def test_a_changed_record_is_told_once_with_both_values(watching: Monitor, receiver: Receiver) -> None:
    look(watching, {})
    changed: Changes = {"@ MX": ["10 mx1.firm.example."]}
    for _ in range(2):
        run = look(watching, changed, None, DOMAIN)
        assert run.step(f"dns:{DOMAIN}")["status"] == "warning", run.stdout
    (message,) = receiver.ntfy_messages()
    assert "changed from 10 mx1.firm.example; 20 mx2.firm.example to 10 mx1.firm.example" in str(message["message"])
    back = look(watching, {}, None, DOMAIN)
    assert back.step(f"dns:{DOMAIN}")["status"] == "ok"
    assert kinds(receiver) == ["warning", "recovery"]


def test_a_new_finding_is_told_and_no_answer_is_none(watching: Monitor, receiver: Receiver) -> None:
    look(watching, {})
    silent = look(watching, {}, {DOMAIN: SERVFAIL}, DOMAIN)
    assert silent.step(f"dns:{DOMAIN}")["status"] == "ok", "SERVFAIL is no change, and nothing is missing"
    broken = look(watching, {"@ TXT": ['"v=spf1 mx +all"']}, None, DOMAIN)
    assert broken.step(f"dns:{DOMAIN}")["status"] == "failed"
    text = str(receiver.ntfy_messages()[0]["message"])
    assert "authorises a large part of the Internet" in text
    assert "changed from v=spf1 mx ip4:9.9.9.9 -all to v=spf1 mx +all" in text


@pytest.mark.bed
def test_the_selector_is_learnt_from_the_probes_that_arrive(bed: Bed, tmp_path: Path) -> None:
    place = {"host": "localhost", "ca_file": str(bed.ca_file)}
    account = {
        "address": bed.user,
        "password": bed.password,
        "imap": {"port": bed.ports["imaps"], "security": "tls", **place},
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **place},
    }
    config = {
        "accounts": {"main": account},
        "routes": {"main": {"from": "main", "to": bed.user, "in": "main"}},
        "dns": {"nameservers": [f"127.0.0.1:{bed.ports['dns']}"]},
        "notify": "none",
        "checks": {"dns": {"domains": {"mail.test": {}}, "connect": False, "skip": ["dns.mx_private"]}},
    }
    monitor = Monitor(tmp_path, config)
    first = monitor.check()
    assert first.exit_code == 0, first.stdout + first.stderr
    assert state_of(monitor)["selectors"] == {"mail.test": ["tb"]}
    assert "tb._domainkey.mail.test TXT" not in state_of(monitor)["records"]["mail.test"]
    assert monitor.check("mail.test").exit_code == 0
    assert "tb._domainkey.mail.test TXT" in state_of(monitor)["records"]["mail.test"]

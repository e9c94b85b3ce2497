"""Mail to internationalized addresses, and servers that do not accept them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Faults, Sandbox
from tests.bed import Bed
from tests.embedded import findings_of, route_to
from tests.monitor import Monitor

JURGEN, OFFICE = "jürgen@bücher.example", "office@bücher.example"
ON_WIRE = "office@xn--bcher-kva.example"


@pytest.fixture
def peer() -> Iterator[Sandbox]:
    sandbox = Sandbox(faults=Faults(), users={JURGEN: "pässwörd", ON_WIRE: "password"})
    with sandbox:
        yield sandbox


def monitor_of(peer: Sandbox, directory: Path, address: str, password: str, username: str) -> Monitor:
    trust = {"host": "127.0.0.1", "ca_file": str(peer.ca_file)}
    account = {
        "address": address, "username": username, "password": password,
        "smtp": {"port": peer.smtp_port, **trust}, "imap": {"port": peer.imaps_port, **trust},
    }  # fmt: skip
    return _monitor(directory, account, route_to(address))


def _monitor(directory: Path, account: dict[str, Any], route: dict[str, Any]) -> Monitor:
    checks = {"defaults": {"failure_threshold": 1}}
    config = {"accounts": {"main": account}, "routes": {"main": route}, "checks": checks, "notify": "none"}
    return Monitor(directory, config)


def test_a_mailbox_in_utf8_works_from_end_to_end(peer: Sandbox, tmp_path: Path) -> None:
    monitor = monitor_of(peer, tmp_path, JURGEN, "pässwörd", JURGEN)
    for _ in range(2):
        run = monitor.check("-v")
        assert (run.exit_code, run.troubled) == (0, []), run.stdout + run.stderr
    assert "pässwörd" not in run.stdout + run.stderr
    assert "SMTPUTF8" in run.stderr
    assert f"To: {JURGEN}".encode() in peer.accepted[0].raw
    assert b"@xn--bcher-kva.example>\r\n" in peer.accepted[0].raw
    assert peer.store.mailbox(JURGEN).messages == []


def test_a_domain_in_another_script_needs_nothing_of_the_server(peer: Sandbox, tmp_path: Path) -> None:
    peer.faults.no_smtputf8 = True
    run = monitor_of(peer, tmp_path, OFFICE, "password", ON_WIRE).check()
    assert (run.exit_code, run.troubled) == (0, []), run.stdout
    assert peer.accepted[0].recipients == (ON_WIRE,)
    assert peer.accepted[0].raw.isascii()


def test_a_server_without_smtputf8_is_named_before_anything_is_sent(peer: Sandbox, tmp_path: Path) -> None:
    peer.faults.no_smtputf8 = True
    run = monitor_of(peer, tmp_path, JURGEN, "pässwörd", JURGEN).check()
    step = run.step("send:main")
    assert (step["status"], step["findings"][0]["id"]) == ("failed", "smtp.smtputf8_missing")
    assert JURGEN in step["message"]
    assert peer.accepted == []


def test_a_bounce_of_such_an_address_ends_the_wait(peer: Sandbox, tmp_path: Path) -> None:
    peer.faults.bounce = "5.1.1 no such user"
    monitor = monitor_of(peer, tmp_path, JURGEN, "pässwörd", JURGEN)
    assert findings_of(monitor.check()) == ["route.bounced"]


def test_a_real_postfix_takes_it_and_loses_it_with_its_bounce(bed: Bed, tmp_path: Path) -> None:
    """Postfix offers SMTPUTF8, Dovecot's LMTP does not: the message bounces, and so does the bounce."""
    bed.reset()
    trust = {"host": "localhost", "ca_file": str(bed.ca_file)}
    account = {
        "address": bed.user, "password": bed.password,
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
    }  # fmt: skip
    run = _monitor(tmp_path, account, {**route_to("jürgen@mail.test"), "receive_timeout_s": 3}).check()
    assert run.step("send:main")["status"] == "ok", run.stdout
    found = run.step("receive:main")["findings"][0]
    assert (found["id"], "SMTPUTF8" in found["fix"]) == ("route.not_received", True)


@pytest.mark.parametrize("address", ["jürgen", "a\u202eb@example.org", "a@exa mple.org", "x@\u200b.org"])
def test_what_is_no_address_is_a_mistake(peer: Sandbox, tmp_path: Path, address: str) -> None:
    run = monitor_of(peer, tmp_path, address, "x", "x").check()
    assert (run.exit_code, "accounts.main.address: " in run.stderr) == (78, True), run.stderr

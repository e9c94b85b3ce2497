"""A real server with SCRAM-SHA-256 only, by IMAP, POP3 and submission."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bed import Bed
from tests.bed import postfix as bed_postfix
from tests.link import Link
from tests.monitor import Monitor

ONLY = "scram-sha-256"


@pytest.fixture
def scram_bed(bed: Bed) -> Iterator[Bed]:
    """Let Dovecot, and with it Postfix, know SCRAM-SHA-256 alone for a while."""
    path = bed.directory / "dovecot.conf"
    before = path.read_text()
    bed.reset()
    _restart(bed, path, before.replace("auth_mechanisms = plain login", f"auth_mechanisms = {ONLY}"), ONLY.upper())
    yield bed
    _restart(bed, path, before, "PLAIN")


def _restart(bed: Bed, path: Path, text: str, offered: str) -> None:
    """Have a configuration read, and wait until both servers offer what it says."""
    path.write_text(text)
    os.kill(bed.processes["dovecot"], signal.SIGHUP)
    deadline_s, agreed = time.monotonic() + 20, 0
    while agreed < 2:
        bed_postfix.reload(bed.directory)
        time.sleep(0.2)
        agreed = agreed + 1 if _offers(bed) == {offered} else 0
        assert time.monotonic() < deadline_s, _offers(bed)


def _offers(bed: Bed) -> set[str]:
    """Return the first mechanism that each of the servers offers."""
    import imaplib
    import smtplib
    import ssl

    context = ssl._create_unverified_context()
    found = set()
    try:
        with imaplib.IMAP4_SSL("127.0.0.1", bed.ports["imaps"], ssl_context=context, timeout=5) as imap:
            found.add(next((name.removeprefix("AUTH=") for name in imap.capabilities if name.startswith("AUTH=")), ""))
        with smtplib.SMTP("127.0.0.1", bed.ports["submission"], timeout=5) as smtp:
            smtp.starttls(context=context)
            smtp.ehlo()
            found.add(smtp.esmtp_features.get("auth", "").split()[0])
    except (OSError, imaplib.IMAP4.error, smtplib.SMTPException, IndexError) as error:
        found.add(str(error))
    return found


def monitor_for(bed: Bed, directory: Path, reads_by: str, password: str) -> Monitor:
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
    account: dict[str, Any] = {
        "address": bed.user,
        "password": password,
        "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
        reads_by: {"port": bed.ports[f"{reads_by}s"], "security": "tls", **trust},
    }
    routes = {"main": {"from": "main", "to": bed.user, "in": "main", "receive_timeout_s": 10}}
    return Monitor(directory, {"accounts": {"main": account}, "routes": routes, "notify": "none"})


@pytest.mark.parametrize("reads_by", ["imap", "pop3"])
def test_a_whole_cycle_goes_through_scram(scram_bed: Bed, tmp_path: Path, reads_by: str) -> None:
    run = monitor_for(scram_bed, tmp_path, reads_by, scram_bed.password).check("-v")
    assert run.troubled == [], run.stdout
    assert "AUTH SCRAM-SHA-256 ****" in run.stderr
    assert ("AUTHENTICATE SCRAM-SHA-256 ****" if reads_by == "imap" else "C: AUTH SCRAM-SHA-256") in run.stderr
    log = (scram_bed.directory / "log" / "dovecot.log").read_text()
    assert f"{reads_by}-login" in log
    assert "method=SCRAM-SHA-256" in log


@pytest.mark.parametrize("reads_by", ["imap", "pop3"])
def test_a_wrong_password_is_refused_by_scram_too(scram_bed: Bed, tmp_path: Path, reads_by: str) -> None:
    run = monitor_for(scram_bed, tmp_path, reads_by, "another-password").check()
    findings = [one["id"] for step in run.document["steps"] for one in step["findings"]]
    assert sorted(findings) == sorted([f"{reads_by}.login_refused", "smtp.login_refused"])


def test_a_session_that_postfix_ends_while_the_mailbox_is_slow_is_opened_again(bed: Bed, tmp_path: Path) -> None:
    """Postfix under stress waits ten seconds for the next command; here it is two."""
    bed.reset()
    path = bed.directory / "postfix" / "main.cf"
    before = path.read_text()
    path.write_text(f"{before}\nsmtpd_timeout = 2s\n")
    bed_postfix.reload(bed.directory)
    try:
        monitor = monitor_for(bed, tmp_path, "imap", bed.password)
        with Link(bed.ports["imaps"]) as slow:
            slow.delay_s = 1.0
            monitor.config["accounts"]["main"]["imap"]["port"] = slow.port
            run = monitor.check("-v")
    finally:
        path.write_text(before)
        bed_postfix.reload(bed.directory)
    assert run.troubled == [], run.stdout
    assert "421 4.4.2" in run.stderr
    assert len(bed.mails("monitor")) == 0

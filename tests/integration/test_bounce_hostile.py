"""Hostile mail in a folder of bounces holds up no alert: against real Postfix and Dovecot."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from pathlib import Path

import pytest

from mailmon.bounces import scan
from mailmon.sandbox.receiver import Receiver
from tests.bed import Bed
from tests.bed.clients import imap_session
from tests.embedded import TOPIC
from tests.mail.samples import dsn
from tests.monitor import Monitor

HEAD = b"Return-Path: <>\r\nFrom: MAILER-DAEMON@evil.example\r\nTo: monitor@mail.test\r\nSubject: Undelivered Mail\r\n"
FIELDS = "Final-Recipient: rfc822; bob@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: x%sy\n"
BLANKS = dsn(FIELDS % (" " * 64_000), returned=b"From: a@example.org\r\nSubject: x\r\n\r\n")
NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number) for number in range(2000)
)
SIBLINGS = (
    HEAD + b"\r\n<bob@example.org>: 550 " + b" " * 300_000 + b"x",
    HEAD + b"Authentication-Results: " + b"(" * 30_000 + b")" * 30_000 + b"\r\n\r\n550 no\r\n",
    HEAD + b"X-Mailer: mailmon 1" + b"A" * 300_000 + b"\r\n\r\n550 no\r\n",
    HEAD + b"X: 1\r\n" + b" a\r\n" * 100_000 + b"\r\n550 no\r\n",
    HEAD + b"Content-Type: text/html\r\n\r\nfailed &#" + b"9" * 5000 + b";\r\n",
    HEAD + NESTED + b"failed\r\n",
    HEAD + b"X-Mailmon-Token: x\r\n\r\n550 no\r\n",
    b"X-Mailmon-Token: x\r\nX-Mailmon-Signature: " + b"y" * 60_000 + b"\r\n\r\n550 no\r\n",
    dsn(FIELDS % "", returned=b"DKIM-Signature: v=1;" + b" " * 64_000 + b"d=mail.test\r\nFrom: a@mail.test\r\n\r\n"),
)


class Place:
    """A monitor with a folder of bounces on the bed, whose probes are swallowed."""

    def __init__(self, bed: Bed, receiver: Receiver, directory: Path) -> None:
        self.bed, self.name = bed, f"B{uuid.uuid4().hex[:8]}"
        trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
        account = {
            "address": bed.user,
            "password": bed.password,
            "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
            "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
            "bounces": {"folder": self.name},
        }
        route = {"from": "main", "to": "monitor+blackhole@mail.test", "in": "main", "receive_timeout_s": 3}
        config = {
            "accounts": {"main": account},
            "routes": {"main": route},
            "checks": {"defaults": {"failure_threshold": 1}},
            "notify": {"ntfy": {"server": receiver.url, "topic": TOPIC}},
        }
        self.monitor = Monitor(directory, config)
        imap = imap_session(bed)
        assert imap.create(self.name)[0] == "OK"
        imap.logout()

    def put(self, *messages: bytes) -> None:
        imap = imap_session(self.bed)
        for raw in messages:
            assert imap.append(self.name, "", "", raw)[0] == "OK"
        imap.logout()

    def position(self) -> int:
        """Return the last UID that was read."""
        connection = sqlite3.connect(next(self.monitor.state_file.parent.glob("*.sqlite")))
        (uid,) = connection.execute("SELECT last_uid FROM folders").fetchone()
        connection.close()
        return int(uid)


@pytest.mark.bed
def test_hostile_mail_among_the_bounces_delays_no_alert_about_lost_mail(
    bed: Bed, receiver: Receiver, tmp_path: Path
) -> None:
    """Twelve of them took 20 s each: no alert ever left, and the folder was never read beyond them."""
    bed.reset()
    place = Place(bed, receiver, tmp_path)
    quiet = place.monitor.check()
    assert quiet.step("receive:main")["status"] == "failed"
    assert len(receiver.ntfy_messages()) == 1
    shutil.rmtree(place.monitor.state_file.parent)
    place.put(*(BLANKS + b"%d" % number for number in range(12)), *SIBLINGS)
    hostile = place.monitor.check()
    assert hostile.step("receive:main")["status"] == "failed"
    assert len(receiver.ntfy_messages()) == 2
    assert "Receive Test" in str(receiver.ntfy_messages()[1])
    assert hostile.step("bounces:main")["status"] in ("ok", "warning")
    assert place.position() == 12 + len(SIBLINGS)
    assert hostile.took_s < quiet.took_s + 2
    assert place.monitor.check().step("bounces:main")["message"] == "OK (nothing new)"
    bed.reset()


def test_the_share_of_the_scan_is_shorter_than_the_wait_for_a_probe() -> None:
    from mailmon.checks.bounces import MAX_CPU_S, MAX_SCAN_S

    assert MAX_CPU_S < MAX_SCAN_S <= 10
    assert scan.MAX_MESSAGE_CPU_S <= 1

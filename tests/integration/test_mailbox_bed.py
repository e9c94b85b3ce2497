"""The watched mailbox on a real Postfix and Dovecot: hostile mail in it, and rights that do not allow a deletion."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox.receiver import Receiver
from tests.bed import Bed
from tests.bed.clients import imap_session
from tests.embedded import TOPIC, findings_of
from tests.integration.test_bounce_hostile import BLANKS, SIBLINGS
from tests.mail.samples import dsn
from tests.monitor import Monitor, Run

# From anybody, as they stand: a real Postfix hands all of it on unchanged.
HOSTILE = (
    *SIBLINGS,
    BLANKS,
    b"From: a@evil.example\r\nX-Mailmon-Token: x\r\nSubject: " + b"[a] " * 10_000 + b"mailmon probe mm\r\n\r\nx\r\n",
    b"From: postmaster@evil.example\r\nSubject: x\r\n\r\n" + b"<a@b.example>: 550 5.1.1 no\r\n" * 8000,
    b"From: a@evil.example\r\nContent-Type: multipart/report; boundary=b\r\n" + b"X: y\r\n" * 20_000 + b"\r\n--b\r\n",
    dsn(
        "Final-Recipient: rfc822; " + "(" * 30_000 + "\nAction: failed\nStatus: 5.0.0\n", returned=b"Subject: x\r\n\r\n"
    ),
)
assert len(HOSTILE) == 14


def monitor_for(bed: Bed, receiver: Receiver, directory: Path) -> Monitor:
    """Return a monitor of two accounts, each with a route to itself."""
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
    other = f"{bed.settings.accounts[1]}@{bed.domain}"
    accounts: dict[str, Any] = {
        name: {
            "address": address,
            "password": bed.password,
            "smtp": {"port": bed.ports["submission"], "security": "starttls", **trust},
            "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
        }
        for name, address in (("main", bed.user), ("other", other))
    }
    late = other.replace("@", "+d300@")
    routes: dict[str, Any] = {
        "main": {"from": "main", "to": bed.user.replace("@", "+d300@"), "in": "main", "receive_timeout_s": 10},
        "other": {"from": "other", "to": late, "in": "other", "receive_timeout_s": 10},
    }
    config = {
        "accounts": accounts,
        "routes": routes,
        "checks": {"defaults": {"failure_threshold": 1}},
        "notify": {"ntfy": {"server": receiver.url, "topic": TOPIC}},
    }
    return Monitor(directory, config)


def figures(run: Run, route: str) -> tuple[float, float]:
    """Return how long a delivery took and the bound of its error."""
    metrics = run.step(f"receive:{route}")["metrics"]
    return metrics["delivery_s"], metrics["delivery_error_s"]


def put(bed: Bed) -> None:
    for raw in HOSTILE:
        bed.deliver(bed.settings.accounts[0], raw, "a@evil.example")


def beside(monitor: Monitor, deed: Callable[[], None]) -> Run:
    thread = threading.Timer(0.2, deed)
    thread.start()
    run = monitor.check()
    thread.join()
    return run


@pytest.mark.bed
@pytest.mark.parametrize("when", ["before", "during"])
def test_hostile_mail_costs_a_second_at_most_and_no_figure_of_another_account(
    bed: Bed, receiver: Receiver, tmp_path: Path, when: str
) -> None:
    """A run took 92 s, and an unrelated account seemed to need 18 s."""
    bed.reset()
    monitor = monitor_for(bed, receiver, tmp_path)
    assert monitor.check().exit_code == 0
    quiet_s = min(monitor.check().took_s for _ in range(2))
    if when == "before":
        put(bed)
        run = monitor.check()
    else:
        run = beside(monitor, lambda: put(bed))
    assert run.exit_code == 0, run.stdout
    assert run.took_s < quiet_s + 1
    delivery_s, error_s = figures(run, "other")
    assert delivery_s - error_s < 0.35, "the delay is 300 ms"
    assert len(bed.mails(bed.settings.accounts[0])) == len(HOSTILE), "what is not ours stays"
    # And what is really wrong is still told in the first run.
    monitor.config["routes"]["other"]["to"] = "monitor+blackhole@mail.test"
    monitor.config["routes"]["other"]["receive_timeout_s"] = 2
    assert monitor.check().exit_code == 1
    assert "Receive Test" in str(receiver.ntfy_messages()[-1])
    bed.reset()


@pytest.fixture
def acl_bed(bed: Bed) -> Iterator[Callable[[str], None]]:
    """Yield what gives the rights on the monitor's INBOX (RFC 4314), by Dovecot's access control lists."""
    path, rights = bed.directory / "dovecot.conf", bed.directory / "acl"
    before = path.read_text()
    bed.reset()
    text = before.replace("protocol", "mail_plugins = acl\nprotocol", 1)
    text += f"plugin {{\n  acl = vfile:{rights}\n}}\n"
    rights.mkdir(mode=0o755, exist_ok=True)

    def grant(letters: str) -> None:
        (rights / "INBOX").write_text(f"owner {letters}\n")
        (rights / "INBOX").chmod(0o644)

    _reload(bed, path, text)
    yield grant
    _reload(bed, path, before)
    (rights / "INBOX").unlink(missing_ok=True)
    bed.reset()


def _reload(bed: Bed, path: Path, text: str) -> None:
    path.write_text(text)
    os.kill(bed.processes["dovecot"], signal.SIGHUP)
    time.sleep(1)


# Without t nothing can be flagged as deleted, without e what is flagged stays.
@pytest.mark.bed
@pytest.mark.parametrize("letters", ["lrwsiekxa", "lrwstikxa"], ids=["no t", "no e"])
def test_a_probe_that_may_not_be_deleted_is_told_as_such_and_is_no_second_copy_later(
    bed: Bed, receiver: Receiver, tmp_path: Path, acl_bed: Callable[[str], None], letters: str
) -> None:
    """It said "OK (removed 1)" while nothing was removed, and "delivered twice" in the next run."""
    monitor = monitor_for(bed, receiver, tmp_path)
    del monitor.config["accounts"]["other"], monitor.config["routes"]["other"]
    acl_bed(letters)
    for number in (1, 2, 3):
        run = monitor.check()
        assert run.exit_code == 0, run.stdout
        assert findings_of(run) == ["cleanup.not_possible"]
        cleanup = run.step("cleanup:main")
        (left,) = cleanup["findings"]
        assert f"{number} of our probes stay" in left["message"]
        assert "removed" not in cleanup["message"]
    assert receiver.requests == []
    acl_bed("lrwstiekxa")
    assert "removed 4" in monitor.check().step("cleanup:main")["message"]
    assert bed.mails(bed.settings.accounts[0]) == []


@pytest.mark.bed
def test_a_folder_in_any_script_is_watched(bed: Bed, receiver: Receiver, tmp_path: Path) -> None:
    bed.reset()
    monitor = monitor_for(bed, receiver, tmp_path)
    monitor.config["routes"]["main"]["junk_folders"] = ["Entwürfe & Müll"]
    imap = imap_session(bed)
    imap.create('"Entw&APw-rfe &- M&APw-ll"')
    imap.logout()
    run = monitor.check()
    assert run.exit_code == 0, run.stdout
    assert findings_of(run) == []
    imap = imap_session(bed)
    assert imap.delete('"Entw&APw-rfe &- M&APw-ll"')[0] == "OK"
    imap.logout()

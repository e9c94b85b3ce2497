"""Every bounce in a folder is read once, and no mail is lost: against a real Dovecot."""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox.receiver import Receiver
from mailmon.store.key import read_key
from tests.bed import Bed
from tests.bed.clients import imap_session
from tests.mail.bounce.letters import LETTERS
from tests.mail.samples import dsn, headers, message
from tests.monitor import Monitor, Run

pytestmark = pytest.mark.bed

KILLS = int(os.environ.get("MAILMON_KILLS", "16"))

BOUNCES = tuple(letter.raw for letter in LETTERS if letter.kind == "bounce")
LUNCH = b"From: Bob <bob@example.org>\nTo: alice@example.com\nCc: boss@example.org\nSubject: lunch?\n\nAt noon?\n"
_FIELDS = """\
Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; jonathan@gmail.com
Action: failed
Status: 5.7.26
Remote-MTA: dns; gmail-smtp-in.l.google.com
Diagnostic-Code: smtp; 550-5.7.26 This mail has been blocked because the sender is unauthenticated.
"""
# Made by the account's own server: without evidence one message is no alarm.
_HERE = b"Received: by mail.test (Postfix)\r\n\tid 4XyZ12abcD; Sun,  1 Mar 2026 12:00:06 +0000 (UTC)\r\n"
REFUSED = _HERE + dsn(_FIELDS, returned=b"From: alice@example.com\nTo: jonathan@gmail.com\nSubject: Minutes\n\n")
# As it comes from the wire of an old system: raw bytes of Latin-1, which is neither ASCII nor UTF-8.
EIGHT_BIT = BOUNCES[0].replace(b"Subject: ", b"Subject: Zur\xfcck: ")


@dataclass
class Box:
    """The folders of the real server, and a monitor whose account has bounces there."""

    bed: Bed
    monitor: Monitor
    name: str

    def configure(self, options: dict[str, Any]) -> None:
        self.monitor.config["accounts"]["main"]["bounces"] |= options

    def folder(self, word: str = "") -> str:
        return f"{self.name}{word}"

    def put(self, *messages: bytes, folder: str = "") -> None:
        imap = imap_session(self.bed)
        for raw in messages:
            typ, data = imap.append(folder or self.name, "", "", raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            assert typ == "OK", data
        imap.logout()

    def make(self, *folders: str) -> None:
        imap = imap_session(self.bed)
        for folder in folders:
            assert imap.create(folder)[0] == "OK"
        imap.logout()

    def count(self, word: str = "") -> int:
        """Return how many messages are in a folder, -1 where it does not exist."""
        imap = imap_session(self.bed)
        typ, data = imap.select(self.folder(word), readonly=True)
        imap.logout()
        return int(data[0] or b"0") if typ == "OK" else -1

    def seen(self) -> list[bytes]:
        imap = imap_session(self.bed)
        imap.select(self.name, readonly=True)
        found: list[bytes] = imap.uid("SEARCH", "SEEN")[1]
        imap.logout()
        return found[0].split()

    def scan(self, *more: str) -> dict[str, Any]:
        run = self.run("bounces", "scan", "--json", *more)
        assert run.exit_code == 0, run.stderr + run.stdout
        (row,) = run.document["accounts"]
        assert isinstance(row, dict)
        return row

    def run(self, *arguments: str) -> Run:
        return self.monitor.run(*arguments)

    def listed(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.run("bounces", "list", "--kind", "all", "--limit", "9999", "--json").document[
            "bounces"
        ]
        return rows


@pytest.fixture
def box(bed: Bed, tmp_path: Path) -> Box:
    bed.reset()
    trust = {"host": "localhost", "ca_file": str(bed.ca_file), "timeout_s": 10}
    account = {
        "address": bed.user,
        "password": bed.password,
        "imap": {"port": bed.ports["imaps"], "security": "tls", **trust},
        "bounces": {"folder": ""},
    }
    name = f"B{uuid.uuid4().hex[:8]}"
    account["bounces"] = {"folder": name}
    found = Box(bed, Monitor(tmp_path, {"accounts": {"main": account}, "notify": "none"}), name)
    found.make(name)
    return found


def test_a_scan_reads_every_message_once_and_marks_none_as_read(box: Box) -> None:
    box.put(*BOUNCES, LUNCH)
    first = box.scan()
    assert (first["kinds"]["bounce"], first["kinds"]["other"], first["new"]) == (len(BOUNCES), 1, len(BOUNCES) + 1)
    again = box.scan()
    assert (again["new"], again["words"]) == (0, "nothing new")
    box.put(BOUNCES[0])
    assert box.scan()["new"] == 1
    assert box.seen() == []
    assert box.count() == len(BOUNCES) + 2
    assert len({row["id"] for row in box.listed()}) == len(BOUNCES) + 2


def test_new_numbers_of_a_folder_double_nothing(box: Box) -> None:
    box.put(*BOUNCES[:3], LUNCH)
    assert box.scan()["new"] == 4
    imap = imap_session(box.bed)
    assert imap.delete(box.name)[0] == "OK"
    imap.logout()
    time.sleep(1.1)  # Dovecot's UIDVALIDITY is the time in seconds
    box.make(box.name)
    box.put(LUNCH, *BOUNCES[:3], BOUNCES[3])
    assert box.scan()["new"] == 1
    assert len({row["id"] for row in box.listed()}) == 5


def test_messages_are_sorted_by_what_they_are(box: Box) -> None:
    targets = {word: box.folder(word) for word in ("processed", "skipped", "problem")}
    box.configure({**targets, "create_folders": True})
    box.put(*BOUNCES[:5], LUNCH)
    row = box.scan()
    assert (row["new"], row["moved"], row["obstacles"]) == (6, 6, [])
    assert (box.count(), box.count("processed"), box.count("skipped")) == (0, 5, 1)
    assert box.scan()["new"] == 0


def test_a_missing_folder_loses_no_mail(box: Box) -> None:
    """The defect of another program: it flagged for deletion what the server had refused to copy."""
    box.configure({"processed": box.folder("processed"), "skipped": box.folder("skipped")})
    box.put(*BOUNCES[:1], LUNCH)
    row = box.scan()
    assert (box.count(), box.count("processed"), box.count("skipped")) == (2, -1, -1)
    assert row["moved"] == 0
    assert box.folder("processed") in " ".join(row["obstacles"])
    checked = box.run("check", "--json")
    step = checked.step("bounces:main")
    assert (step["status"], [f["id"] for f in step["findings"]]) == ("warning", ["bounces.not_moved"] * 2)
    box.make(box.folder("processed"), box.folder("skipped"))
    row = box.scan()
    assert (row["new"], row["moved"]) == (0, 2)
    assert (box.count(), box.count("processed"), box.count("skipped")) == (0, 1, 1)


def test_an_8_bit_subject_blocks_no_other_message(box: Box) -> None:
    """The defect of another program: it stopped at such a message in every run, and doubled those before it."""
    box.configure({"processed": box.folder("processed"), "create_folders": True})
    box.put(BOUNCES[1], EIGHT_BIT, BOUNCES[2])
    row = box.scan()
    assert (row["kinds"]["bounce"], row["problems"], row["moved"]) == (3, [], 3)
    box.scan()
    assert box.count("processed") == 3


def test_mail_that_is_no_bounce_stays_where_it_is(box: Box) -> None:
    """The defect of another program: it wrote to the Cc of any mail that it did not understand."""
    box.configure({"processed": box.folder("processed"), "create_folders": True})
    box.put(LUNCH)
    assert box.scan()["kinds"] == {"bounce": 0, "delayed": 0, "feedback": 0, "other": 1}
    assert (box.count(), box.count("processed")) == (1, -1)
    assert box.run("bounces", "list", "--json").document["bounces"] == []


def test_what_was_moved_and_is_put_back_is_not_counted_twice(box: Box) -> None:
    box.configure({"processed": box.folder("processed"), "create_folders": True})
    box.put(BOUNCES[0])
    box.scan()
    imap = imap_session(box.bed)
    imap.select(box.folder("processed"))
    assert imap.copy("1", box.name)[0] == "OK"
    imap.logout()
    row = box.scan()
    assert (row["new"], row["moved"], box.count()) == (0, 1, 0)


def test_the_step_of_a_check_scans_too(box: Box) -> None:
    box.put(*BOUNCES[:2])
    run = box.run("check", "--json")
    step = run.step("bounces:main")
    assert (run.exit_code, step["status"], step["message"]) == (0, "ok", "OK (2 new: 2 bounces)")
    assert "✓ Bounces: OK (nothing new)" in box.run("check").stdout


def test_a_dry_run_records_nothing(box: Box) -> None:
    box.put(BOUNCES[0])
    assert box.run("check", "--dry-run", "--json").exit_code == 0
    assert box.listed() == []


def test_a_folder_that_is_not_there_fails_the_step(box: Box) -> None:
    box.configure({"folder": "Nowhere"})
    step = box.run("check", "--json").step("bounces:main")
    assert (step["status"], step["findings"][0]["id"]) == ("failed", "imap.select_failed")
    run = box.run("bounces", "scan")
    assert (run.exit_code, "Traceback" in run.stderr) == (1, False)
    assert "Nowhere" in run.stdout


def test_test_mode_has_folders_and_a_log_of_its_own(box: Box) -> None:
    box.configure({"test": {"folder": box.folder("test")}})
    box.make(box.folder("test"))
    box.put(*BOUNCES[:2], folder=box.folder("test"))
    assert box.scan("--test")["new"] == 2
    assert box.listed() == []
    assert box.scan()["new"] == 0


def test_bounces_of_our_own_probes_are_no_bounces_of_users(box: Box) -> None:
    box.run("check")  # makes the key
    key = read_key(box.monitor.state_file)
    assert key is not None
    fields = "Final-Recipient: rfc822; monitor@example.org\nAction: failed\nStatus: 5.1.1\n"
    ours, foreign = dsn(fields, returned=headers(key=key)), dsn(fields)
    box.put(message(key=key).replace(b"\r\n", b"\n"), *(raw.replace(b"\r\n", b"\n") for raw in (ours, foreign)))
    row = box.scan()
    assert (row["own_probes"], row["new"], row["kinds"]["bounce"]) == (2, 1, 1)


def test_killed_anywhere_nothing_is_lost_and_nothing_doubled(box: Box) -> None:
    box.configure({"processed": box.folder("processed"), "skipped": box.folder("skipped"), "create_folders": True})
    numbered = [BOUNCES[n % len(BOUNCES)] + b"\nNo. %d\n" % n for n in range(60)]
    box.put(*numbered)
    dice, killed = random.Random(KILLS), 0
    for _ in range(KILLS):
        process = box.monitor.start(["bounces", "scan"])
        time.sleep(dice.uniform(0.1, 0.4))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        box.put(numbered[dice.randrange(60)] + b"%d\n" % dice.randrange(10**9))
    run = box.run("bounces", "scan")
    assert run.exit_code == 0, run.stderr
    assert killed > KILLS // 8
    assert (box.count(), box.count("processed")) == (0, 60 + KILLS)
    assert len({row["id"] for row in box.listed()}) == 60 + KILLS


def test_two_scans_at_once_are_one(box: Box) -> None:
    box.put(*BOUNCES)
    both = [box.monitor.start(["bounces", "scan"]) for _ in range(2)]
    codes = sorted(process.wait(30) for process in both)
    for process in both:
        process.communicate()
    assert codes in ([0, 75], [0, 0])
    assert len({row["id"] for row in box.listed()}) == len(BOUNCES)


def test_a_refusal_that_concerns_all_mail_is_alerted_once_and_a_limit_warns(box: Box, receiver: Receiver) -> None:
    box.monitor.config["notify"] = {"ntfy": {"server": receiver.url, "topic": "alerts"}}
    box.put(REFUSED)
    first = box.run("check", "--json")
    assert (first.exit_code, first.step("bounces:main")["message"]) == (
        1,
        "gmail.com refuses us: 5.7.26 unauthenticated",
    )
    (alert,) = receiver.ntfy_messages()
    assert "gmail.com refuses us: 5.7.26 unauthenticated" in f"{alert['title']} {alert['message']}"
    box.put(REFUSED)
    box.run("check")
    assert len(receiver.ntfy_messages()) == 1
    box.monitor.config["checks"] = {"bounces": {"refusals": False, "max_per_domain": 1}}
    step = box.run("check", "--json").step("bounces:main")
    assert (step["status"], step["message"]) == ("warning", "2 bounces for gmail.com in 24 h, more than 1")

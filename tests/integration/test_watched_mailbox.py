"""What happens in the mailbox that is watched: what is deleted, what is never, and how patient the wait is."""

from __future__ import annotations

import threading
import time

import pytest

from mailmon.sandbox import Message, Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, SECOND, findings_of, kinds, probes_in, put_foreign_mail, state_of, two_of_each
from tests.monitor import Monitor, Run


def finding(run: Run, finding_id: str) -> dict[str, str]:
    return next(one for step in run.document["steps"] for one in step["findings"] if one["id"] == finding_id)


def headers_of(raw: bytes, *names: str) -> bytes:
    """Return header lines of a message."""
    head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return b"".join(line + b"\r\n" for line in head if line.partition(b":")[0].decode() in names)


def replay(raw: bytes, sender: str = "Mallory <mallory@example.net>", more: bytes = b"") -> bytes:
    """Return somebody else's mail with the header fields that show a probe to be ours."""
    ours = headers_of(raw, "X-Mailmon-Token", "X-Mailmon-Signature", "X-Mailmon-Seal")
    own = f"From: {sender}\r\nTo: {MAIN}\r\nSubject: your invoice\r\nDate: Mon, 02 Mar 2026 08:00:00 +0000\r\n"
    return own.encode() + ours + more + b"Content-Type: text/plain\r\n\r\nPlease pay.\r\n"


def run_while(monitor: Monitor, deed: threading.Thread) -> Run:
    deed.start()
    run = monitor.check()
    deed.join()
    return run


def test_mail_with_an_old_probes_header_fields_is_neither_deleted_nor_a_duplicate(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    assert monitor.check().exit_code == 0
    kept = sandbox.store.mailbox(MAIN).append(replay(sandbox.accepted[0].raw))
    for _ in range(2):
        run = monitor.check()
        assert (run.exit_code, findings_of(run)) == (0, ["cleanup.not_possible"])
        assert "not its From, To, Date and Subject" in finding(run, "cleanup.not_possible")["message"]
        assert sandbox.store.mailbox(MAIN).messages == [kept]
        assert kept.flags == set()
    assert receiver.requests == []


def test_a_report_that_returns_the_header_fields_of_an_old_probe_is_not_deleted(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    assert monitor.check().exit_code == 0
    returned = replay(sandbox.accepted[0].raw)
    report = (
        b"From: MAILER-DAEMON@example.net\r\nTo: monitor@example.org\r\nSubject: failed\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; monitor@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + returned + b"\r\n--b--\r\n"
    )
    sandbox.faults.delivery_delay_s = 0.5
    kept: list[Message] = []
    deed = threading.Timer(0.4, lambda: kept.append(sandbox.store.mailbox(MAIN).append(report)))
    run = run_while(monitor, deed)
    assert run.exit_code == 0, run.stdout
    assert sandbox.store.mailbox(MAIN).messages == kept


def test_a_leftover_of_which_the_state_knows_nothing_any_more_is_deleted_by_its_seal(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    assert monitor.check().exit_code == 0
    probe = sandbox.accepted[0].raw
    monitor.state_file.unlink()
    monitor.state_file.with_name("journal.json").unlink(missing_ok=True)
    sandbox.store.mailbox(MAIN).append(probe)
    sandbox.store.mailbox(MAIN).append(probe.replace(b"Subject: mailmon", b"Subject: [SPAM] mailmon"))
    other = sandbox.store.mailbox(MAIN).append(probe.replace(b"From: mailmon", b"From: Boss"))
    run = monitor.check()
    assert run.exit_code == 0
    assert sandbox.store.mailbox(MAIN).messages == [other]


def test_a_probe_that_was_changed_on_its_way_is_deleted_while_it_is_outstanding(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    """A list or gateway rewrites From: the seal is broken, but nobody has seen this probe before."""
    sandbox.faults.lose_mail = True
    deed = threading.Thread(target=lambda: _deliver_rewritten(sandbox))
    monitor.config["routes"]["main"]["receive_timeout_s"] = 10
    run = run_while(monitor, deed)
    assert run.exit_code == 0, run.stdout
    assert sandbox.store.mailbox(MAIN).messages == []


def _deliver_rewritten(sandbox: Sandbox) -> None:
    until_s = time.monotonic() + 10
    while not sandbox.accepted and time.monotonic() < until_s:
        time.sleep(0.02)
    raw = sandbox.accepted[0].raw.replace(b"From: mailmon <", b"From: Monitor via list <list@example.org>\r\nX-From: <")
    sandbox.store.mailbox(MAIN).append(raw)


@pytest.mark.parametrize("command", ["SELECT", "FETCH", "NOOP"])
def test_where_uids_change_their_meaning_no_foreign_mail_is_deleted(
    monitor: Monitor, sandbox: Sandbox, command: str
) -> None:
    foreign = put_foreign_mail(sandbox, 3)
    sandbox.faults.shift_uids_at = {command}
    for _ in range(3):
        monitor.check()
        messages = sandbox.store.mailbox(MAIN).messages
        assert [message for message in messages if message in foreign] == foreign
        assert not any(message.flags for message in foreign)


def test_a_folder_that_is_opened_again_with_other_messages_loses_none_of_them(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    """The connection breaks in the wait; the new one shows the same UIDVALIDITY and other messages at the same UIDs."""
    put_foreign_mail(sandbox, 2)
    sandbox.faults.delivery_delay_s = 0.6
    monitor.config["routes"]["main"]["receive_timeout_s"] = 3

    def cut() -> None:
        time.sleep(0.4)
        sandbox.faults.cut_imap = True
        time.sleep(0.1)
        sandbox.faults.cut_imap = False
        sandbox.store.mailbox(MAIN).shift_uids()

    monitor.start(["check"]).communicate(timeout=30)
    for _ in range(2):
        run_while(monitor, threading.Thread(target=cut))
        foreign = [message for message in sandbox.store.mailbox(MAIN).messages if b"Subject: lunch" in message.raw]
        assert len(foreign) == 2
        assert not any(message.flags for message in foreign)


@pytest.mark.parametrize("fault", ["acl_without=t", "acl_without=e", "noop_expunge"])
def test_a_probe_that_the_server_does_not_remove_is_told_and_is_no_second_copy_later(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, fault: str
) -> None:
    """It said "OK (removed 1)", and in the next run "delivered twice"."""
    name, _, value = fault.partition("=")
    setattr(sandbox.faults, name, value or True)
    for left in (1, 2, 3):
        run = monitor.check()
        assert (run.exit_code, findings_of(run)) == (0, ["cleanup.not_possible"])
        assert run.step("cleanup:main")["message"] == "OK"
        said = finding(run, "cleanup.not_possible")["message"]
        assert said.startswith(f"cleanup not possible here, {left} of our probes stay: ")
        assert ("Permission denied" if value == "e" else "still there") in said
        assert len(probes_in(sandbox)) == left
    assert receiver.requests == []


def test_a_server_that_only_seems_to_delete_probes_causes_no_duplicate_warning(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.undone_expunge = True
    for _ in range(3):
        run = monitor.check()
        assert "route.delivered_twice" not in findings_of(run)
    assert receiver.requests == []


@pytest.mark.parametrize("fault", ["no_uidplus", "noop_expunge", "acl_without"])
def test_a_mailbox_that_fills_with_probes_is_told_to_its_owner(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, fault: str
) -> None:
    """After 60 of them it said 1, and no warning came: those that were flagged were hidden."""
    setattr(sandbox.faults, fault, "e" if fault == "acl_without" else True)
    assert monitor.check().exit_code == 0
    [probe] = probes_in(sandbox)
    for _ in range(58):
        sandbox.store.mailbox(MAIN).append(probe.raw, {"\\Deleted"})
    run = monitor.check()
    assert run.step("cleanup:main")["status"] == "warning"
    assert "60 of our probes stay" in run.step("cleanup:main")["message"]
    assert "route.delivered_twice" not in findings_of(run)
    assert kinds(receiver) == ["warning"]


@pytest.mark.parametrize("code", ["UNAVAILABLE", "SERVERBUG", "INUSE", "LIMIT", ""])
@pytest.mark.parametrize("command", ["NOOP", "FETCH", "SEARCH"])
def test_a_look_that_is_refused_for_a_moment_is_tried_again(
    monitor: Monitor, sandbox: Sandbox, command: str, code: str
) -> None:
    sandbox.faults.imap_refuses, sandbox.faults.imap_refuses_for_s = {command}, 0.8
    sandbox.faults.imap_refusal = f"[{code}] busy" if code else "busy"
    sandbox.faults.late_exists = command == "SEARCH"
    monitor.config["routes"]["main"]["receive_timeout_s"] = 8
    run = monitor.check()
    assert run.exit_code == 0, run.stdout
    assert probes_in(sandbox) == []


@pytest.mark.parametrize("command", ["NOOP", "FETCH"])
def test_a_look_that_is_refused_to_the_end_is_told_in_the_servers_words(
    monitor: Monitor, sandbox: Sandbox, command: str
) -> None:
    sandbox.faults.imap_refuses, sandbox.faults.imap_refusal = {command}, "[UNAVAILABLE] backend is down"
    monitor.config["routes"]["main"]["receive_timeout_s"] = 2
    started_s = time.monotonic()
    run = monitor.check()
    assert time.monotonic() - started_s > 2
    assert run.step("receive:main")["status"] == "failed"
    assert "arrival: NO [UNAVAILABLE] backend is down" in run.step("receive:main")["message"]


def test_a_view_that_is_frozen_until_the_folder_is_opened_again_hides_no_probe(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    sandbox.faults.frozen_view = True
    run = monitor.check()
    assert (run.exit_code, findings_of(run)) == (0, ["route.frozen_view"])
    metrics = run.step("receive:main")["metrics"]
    assert metrics["delivery_s"] - metrics["delivery_error_s"] < 0.3
    assert probes_in(sandbox) == []


def test_a_frozen_view_of_a_junk_folder_hides_no_probe(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.store.mailbox(MAIN, "Junk")
    monitor.config["routes"]["main"] |= {"junk_folders": ["Junk"], "receive_timeout_s": 4}
    sandbox.faults.frozen_view, sandbox.faults.folder, sandbox.faults.delivery_delay_s = True, "Junk", 2.8
    assert "route.in_junk" in findings_of(monitor.check())


def test_a_junk_folder_that_is_not_there_is_told_with_the_one_that_was_meant(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.store.mailbox(MAIN, "INBOX/Junk")
    monitor.config["routes"]["main"] |= {"junk_folders": ["Junk"]}
    for _ in range(2):
        run = monitor.check()
        assert run.exit_code == 0
        told = finding(run, "route.folder_missing")
        assert told["severity"] == "warning"
        assert 'there is no junk folder "Junk"' in told["message"]
        assert 'use "INBOX/Junk"' in told["fix"]
    sandbox.faults.folder = "INBOX/Junk"
    lost = monitor.check()
    assert finding(lost, "route.folder_missing")["fix"] in finding(lost, "route.not_received")["fix"]
    assert sandbox.logins[("imap", "ok")] == 4, "a folder that is not there is asked for once a run"
    monitor.config["routes"]["main"] |= {"junk_folders": ["INBOX/Junk"]}
    found = monitor.check()
    assert "route.in_junk" in findings_of(found)
    assert "route.folder_missing" not in findings_of(found)


def test_a_missing_junk_folder_beside_a_good_one_is_told(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.store.mailbox(MAIN, "Spam")
    monitor.config["routes"]["main"] |= {"junk_folders": ["Spam", "Quarantine"]}
    run = monitor.check()
    assert [one["message"] for step in run.document["steps"] for one in step["findings"]] == [
        'there is no junk folder "Quarantine" here: what is sorted into it is not seen'
    ]


def test_an_account_folder_that_is_not_there_is_named_with_those_that_are(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.store.mailbox(MAIN, "INBOX/Probes")
    monitor.config["accounts"]["main"]["imap"]["folder"] = "Probes"
    step = monitor.check().step("imap_auth:main")
    assert 'select: "Probes": NO [NONEXISTENT] no such mailbox' in step["message"]
    assert 'use "INBOX/Probes"' in step["advice"]


def test_a_bounce_folder_that_is_not_there_is_named(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.store.mailbox(MAIN, "Returned")
    monitor.config["accounts"]["main"]["bounces"] = {"folder": "Retruned"}
    step = monitor.check().step("bounces:main")
    assert 'select: "Retruned": ' in step["message"]
    assert 'Use "Returned"' in step["advice"]


def test_a_folder_in_any_script_is_opened(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.store.mailbox(MAIN, "Entw&APw-rfe &- M&APw-ll")
    sandbox.faults.folder = "Entw&APw-rfe &- M&APw-ll"
    for name in ("Entwürfe & Müll", "Entw&APw-rfe &- M&APw-ll"):
        monitor.config["accounts"]["main"]["imap"]["folder"] = name
        assert monitor.check().exit_code == 0
    monitor.config["accounts"]["main"]["imap"]["folder"] = "Entwurfe"
    assert '"Entwürfe & Müll"' in monitor.check().step("imap_auth:main")["advice"]


def test_a_late_probe_is_never_told_as_earlier_than_the_limit_that_it_missed(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    """ "Not received within 8 s", and later "arrived late, after 7.6 s": servers tell whole seconds."""
    sandbox.faults.lose_mail = True
    monitor.config["routes"]["main"]["receive_timeout_s"] = 2
    assert "not received within 2 s" in monitor.check().stdout
    accepted_at = next(probe["accepted_at"] for probe in state_of(monitor)["probes"])
    from datetime import datetime, timedelta

    at = datetime.fromisoformat(accepted_at) + timedelta(seconds=1.4)
    sandbox.store.mailbox(MAIN).append(sandbox.accepted[0].raw, (), at)
    sandbox.faults.lose_mail = False
    assert "arrived late, after more than 2.0 s" in finding(monitor.check(), "route.arrived_late")["message"]


def test_foreign_mail_stays_recent_until_there_is_something_to_delete(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.lose_mail = True
    put_foreign_mail(sandbox, 2)
    first = sandbox.store.mailbox(MAIN).first_recent_uid
    assert monitor.check().exit_code == 1
    assert sandbox.store.mailbox(MAIN).first_recent_uid == first


def test_a_server_that_floods_the_wait_is_no_danger(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.chatter_bytes = 500_000
    sandbox.faults.delivery_delay_s = 0.5
    monitor.config["routes"]["main"]["receive_timeout_s"] = 20
    run = monitor.check()
    assert run.exit_code == 0, run.stdout


def hostile(kind: str, number: int) -> bytes:
    """Return mail from anybody that is made to cost its reader time."""
    report = (
        b"From: MAILER-DAEMON@example.net\r\nSubject: failed\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\n'
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Final-Recipient: rfc822; a@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    )
    return {
        "diagnostic": report + b"Diagnostic-Code: x" + b" " * 64_000 + b"y\r\n\r\n--b--\r\n",
        "token": b"From: postmaster@example.net\r\nX-Mailmon-Token: x\r\nSubject: %d\r\n\r\nx\r\n" % number,
        "huge fields": report + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 900) for n in range(500)) + b"\r\n--b--\r\n",
        "parentheses": b"From: mailer-daemon@example.net\r\nReceived: " + b"(" * 30_000 + b"\r\n\r\nx\r\n",
        "fold lines": report + b"Diagnostic-Code: smtp;\r\n" + b" x\r\n" * 100_000 + b"\r\n--b--\r\n",
        "nesting": b"".join(
            b'Content-Type: multipart/report; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(2000)
        ),
        "entities": report + b"Diagnostic-Code: smtp; &#" + b"9" * 5000 + b";\r\n\r\n--b--\r\n",
    }[kind]


HOSTILE = ["diagnostic", "token", "huge fields", "parentheses", "fold lines", "nesting", "entities"] * 2


def test_a_bounce_of_the_probe_is_found_among_hostile_mail(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.bounce, sandbox.faults.delivery_delay_s = "5.2.2 mailbox full", 1.0
    monitor.config["routes"]["main"]["receive_timeout_s"] = 20

    def attack() -> None:
        until_s = time.monotonic() + 10
        while not sandbox.accepted and time.monotonic() < until_s:
            time.sleep(0.02)
        for number, kind in enumerate(HOSTILE * 2):
            sandbox.store.mailbox(MAIN).append(hostile(kind, number))
        time.sleep(1.2)
        for number, kind in enumerate(HOSTILE * 2):
            sandbox.store.mailbox(MAIN).append(hostile(kind, number))

    run = run_while(monitor, threading.Thread(target=attack))
    assert "then bounced: " in run.step("receive:main")["message"]
    assert run.took_s < 10


def test_hostile_mail_in_one_mailbox_changes_no_figure_of_another(
    sandbox: Sandbox, receiver: Receiver, tmp_path: object
) -> None:
    from pathlib import Path

    monitor = Monitor(Path(str(tmp_path)), two_of_each(sandbox, receiver))
    sandbox.faults.delivery_delay_s = 0.3
    assert monitor.check().exit_code == 0
    quiet = monitor.check()
    for number, kind in enumerate(HOSTILE):
        sandbox.store.mailbox(SECOND).append(hostile(kind, number))

    def attack() -> None:
        time.sleep(0.3)
        for number, kind in enumerate(HOSTILE):
            sandbox.store.mailbox(SECOND).append(hostile(kind, number))

    run = run_while(monitor, threading.Thread(target=attack))
    assert run.exit_code == 0, run.stdout
    assert run.took_s < quiet.took_s + 1.5
    metrics = run.step("receive:back")["metrics"]
    assert metrics["delivery_s"] - metrics["delivery_error_s"] < 0.35

"""Every way in which a mail server may misbehave, as the embedded one plays it: said plainly, told once, harmless."""

from __future__ import annotations

import time

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, findings_of, kinds, probes_in, put_foreign_mail
from tests.monitor import Monitor, Run

PROBE_SUBJECT = "mailmon probe mm0123456789abcdef0123456789abcdef"


def must_be_green(run: Run) -> None:
    assert run.exit_code == 0, run.stdout + run.stderr
    assert run.document["status"] == "ok", run.stdout


def wait_for_probes(sandbox: Sandbox, count: int) -> None:
    until_s = time.monotonic() + 10
    while len(probes_in(sandbox)) < count and time.monotonic() < until_s:
        time.sleep(0.02)
    assert len(probes_in(sandbox)) == count


@pytest.mark.parametrize("fault", ["read_only", "no_store"])
def test_a_mailbox_that_lets_nothing_be_deleted_is_no_failure(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, fault: str
) -> None:
    setattr(sandbox.faults, fault, True)
    for left in (1, 2, 3):
        run = monitor.check()
        must_be_green(run)
        [finding] = run.step("cleanup:main")["findings"]
        assert (finding["id"], finding["severity"]) == ("cleanup.not_possible", "info")
        assert finding["message"].startswith(f"cleanup not possible here, {left} of our probes stay: ")
        assert len(probes_in(sandbox)) == left
    assert "  · cleanup not possible here" in monitor.run("check").stdout
    setattr(sandbox.faults, fault, False)
    must_be_green(monitor.check())
    assert probes_in(sandbox) == []
    assert receiver.requests == []


def test_without_uidplus_probes_stay_flagged_and_are_no_duplicates(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.no_uidplus = True
    for left in (1, 2, 3):
        run = monitor.check()
        must_be_green(run)
        assert findings_of(run) == ["cleanup.not_possible"]
        assert "without UIDPLUS they are only flagged as deleted" in run.stdout
        assert [message.flags for message in probes_in(sandbox)] == [{"\\Deleted"}] * left
    assert receiver.requests == []


def test_more_than_fifty_probes_that_stay_are_a_warning(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.read_only = True
    monitor.check()
    [probe] = probes_in(sandbox)
    for _ in range(48):
        sandbox.store.mailbox(MAIN).append(probe.raw)
    fifty = monitor.check()
    assert fifty.step("cleanup:main")["findings"][-1]["severity"] == "info"
    assert "50 of our probes stay" in fifty.stdout
    many = monitor.check()
    assert many.exit_code == 0
    assert many.step("cleanup:main")["status"] == "warning"
    assert "51 of our probes stay" in many.step("cleanup:main")["message"]
    assert kinds(receiver)[-1] == "warning"


@pytest.mark.parametrize("lie", ["all", "none"])
def test_a_search_that_lies_hides_no_probe_and_touches_no_foreign_mail(
    monitor: Monitor, sandbox: Sandbox, lie: str
) -> None:
    foreign = put_foreign_mail(sandbox, 5)
    sandbox.faults.search_lies = lie
    for _ in range(2):
        must_be_green(monitor.check())
    assert sandbox.store.mailbox(MAIN).messages == foreign
    assert [message.flags for message in foreign] == [set()] * 5


def test_a_server_that_tells_of_new_mail_too_late_hangs_nothing(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.late_exists = True
    monitor.config["routes"]["main"]["receive_timeout_s"] = 6
    for delay_s in (0.0, 0.5):
        sandbox.faults.delivery_delay_s = delay_s
        run = monitor.check()
        must_be_green(run)
        assert run.took_s < 5
        assert probes_in(sandbox) == []


def test_a_probe_without_its_headers_arrives_by_its_subject_and_is_left_alone(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.strip_headers = True
    for left in (1, 2, 3):
        must_be_green(monitor.check())
        assert len(probes_in(sandbox)) == left
    assert [message.flags for message in probes_in(sandbox)] == [set()] * 3
    assert receiver.requests == []


@pytest.mark.parametrize("fault", ["glue", "footer"])
def test_a_filter_that_writes_into_the_probe_changes_nothing(monitor: Monitor, sandbox: Sandbox, fault: str) -> None:
    setattr(sandbox.faults, fault, True)
    for _ in range(2):
        must_be_green(monitor.check())
        assert probes_in(sandbox) == []


def test_a_probe_that_comes_twice_at_once_is_a_warning(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.duplicate = True
    runs = [monitor.check() for _ in range(2)]
    assert [run.exit_code for run in runs] == [0, 0]
    assert all(findings_of(run) == ["route.delivered_twice"] for run in runs)
    assert probes_in(sandbox) == []
    sandbox.faults.duplicate = False
    must_be_green(monitor.check())
    assert kinds(receiver) == ["warning", "recovery"]


def test_a_copy_that_comes_after_the_run_is_told_by_the_next_one(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.duplicate, sandbox.faults.duplicate_delay_s = True, 0.4
    must_be_green(monitor.check())
    sandbox.faults.duplicate = False
    wait_for_probes(sandbox, 1)
    run = monitor.check()
    assert findings_of(run) == ["route.delivered_twice"]
    assert "a probe was delivered twice" in run.step("cleanup:main")["message"]
    assert probes_in(sandbox) == []
    must_be_green(monitor.check())
    assert kinds(receiver) == ["warning", "recovery"]


@pytest.mark.parametrize("is_short", [False, True], ids=["whole message", "headers only"])
def test_a_bounce_ends_the_wait_at_once_and_is_removed(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, is_short: bool
) -> None:
    monitor.config["routes"]["main"]["receive_timeout_s"] = 20
    sandbox.faults.bounce, sandbox.faults.bounce_headers_only = "5.2.2 mailbox full", is_short
    run = monitor.check()
    assert run.exit_code == 1
    assert run.took_s < 5
    said = run.step("receive:main")["message"]
    queue_id = sandbox.accepted[0].queue_id
    assert f"as queue id {queue_id}, then bounced: " in said
    assert "5.2.2 mailbox full" in said
    assert sandbox.store.mailbox(MAIN).messages == []
    sandbox.faults.bounce = None
    must_be_green(monitor.check())
    assert kinds(receiver) == ["problem", "recovery"]


def test_a_bounce_that_is_filtered_into_another_folder_ends_the_wait_too(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.store.mailbox(MAIN, "Bounces")
    monitor.config["accounts"]["main"]["bounces"] = {"folder": "Bounces"}
    monitor.config["routes"]["main"]["receive_timeout_s"] = 30
    must_be_green(monitor.check())
    sandbox.faults.bounce, sandbox.faults.folder = "5.2.2 mailbox full", "Bounces"
    run = monitor.check()
    assert run.took_s < 15
    assert "then bounced: " in run.step("receive:main")["message"]
    sandbox.faults.bounce, sandbox.faults.folder = None, "INBOX"
    after = monitor.check()
    must_be_green(after)
    assert after.step("bounces:main")["metrics"] == {"new": 0, "bounces": 0}
    assert len(sandbox.store.mailbox(MAIN, "Bounces").messages) == 1
    assert kinds(receiver) == ["problem", "recovery"]


def test_a_bounce_that_comes_after_the_run_is_told_by_the_next_one_and_removed(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    sandbox.faults.bounce, sandbox.faults.delivery_delay_s = "5.1.1 no such user", 1.6
    assert "route.not_received" in findings_of(monitor.check())
    sandbox.faults.bounce, sandbox.faults.delivery_delay_s = None, 0.0
    until_s = time.monotonic() + 5
    while not sandbox.store.mailbox(MAIN).messages and time.monotonic() < until_s:
        time.sleep(0.02)
    run = monitor.check()
    assert run.exit_code == 0
    assert findings_of(run) == ["route.bounced_late"]
    assert "5.1.1 no such user" in run.stdout
    assert sandbox.store.mailbox(MAIN).messages == []
    must_be_green(monitor.check())


def test_a_probe_that_comes_after_the_timeout_is_late_exactly_once(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.delivery_delay_s = 1.8
    assert monitor.check().exit_code == 1
    sandbox.faults.delivery_delay_s = 0.0
    wait_for_probes(sandbox, 1)
    runs = [monitor.check() for _ in range(3)]
    assert [run.exit_code for run in runs] == [0, 0, 0]
    assert [findings_of(run) for run in runs] == [["route.arrived_late"], [], []]
    assert "arrived late, after " in runs[0].stdout
    assert probes_in(sandbox) == []
    assert kinds(receiver) == ["problem", "recovery"]
    assert "arrived late, after " in str(receiver.ntfy_messages()[1]["message"])


def test_messages_that_others_have_marked_as_deleted_survive(monitor: Monitor, sandbox: Sandbox) -> None:
    foreign = put_foreign_mail(sandbox, 3)
    for message in foreign:
        message.flags.add("\\Deleted")
    must_be_green(monitor.check())
    sandbox.faults.lose_mail = True
    assert monitor.check().exit_code == 1
    assert sandbox.store.mailbox(MAIN).messages == foreign


def test_mail_that_only_looks_like_a_probe_is_left_alone(monitor: Monitor, sandbox: Sandbox) -> None:
    inbox = sandbox.store.mailbox(MAIN)
    token = PROBE_SUBJECT.rpartition(" ")[2]
    mine = [
        inbox.append(f"From: a@example.org\r\nSubject: {PROBE_SUBJECT}\r\n\r\nx\r\n".encode()),
        inbox.append(f"Subject: x\r\nX-Mailmon-Token: {token}\r\nX-Mailmon-Signature: {'0' * 64}\r\n\r\n".encode()),
        inbox.append(b"Subject: x\r\nX-Mailmon-Token: \xff\xfe\r\nX-Mailmon-Signature: \xe4\r\n\r\n"),
        inbox.append(f"Subject: Re: {PROBE_SUBJECT}\r\nAuto-Submitted: auto-replied\r\n\r\nI am away\r\n".encode()),
    ]
    must_be_green(monitor.check())
    assert inbox.messages == mine


def test_two_hundred_foreign_messages_are_neither_touched_nor_in_the_way(monitor: Monitor, sandbox: Sandbox) -> None:
    foreign = put_foreign_mail(sandbox, 200)
    run = monitor.check()
    must_be_green(run)
    assert run.took_s < 3
    assert run.step("imap_auth:main")["metrics"]["messages"] == 200
    assert sandbox.store.mailbox(MAIN).messages == foreign
    assert not any(message.flags for message in foreign)


def test_mail_that_comes_in_while_the_probe_is_awaited_is_not_mistaken_for_it(
    monitor: Monitor, sandbox: Sandbox
) -> None:
    sandbox.faults.delivery_delay_s = 0.6
    with monitor.start(["check", "--json"]) as process:
        while process.poll() is None:
            put_foreign_mail(sandbox, 3)
            time.sleep(0.05)
        stdout, _ = process.communicate()
    assert process.returncode == 0, stdout
    assert probes_in(sandbox) == []
    assert len(sandbox.store.mailbox(MAIN).messages) % 3 == 0


def test_a_probe_that_lands_in_the_junk_folder_is_not_received(monitor: Monitor, sandbox: Sandbox) -> None:
    sandbox.faults.folder = "Junk"
    run = monitor.check()
    assert run.exit_code == 1
    assert run.troubled == ["receive:main"]
    monitor.config["accounts"]["main"]["imap"]["folder"] = "Junk"
    must_be_green(monitor.check())
    assert probes_in(sandbox, MAIN, "Junk") == [], "the leftover of the failed run is gone too"


def test_a_probe_that_a_killed_run_had_only_flagged_is_deleted_by_the_next(monitor: Monitor, sandbox: Sandbox) -> None:
    """Killed between STORE and EXPUNGE."""
    sandbox.faults.no_uidplus = True
    monitor.check()
    assert ["\\Deleted" in probe.flags for probe in probes_in(sandbox)] == [True]
    sandbox.faults.no_uidplus = False
    assert monitor.check().exit_code == 0
    assert probes_in(sandbox) == []

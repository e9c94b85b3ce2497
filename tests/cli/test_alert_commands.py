"""`mailmon silence`, `alerts`, `status --max-age`, `notify unit-failed`: what a person types around an alert."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import kinds, state_of
from tests.monitor import Monitor
from tests.store.disk import remount, small_disk


def test_a_silence_holds_alerts_back_and_its_end_lets_out_what_still_matters(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    began = monitor.run("silence", "main", "--for", "2h", "--why", "new disk")
    assert re.match(r"main +for another 2 h, until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}: new disk\n", began.stdout)
    sandbox.faults.refuse_login = {"smtp"}
    document = monitor.check().document
    assert (document["changes"], document["alerts"], receiver.requests) == ([], [], [])
    assert "silenced  main, until " in monitor.run("status").stdout
    [row] = monitor.run("silence", "list", "--json").document["silences"]
    assert (row["name"], row["why"]) == ("main", "new disk")
    ended = monitor.run("silence", "end", "main")
    assert (ended.exit_code, ended.stdout) == (0, "no active silences\n")
    [change] = monitor.check().document["changes"]
    assert (change["id"], change["from"], change["to"]) == ("smtp_auth:main", "up", "down")
    assert kinds(receiver) == ["problem"]


def test_a_failure_that_begins_and_ends_in_a_silence_is_never_told(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    monitor.run("silence", "smtp_auth:main", "--for", "1d")
    for broken in (True, False):
        sandbox.faults.refuse_login = {"smtp"} if broken else set()
        monitor.check()
    monitor.run("silence", "end", "smtp_auth:main")
    assert monitor.check().document["alerts"] == []
    assert receiver.requests == []


def test_a_recovery_during_a_silence_is_told_afterwards(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    monitor.run("silence", "all", "--for", "30m")
    sandbox.faults.refuse_login = set()
    monitor.check()
    assert kinds(receiver) == ["problem"]
    monitor.run("silence", "end", "all")
    monitor.check()
    assert kinds(receiver) == ["problem", "recovery"]


def test_a_silence_ends_by_itself(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    monitor.run("silence", "main", "--for", "1s")
    sandbox.faults.refuse_login = {"smtp"}
    time.sleep(1.1)
    monitor.check()
    assert kinds(receiver) == ["problem"]


def test_what_waits_for_a_channel_is_held_back_too(monitor: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.faults.refuse_login, receiver.status = {"smtp"}, 403
    monitor.check()
    monitor.run("silence", "main", "--for", "1h")
    receiver.status = 200
    receiver.requests.clear()
    [alert] = monitor.check().document["alerts"]
    assert (alert["status"], receiver.requests) == ("pending", [])
    monitor.run("silence", "end", "main")
    monitor.check()
    assert kinds(receiver) == ["problem"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nobody", "--for", "1h"), 2, "unknown name 'nobody' (known: all, "),
        (("main",), 2, "missing --for"),
        (("main", "--for", "soon"), 2, "must be a duration like 90s, 30m, 2h or 1d"),
        (("main", "--for", "3000d"), 2, "must be between 1 second and 1 year"),
        (("end",), 2, "missing NAME"),
        (("end", "main"), 2, "no active silence for 'main'"),
        ((), 2, "give NAME with --for"),
    ],
)
def test_a_wrong_silence_is_told_what_to_do(monitor: Monitor, words: tuple[str, ...], code: int, said: str) -> None:
    result = monitor.run("silence", *words)
    assert (result.exit_code, said in result.stderr) == (code, True), result.stderr


@pytest.mark.parametrize("word", ["list", "end"])
def test_list_and_end_have_a_help_of_their_own(monitor: Monitor, word: str) -> None:
    shown = monitor.run("silence", word, "--help")
    assert (shown.exit_code, shown.stdout.startswith(f"Usage: mailmon silence {word} ")) == (0, True)
    assert "--for" not in shown.stdout


def test_a_silence_ends_by_the_name_that_an_earlier_version_had(monitor: Monitor) -> None:
    monitor.run("silence", "mailmon:network", "--for", "1h")
    ended = monitor.run("silence", "end", "mailmon:sight")
    assert (ended.exit_code, ended.stdout) == (0, "no active silences\n")


def test_a_silence_file_that_makes_no_sense_silences_nothing(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    monitor.state_file.with_name("state.json.silences").write_text('{"schema": "mailmon/silences/1", "silences": 7}')
    sandbox.faults.refuse_login = {"smtp"}
    assert "so no silence is active" in monitor.check().stderr
    assert kinds(receiver) == ["problem"]


def test_alerts_tell_what_was_sent_what_waits_and_what_was_dropped(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    assert monitor.run("alerts").stdout == "no alerts yet\n"
    monitor.config["notify"]["dead"] = {"type": "ntfy", "server": "http://127.0.0.1:1", "topic": "x"}
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    rows = monitor.run("alerts", "--json").document["alerts"]
    assert [(row["channel"], row["status"]) for row in rows] == [("ntfy", "sent"), ("dead", "pending")]
    waiting = monitor.run("alerts").stdout.splitlines()[-1]
    assert re.match(r"pending .* dead .*, 1 run: ntfy at http://127.0.0.1:1: not reached", waiting)
    del monitor.config["notify"]["dead"]
    monitor.check()
    assert re.search(r"^pending .* dead ", monitor.run("alerts").stdout, re.M)
    state = state_of(monitor)
    state["outbox"][0]["alert"]["at"] = "2026-01-02T03:04:05Z"
    monitor.state_file.write_text(json.dumps(state))
    monitor.check()
    assert re.search(r"^dropped .* dead .*\(the channel is no longer configured\)$", monitor.run("alerts").stdout, re.M)


def test_an_alert_waits_for_its_only_channel_while_a_run_by_hand_does_not_know_it(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.refuse_login, receiver.status = {"smtp"}, 403
    monitor.check()
    service, monitor.config["notify"] = monitor.config["notify"], "none"
    assert "alert pending: ntfy: the channel is no longer configured" in monitor.check().stderr
    monitor.config["notify"], receiver.status = service, 200
    receiver.requests.clear()
    monitor.check()
    assert kinds(receiver) == ["problem"]


def test_a_recovery_in_a_run_by_hand_that_does_not_know_the_channel_is_told_later(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    sandbox.faults.refuse_login = {"smtp"}
    monitor.check()
    service, monitor.config["notify"] = monitor.config["notify"], "none"
    sandbox.faults.refuse_login = set()
    monitor.check()
    monitor.config["notify"] = service
    monitor.check()
    assert kinds(receiver) == ["problem", "recovery"]


def test_on_a_read_only_disk_an_alert_is_sent_and_said_to_be_one_that_may_repeat(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    with small_disk(tmp_path) as disk:
        monitor.config["state_file"] = str(disk / "state.json")
        monitor.check()
        remount(disk, "ro")
        sandbox.faults.refuse_login = {"smtp"}
        run = monitor.run("check")
    assert (run.exit_code, kinds(receiver)) == (74, ["problem"])
    assert "state.json: cannot be written: Read-only file system; alerts may repeat" in run.stderr


def test_a_status_that_is_too_old_gives_1(monitor: Monitor, sandbox: Sandbox) -> None:
    assert monitor.run("status", "--max-age", "30m").exit_code == 1
    monitor.check()
    assert monitor.run("status", "--max-age", "30m").exit_code == 0
    time.sleep(1.1)
    stale = monitor.run("status", "--max-age", "1s")
    assert (stale.exit_code, "older than 1.0 s" in stale.stdout) == (1, True)
    assert monitor.run("status", "--max-age", "1s", "--json").document["is_stale"] is True
    assert monitor.run("status", "--max-age", "now").exit_code == 2


def test_only_a_complete_run_makes_the_status_fresh(monitor: Monitor) -> None:
    monitor.check("main")
    assert monitor.run("status", "--json").document["last_run"] is None
    monitor.check()
    assert monitor.run("status", "--json").document["last_run"] is not None

"""The state directory: whose it is, what may be written there, and what a dry run or a NAME leaves alone."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import MAIN, RECEIVE_S, TOPIC, files_of, kinds, probes_in, state_of, two_of_each
from tests.monitor import Monitor

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")


@pytest.fixture
def unwritable(monitor: Monitor) -> Monitor:
    """A monitor whose state directory takes no new file, not even from root."""
    monitor.config["state_file"] = "/proc/mailmon-test/state.json"
    return monitor


def test_a_state_directory_that_cannot_be_made_gives_74_and_one_clear_line(unwritable: Monitor) -> None:
    for run in (unwritable.check(), unwritable.run("check")):
        assert run.exit_code == 74
        assert run.stderr.startswith("mailmon: /proc/mailmon-test")
        assert "set state_file" in run.stderr.lower()
        assert "Traceback" not in run.stderr
    assert unwritable.check().document["error"]["code"] == "state"


def let_through(directory: Path) -> None:
    """Let everybody through to a directory of pytest's."""
    for place in (directory, *directory.parents):
        if place.stat().st_uid == os.geteuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o011)


def run_without_privilege(monitor: Monitor, *arguments: str) -> tuple[int, str]:
    """Run a command that obeys file permissions, as root's does not; return its exit code and its stderr."""
    obedient = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    monitor.write()
    command = [*obedient, *monitor.command(*arguments)]
    run = subprocess.run(command, env=monitor.environment(), capture_output=True, text=True, timeout=30, check=False)
    return run.returncode, run.stderr


needs_setpriv = pytest.mark.skipif(
    os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root obeys file permissions only by setpriv"
)


@needs_setpriv
def test_an_empty_read_only_directory_gives_74_and_a_clear_line(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.state_file.parent.mkdir(mode=0o555)
    exit_code, said = run_without_privilege(monitor, "check")
    assert exit_code == 74
    first, advice = said.splitlines()
    assert first == f"mailmon: {monitor.state_file}.lock: cannot be opened: Permission denied"
    assert advice == "  → Run as the user that owns the state directory, or set state_file."
    assert sandbox.connections == {}


@needs_setpriv
def test_a_directory_that_became_read_only_gives_74_but_the_failure_is_told(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    monitor.state_file.parent.chmod(0o555)
    sandbox.faults.refuse_login = {"smtp"}
    exit_code, said = run_without_privilege(monitor, "check")
    assert exit_code == 74
    assert "cannot be written: Permission denied" in said
    assert "Traceback" not in said
    assert kinds(receiver) == ["problem"]


@needs_setpriv
def test_a_state_file_that_cannot_be_read_gives_74(monitor: Monitor) -> None:
    monitor.check()
    monitor.state_file.chmod(0)
    for command in ("check", "status"):
        exit_code, said = run_without_privilege(monitor, command)
        assert exit_code == 74
        assert said.startswith(f"mailmon: {monitor.state_file}: cannot be read: Permission denied\n")


def test_a_full_disk_gives_74_and_the_old_state_stays_whole(monitor: Monitor, sandbox: Sandbox) -> None:
    monitor.check()
    before = monitor.state_file.read_bytes()
    sandbox.faults.lose_mail = True
    monitor.write()
    # A limit on the size of files is what a full disk looks like to a program, EFBIG in the place of ENOSPC.
    command = ["sh", "-c", 'ulimit -f 0; trap "" XFSZ; exec "$@"', "sh", *monitor.command("check")]
    run = subprocess.run(command, env=monitor.environment(), capture_output=True, text=True, timeout=30, check=False)
    assert run.returncode == 74
    assert "cannot be written: File too large" in run.stderr
    assert "Traceback" not in run.stderr
    assert monitor.state_file.read_bytes() == before


@needs_root
def test_a_run_by_root_gives_every_file_the_owner_of_the_directory(monitor: Monitor, sandbox: Sandbox) -> None:
    # Root becomes that user, who must be able to get there.
    let_through(monitor.directory)
    directory = monitor.state_file.parent
    directory.mkdir(mode=0o700)
    os.chown(directory, 4321, 4322)
    sandbox.faults.refuse_login = {"smtp"}
    assert monitor.check().exit_code == 1
    sandbox.faults.refuse_login = set()
    assert monitor.check().exit_code == 0
    owners = {path.name: (path.stat().st_uid, path.stat().st_gid) for path in directory.iterdir()}
    assert set(owners) == {"state.json", "state.json.lock", "state.json.journal", "probe.key", "config.checked"}
    assert set(owners.values()) == {(4321, 4322)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_a_dry_run_writes_nothing_sends_nothing_and_prints_the_alert(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.config["ping"] = {"url": f"{receiver.url}/ping"}
    sandbox.faults.refuse_login = {"smtp"}
    before = files_of(monitor.directory)
    run = monitor.run("check", "--dry-run")
    assert run.exit_code == 1
    assert re.search(r"alert that would be sent:\n  127.0.0.1:\d+: SMTP Auth failing since ", run.stdout)
    after = files_of(monitor.directory)
    after.pop("config.json")
    assert after == before
    assert not monitor.state_file.parent.exists()
    assert receiver.requests == []


def test_a_dry_run_leaves_an_existing_memory_byte_for_byte(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.check()
    before = files_of(monitor.state_file.parent)
    sandbox.faults.lose_mail = True
    document = monitor.check("--dry-run").document
    assert [alert["channel"] for alert in document["alerts"]] == ["(dry run)"]
    assert [change["to"] for change in document["changes"]] == ["down"]
    monitor.state_file.write_text("torn")
    before["state.json"] = b"torn"
    run = monitor.check("--dry-run")
    assert "would set it aside" in run.stderr
    after = files_of(monitor.state_file.parent)
    assert {name: raw for name, raw in after.items() if name != "state.json.lock"} == {
        name: raw for name, raw in before.items() if name != "state.json.lock"
    }
    assert receiver.requests == []


def test_a_name_leaves_the_memory_of_the_others_as_it_is(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, two_of_each(sandbox, receiver))
    assert monitor.check().exit_code == 0
    sandbox.faults.lose_mail = True
    assert monitor.check().exit_code == 1
    assert kinds(receiver) == ["problem"]
    before = state_of(monitor)["checks"]
    sandbox.faults.lose_mail = False
    run = monitor.check("out")
    assert run.exit_code == 0
    ids = [step["id"] for step in run.document["steps"]]
    assert [step for step in ids if step.endswith(":back")] == []
    assert {"imap_auth:main", "smtp_auth:main", "imap_auth:second", "send:out", "receive:out", "cleanup:out"} <= set(
        ids
    )
    after = state_of(monitor)["checks"]
    assert after["receive:back"] == before["receive:back"]
    assert after["receive:out"]["health"] == "up"
    assert kinds(receiver) == ["problem", "recovery"]


def test_a_run_of_one_account_alone_sends_nothing(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> None:
    monitor = Monitor(tmp_path, two_of_each(sandbox, receiver))
    monitor.check()
    accepted, before = len(sandbox.accepted), state_of(monitor)["checks"]
    document = monitor.check("second").document
    assert [step["id"] for step in document["steps"]] == ["imap_auth:second", "smtp_auth:second"]
    assert len(sandbox.accepted) == accepted
    after = state_of(monitor)["checks"]
    assert {key for key in before if before[key] != after[key]} == {"imap_auth:second", "smtp_auth:second"}


def test_the_flat_form_works_as_it_is_and_its_first_failing_run_alerts(
    sandbox: Sandbox, receiver: Receiver, tmp_path: Path
) -> None:
    flat = {
        "smtp_host": "127.0.0.1",
        "smtp_port": sandbox.smtp_port,
        "imap_host": "127.0.0.1",
        "imap_port": sandbox.imaps_port,
        "username": MAIN,
        "password": sandbox.users[MAIN],
        "test_recipient": MAIN,
        "receive_timeout": RECEIVE_S,
        "ntfy_topic": TOPIC,
        "ntfy_server": receiver.url,
    }
    monitor = Monitor(tmp_path, flat, {"SSL_CERT_FILE": str(sandbox.ca_file)})
    sandbox.faults.lose_mail = True
    assert monitor.check().exit_code == 1
    assert kinds(receiver) == ["problem"]
    sandbox.faults.lose_mail = False
    run = monitor.run("check")
    assert (run.exit_code, run.stderr) == (0, "")
    assert "✓ Receive Test: Email delivered in 0.0s" in run.stdout
    assert kinds(receiver) == ["problem", "recovery"]
    assert probes_in(sandbox) == []
    assert monitor.state_file.exists()


def test_without_the_ca_the_certificate_is_what_fails(monitor: Monitor, sandbox: Sandbox) -> None:
    for service in ("smtp", "imap"):
        del monitor.config["accounts"]["main"][service]["ca_file"]
    run = monitor.check()
    assert run.exit_code == 1
    assert run.troubled == ["imap_auth:main", "smtp_auth:main"]
    assert "certificate" in run.step("imap_auth:main")["message"]
    assert sandbox.logins == {}

"""Root runs mailmon where another user can write, and that user is hostile: nothing of root's is read, written or lost.

MAILMON_ATTACKS is how often each race is tried (200 times; `make soak` 5000 times).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailmon.config import Overrides, load, resolve
from mailmon.errors import ConfigError, StateError
from mailmon.model import Status
from mailmon.outputs.heartbeat import beat
from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from mailmon.store.files import make_directory, write_atomically
from mailmon.store.journal import Record, allocate, write
from mailmon.store.lock import Lock
from mailmon.store.owner import owner_of
from tests.embedded import monitor_of
from tests.integration import attacker
from tests.integration.attacker import ATTACKER, plant_hot_journal
from tests.monitor import Monitor

ATTEMPTS = int(os.environ.get("MAILMON_ATTACKS", "100"))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRECIOUS = b"precious" * 10

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to lose")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that everybody gets to, with `theirs` of the other user and `victim` of root's in it."""
    directory = Path(tempfile.mkdtemp(prefix="mailmon-root-"))
    directory.chmod(0o755)
    (directory / "theirs").mkdir()
    os.chown(directory / "theirs", ATTACKER, ATTACKER)
    (directory / "victim").write_bytes(PRECIOUS)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def theirs(place: Path, receiver: Receiver) -> Iterator[Monitor]:
    """A monitor of root's whose state belongs to the other user."""
    with Sandbox(directory=place / "sandbox") as sandbox:
        (place / "sandbox").chmod(0o755)
        sandbox.ca_file.chmod(0o644)
        monitor = monitor_of(sandbox, place, receiver)
        monitor.config["state_file"] = str(place / "theirs/state.json")
        monitor.environ["MAILMON_TEST_PLACE"] = str(place)
        yield monitor


@contextlib.contextmanager
def attack(deed: str, path: Path, victim: Path) -> Iterator[None]:
    """Let the other user do something over and over."""
    command = [sys.executable, str(Path(attacker.__file__)), deed, str(path), str(victim)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.kill()


def identity(path: Path) -> tuple[int, int, int, int]:
    status = path.stat()
    return status.st_uid, status.st_gid, status.st_mode, status.st_ino


# A planted database


def test_the_planted_journal_makes_plain_sqlite_delete_a_file(place: Path) -> None:
    """Without this, the next tests would show nothing."""
    plant_hot_journal(place / "bounces.sqlite", place / "victim")
    with contextlib.closing(sqlite3.connect(place / "bounces.sqlite")) as connection:
        connection.execute("SELECT * FROM t").fetchall()
    assert not (place / "victim").exists()


@pytest.mark.parametrize("command", [("bounces", "list"), ("bounces", "retry", "--all"), ("bounces", "summary")])
def test_a_planted_database_deletes_nothing_of_roots(theirs: Monitor, place: Path, command: tuple[str, ...]) -> None:
    place.chmod(0o755)
    hidden = place / "roots"
    hidden.mkdir(mode=0o700)
    (hidden / "victim").write_bytes(PRECIOUS)
    plant_hot_journal(place / "theirs/bounces.sqlite", hidden / "victim")
    for path in (place / "theirs").iterdir():
        os.chown(path, ATTACKER, ATTACKER)
    run = theirs.run(*command)
    assert "bug" not in run.stderr
    assert (hidden / "victim").read_bytes() == PRECIOUS


# Races


def test_a_link_that_comes_and_goes_leads_no_write_to_what_is_roots(place: Path) -> None:
    target, victim = place / "theirs/heartbeat", place / "victim"
    before = identity(victim)
    with attack("swap_link", target, victim):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(StateError):
                beat(target, NOW, Status.OK, 0)
    assert (identity(victim), victim.read_bytes()) == (before, PRECIOUS)


@pytest.mark.parametrize("name", ["state.json.lock", "state.json.journal", "state.json"])
def test_a_link_in_the_place_of_a_file_of_the_state_leads_nowhere(place: Path, name: str) -> None:
    """The functions themselves, without the gate before them."""
    state_file, victim = place / "theirs/state.json", place / "victim"
    before = identity(victim)
    with attack("swap_link", place / "theirs" / name, victim):
        for number in range(ATTEMPTS):
            with contextlib.suppress(StateError), Lock(state_file, NOW):
                pass
            with contextlib.suppress(StateError):
                allocate(state_file, 10)
            with contextlib.suppress(StateError):
                write(state_file, Record(number, b"mine"))
            with contextlib.suppress(StateError):
                write_atomically(state_file, b"{}")
    assert (identity(victim), victim.read_bytes()) == (before, PRECIOUS)


def test_a_second_name_that_comes_and_goes_leads_no_write_to_what_is_roots(place: Path) -> None:
    target, victim = place / "theirs/heartbeat", place / "victim"
    victim.chmod(0o666)  # what a user can write it can also link to (fs.protected_hardlinks)
    before = identity(victim)
    with attack("swap_hard_link", target, victim):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(StateError):
                beat(target, NOW, Status.OK, 0)
    assert (identity(victim), victim.read_bytes()) == (before, PRECIOUS)


def test_a_directory_that_is_replaced_while_it_is_made_gives_nothing_of_roots_away(place: Path) -> None:
    (place / "roots").mkdir(mode=0o700)
    before = identity(place / "roots")
    with attack("replace_directory", place / "theirs/new", place / "roots"):
        for _ in range(ATTEMPTS):
            with contextlib.suppress(StateError):
                make_directory(place / "theirs/new/state")
            with contextlib.suppress(StateError):
                make_directory(place / "theirs/new")
    assert identity(place / "roots") == before
    assert list((place / "roots").iterdir()) == []


def test_a_configuration_that_is_swapped_runs_no_command_as_root(theirs: Monitor, place: Path) -> None:
    theirs.write()
    ready = place / "theirs/ready"
    ready.mkdir()
    ours = json.loads(theirs.path.read_text())
    bad = json.loads(theirs.path.read_text())
    del bad["accounts"]["main"]["password"]
    bad["accounts"]["main"]["password_command"] = ["touch", str(place / "was-run")]
    (ready / "ours").write_text(json.dumps(ours))
    (ready / "theirs").write_text(json.dumps(bad))
    for path in (ready, ready / "theirs"):
        os.chown(path, ATTACKER, ATTACKER)
    target = place / "theirs/config.json"
    attempts, end_s = 0, time.monotonic() + 10
    with attack("swap_configuration", target, ready):
        while attempts < ATTEMPTS and time.monotonic() < end_s:
            try:
                resolve(load(target, Overrides(), {"HOME": "/"}), target, {})
            except ConfigError as exc:
                attempts += "No such file" not in exc.message
    assert not (place / "was-run").exists()


def test_an_export_is_roots_although_the_history_is_read_as_its_owner(theirs: Monitor, place: Path) -> None:
    (place / "roots").mkdir(mode=0o700)
    run = theirs.run("bounces", "export", "--output", str(place / "roots/bounces.csv"))
    assert run.exit_code == 0, run
    exported = place / "roots/bounces.csv"
    assert exported.read_text().startswith("id,")
    assert (exported.stat().st_uid, stat.S_IMODE(exported.stat().st_mode)) == (0, 0o600)
    assert [path.name for path in (place / "roots").iterdir()] == ["bounces.csv"]


# Whose configuration, whose secrets


def test_a_foreign_configuration_sends_no_file_of_roots_and_writes_none(theirs: Monitor, place: Path) -> None:
    secret = place / "root-only"
    secret.write_text("sentinel-of-root\n")
    secret.chmod(0o600)
    del theirs.config["accounts"]["main"]["password"]
    theirs.config["accounts"]["main"]["password_file"] = str(secret)
    theirs.config["heartbeat_file"] = str(place / "victim")
    theirs.write()
    os.chown(theirs.path, ATTACKER, ATTACKER)
    for command in (
        ("check", "--json"),
        ("notify", "test"),
        ("status",),
        ("notify", "unit-failed"),
        ("config", "validate"),
    ):
        process = subprocess.run(
            theirs.command(*command), env=theirs.environment(), capture_output=True, text=True, timeout=60, check=False
        )
        assert process.returncode == 78
        assert f"{theirs.path}: refused, because it belongs to another user, {ATTACKER}" in process.stderr
        assert f"chown root {theirs.path}" in process.stderr
        assert f"MAILMON_CONFIG_OWNER={ATTACKER}" in process.stderr
    assert (place / "victim").read_bytes() == PRECIOUS
    assert list((place / "theirs").iterdir()) == []


@pytest.mark.parametrize("named", [{"MAILMON_CONFIG_OWNER": str(ATTACKER)}, {"SUDO_UID": str(ATTACKER)}])
def test_the_configuration_of_whoever_typed_sudo_or_was_named_is_taken(theirs: Monitor, named: dict[str, str]) -> None:
    theirs.write()
    os.chown(theirs.path, ATTACKER, ATTACKER)
    theirs.environ |= named
    command = [*theirs.command("check")]
    process = subprocess.run(command, env=theirs.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert (process.returncode, process.stderr) == (0, "")


def test_a_configuration_in_a_directory_of_another_user_is_refused_to_root(theirs: Monitor, place: Path) -> None:
    theirs.directory = place / "theirs"
    theirs.write()
    run = Monitor.run(theirs, "check")
    assert run.exit_code == 78
    assert f"user {ATTACKER} may put another file in its place, by {place}/theirs" in run.stderr


def test_a_configuration_in_a_sticky_directory_of_roots_is_taken(theirs: Monitor, place: Path) -> None:
    """Such as a Nix store, which the builders' group may write."""
    store = place / "store"
    store.mkdir()
    os.chown(store, 0, ATTACKER)
    store.chmod(0o1775)
    theirs.write()
    shutil.copy(theirs.path, store / "config.json")
    theirs.directory = store
    command = theirs.command("check")
    process = subprocess.run(command, env=theirs.environment(), capture_output=True, text=True, timeout=60, check=False)
    assert (process.returncode, process.stderr) == (0, "")


# Becoming the owner


def test_root_becomes_the_owner_with_what_only_root_can_read_in_hand(theirs: Monitor, place: Path) -> None:
    secret = place / "password"
    secret.write_text(str(theirs.config["accounts"]["main"].pop("password")))
    secret.chmod(0o600)
    theirs.config["accounts"]["main"]["password_file"] = str(secret)
    theirs.config["heartbeat_file"] = str(place / "victim")
    run = theirs.check()
    assert run.exit_code == 0, run
    assert f"{place}/victim: Permission denied" in run.stderr
    assert (place / "victim").read_bytes() == PRECIOUS
    assert {path.stat().st_uid for path in (place / "theirs").iterdir()} == {ATTACKER}
    for command in (
        ("status",),
        ("silence", "main", "--for", "1h"),
        ("alerts",),
        ("bounces", "list"),
        ("notify", "test"),
    ):
        assert theirs.run(*command).exit_code == 0
    assert {path.stat().st_uid for path in (place / "theirs").iterdir()} == {ATTACKER}


def test_a_password_of_the_owners_own_is_read_with_the_owners_rights(theirs: Monitor, place: Path) -> None:
    password = str(theirs.config["accounts"]["main"].pop("password"))
    theirs.config["accounts"]["main"]["password_file"] = str(place / "theirs/password")
    (place / "theirs/password").write_text(password)
    os.chown(place / "theirs/password", ATTACKER, ATTACKER)
    (place / "theirs/password").chmod(0o600)
    assert theirs.check().exit_code == 0
    (place / "victim").chmod(0o600)
    (place / "theirs/password").unlink()
    (place / "theirs/password").symlink_to(place / "victim")
    run = theirs.check()
    assert run.exit_code == 78
    assert "theirs/password: Permission denied" in run.stderr
    os.chown(place / "theirs", 0, 0)
    os.chown(place / "theirs/password", ATTACKER, ATTACKER, follow_symlinks=False)
    (place / "theirs/password").unlink()
    (place / "theirs/password").write_text(password)
    os.chown(place / "theirs/password", 5432, 5432)
    run = theirs.check()
    assert run.exit_code == 78
    assert "refused, because it belongs to another user, 5432" in run.stderr


def test_a_state_that_its_owner_cannot_reach_is_refused_with_its_reason(theirs: Monitor, place: Path) -> None:
    place.chmod(0o700)
    for command in (("check",), ("status",), ("silence", "main", "--for", "1h"), ("alerts",), ("bounces", "list")):
        run = theirs.run(*command)
        assert run.exit_code == 74
        assert f"belongs to user {ATTACKER}, who cannot reach it from here" in run.stderr
    assert list((place / "theirs").iterdir()) == []


def test_a_ca_that_the_owner_cannot_read_is_named(theirs: Monitor, place: Path) -> None:
    (place / "sandbox/ca.pem").chmod(0o600)
    run = theirs.check()
    assert run.exit_code == 78
    assert f"user {ATTACKER}, whose state this is, cannot read it: chmod a+r {place}/sandbox/ca.pem" in run.stderr


def test_nothing_of_root_is_left_and_it_cannot_be_had_again(place: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from mailmon.store.owner import become, owner_of
state = Path(sys.argv[1])
become(owner_of(state), state)
status = Path("/proc/self/status").read_text()
print([line for line in status.splitlines() if line.startswith(("Uid", "Gid", "Groups", "CapEff", "CapPrm"))])
for regain in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]), lambda: os.setgid(0)):
    try:
        regain()
        print("regained")
    except PermissionError:
        pass
"""
    command = [sys.executable, "-c", program, str(place / "theirs/state.json")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    assert "regained" not in said
    ids = "\\t".join(["4321"] * 4)
    assert f"Uid:\\t{ids}" in said
    assert f"Gid:\\t{ids}" in said
    assert "CapEff:\\t0000000000000000" in said
    assert "CapPrm:\\t0000000000000000" in said


def test_the_group_of_root_is_not_taken_over_from_the_directory(place: Path) -> None:
    os.chown(place / "theirs", ATTACKER, 0)
    owner = owner_of(place / "theirs/state.json")
    assert owner is not None
    assert (owner.gid, owner.groups) == (ATTACKER, (ATTACKER,))


def test_a_state_directory_of_roots_is_used_as_root(theirs: Monitor, place: Path) -> None:
    os.chown(place / "theirs", 0, 0)
    assert theirs.check().exit_code == 0
    assert {path.stat().st_uid for path in (place / "theirs").iterdir()} == {0}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (place / "theirs").iterdir()} == {0o600}

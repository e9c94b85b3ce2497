"""Killed at any moment: never a torn state file, never an alert too few, a repeated one only where it must be."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import files_of, monitor_of, probes_in
from tests.monitor import Monitor

KILLS = int(os.environ.get("MAILMON_KILLS", "25"))
SEED = int(os.environ.get("MAILMON_KILLS_SEED", "20250101"))
# What a killed run had already sent reaches the receiver's thread a moment later.
SETTLE_S = 0.03
LASTING = {"state.json", "state.json.journal", "state.json.lock", "probe.key", "config.checked"}
PASSING = {"state.json.tmp", "state.json.journal.tmp", "probe.key.tmp", "config.checked.tmp"}
STEPS = ("smtp_auth:main", "receive:main")
# What a complete run sees of login and delivery; None: it could not ask.
OBSERVATIONS: dict[str, tuple[bool, bool | None]] = {
    "none": (True, True), "refuse_login": (False, None), "lose_mail": (True, False),
}  # fmt: skip


@dataclass
class Oracle:
    """What the complete runs saw, and what people must hear of each step: worked out apart from mailmon's own table."""

    remembered: list[bool] = field(default_factory=lambda: [True, True])
    changes: dict[str, list[str]] = field(default_factory=lambda: {step: [] for step in STEPS})

    def add(self, fault: str) -> None:
        """Note one complete run."""
        for number, (step, new) in enumerate(zip(STEPS, OBSERVATIONS[fault], strict=True)):
            if new is not None and new != self.remembered[number]:
                self.remembered[number] = new
                self.changes[step].append("up" if new else "down")


@dataclass
class Environment:
    """A monitor that is killed again and again while its server breaks and heals."""

    sandbox: Sandbox
    receiver: Receiver
    monitor: Monitor
    oracle: Oracle = field(default_factory=Oracle)
    killed_at: list[float] = field(default_factory=list)
    kills: int = 0
    last_run: str = ""

    def set_fault(self, name: str) -> None:
        self.sandbox.faults.refuse_login = {"smtp"} if name == "refuse_login" else set()
        self.sandbox.faults.lose_mail = name == "lose_mail"

    def kill_when(self, is_time: Callable[[], bool], fault: str) -> None:
        """Start a run and kill it, its threads and all, at a moment; then judge what it left."""
        with self.monitor.start(["check", "--json"]) as process:
            while process.poll() is None and not is_time():
                time.sleep(0.0005)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=10)
        self.kills += process.returncode == -signal.SIGKILL
        time.sleep(SETTLE_S)
        self.killed_at.append(time.monotonic())
        self.check_files(is_killed=True)
        self.note_run(fault)

    def kill_after(self, wait_s: float, fault: str) -> None:
        until_s = time.monotonic() + wait_s
        self.kill_when(lambda: time.monotonic() >= until_s, fault)

    def complete(self, fault: str) -> None:
        """Run to the end; everything must be as if nobody had been killed."""
        run = self.monitor.check()
        assert run.exit_code == (0 if fault == "none" else 1), run.stdout + run.stderr
        assert run.stderr == ""
        assert "twice" not in run.stdout, "the probe of a killed run is no duplicate"
        assert [alert["status"] for alert in run.document["alerts"]] in ([], ["sent"], ["sent", "sent"])
        self.check_files(is_killed=False)
        assert self.note_run(fault), "a run that ended has saved"
        assert probes_in(self.sandbox) == [], "what killed runs sent is gone"

    def note_run(self, fault: str) -> bool:
        """Say whether the last run got as far as to save what it saw; its observation counts then."""
        state = read_whole(self.monitor.state_file)
        last_run = (state or {}).get("last_run") or {}
        is_new = bool(last_run) and last_run["run_id"] != self.last_run
        if is_new:
            self.last_run = last_run["run_id"]
            self.oracle.add(fault)
        return is_new

    def check_files(self, *, is_killed: bool) -> None:
        names = set(files_of(self.monitor.state_file.parent)) if self.monitor.state_file.parent.exists() else set()
        assert names <= LASTING | (PASSING if is_killed else set()), names
        assert len(names & PASSING) <= 1, names
        if not is_killed:
            assert names == LASTING

    def announced(self) -> dict[str, list[str]]:
        """Return what people heard of each step, the repetitions that a kill explains left out.

        What was sent in a run that was killed may come again: alone with the same id, or merged with what is new.
        """
        heard: dict[str, list[str]] = {step: [] for step in STEPS}
        before: tuple[float, str, dict[str, list[str]]] = (0.0, "", {})
        for request in self.receiver.requests:
            details = json.loads(request.body)["details"]
            news = {change["id"]: healths_of(change) for change in details["changes"]}
            may_repeat = any(before[0] <= at <= request.at for at in self.killed_at)
            assert may_repeat or details["id"] != before[1], "sent twice although nobody was killed"
            for step, healths in news.items():
                known = before[2].get(step, []) if may_repeat else []
                heard[step] += healths[len(known) :] if known and healths[: len(known)] == known else healths
            before = (request.at, details["id"], news)
        return heard


def healths_of(change: dict[str, Any]) -> list[str]:
    """Return the healths that an alert tells of a step, those that were late first."""
    return [*(past["to"] for past in change["earlier"]), change["to"]]


def read_whole(path: Path) -> dict[str, Any] | None:
    """Return the state, None where there is none yet; fail where it is torn."""
    if not path.exists():
        return None
    document: dict[str, Any] = json.loads(path.read_bytes())
    contents = {key: value for key, value in document.items() if key not in ("schema", "digest")}
    assert document["schema"] == "mailmon/state/1"
    assert document["digest"] == hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()
    assert path.stat().st_mode & 0o777 == 0o600
    return document


@pytest.fixture
def environment(sandbox: Sandbox, receiver: Receiver, tmp_path: Path) -> Environment:
    monitor = monitor_of(sandbox, tmp_path, receiver)
    monitor.config["notify"] = {"hook": {"type": "webhook", "url": f"{receiver.url}/hook"}}
    return Environment(sandbox, receiver, monitor)


def measure(environment: Environment) -> dict[str, float]:
    """Return how long a run takes that tells of a fault, and of its end."""
    lengths = {}
    environment.complete("none")
    for fault in ("refuse_login", "lose_mail"):
        for name in (fault, "none"):
            environment.set_fault(name)
            started_s = time.monotonic()
            environment.complete(name)
            lengths[name] = time.monotonic() - started_s
    return lengths


def test_runs_killed_at_random_moments_lose_no_alert_and_tear_no_file(environment: Environment) -> None:
    lengths = measure(environment)
    dice = random.Random(SEED)  # the same moments in every test run; MAILMON_KILLS_SEED tries others
    fault = "none"
    while environment.kills < KILLS:  # a run that ended before its moment was not killed
        if dice.random() < 0.5:
            fault = "none" if fault != "none" else dice.choice(["refuse_login"] * 3 + ["lose_mail"])
        environment.set_fault(fault)
        environment.kill_after(dice.uniform(0, lengths[fault] * 1.15), fault)
        if dice.random() < 0.2:  # killed twice in a row
            environment.kill_after(dice.uniform(0, lengths[fault] * 1.15), fault)
        environment.complete(fault)
        moments = [round(request.at, 3) for request in environment.receiver.requests[-4:]], environment.killed_at[-4:]
        assert environment.announced() == environment.oracle.changes, (
            f"after kill {environment.kills} with the seed {SEED}: {moments}"
        )
    assert sum(map(len, environment.oracle.changes.values())) > KILLS / 10


def test_a_kill_while_the_receiver_takes_the_alert_repeats_it_at_most_once(environment: Environment) -> None:
    environment.complete("none")
    environment.set_fault("refuse_login")
    environment.receiver.hang = True
    environment.kill_when(lambda: len(environment.receiver.requests) > 0, "refuse_login")
    environment.receiver.hang = False
    environment.set_fault("none")
    environment.complete("none")
    bodies = [json.loads(request.body) for request in environment.receiver.requests]
    assert [body["event"] for body in bodies] == ["alert.problem", "alert.recovery"]
    # What may have got through stands beside what is new, under an id of its own: no receiver may drop it.
    assert [healths_of(body["details"]["changes"][0]) for body in bodies] == [["down"], ["down", "up"]]
    assert len({body["details"]["id"] for body in bodies}) == 2
    assert (
        environment.announced() == environment.oracle.changes == {"smtp_auth:main": ["down", "up"], "receive:main": []}
    )


@pytest.mark.parametrize("moment", ["state.json.tmp", "state.json", "config.checked", "probe.key", "state.json.lock"])
def test_a_kill_during_the_very_first_run_leaves_nothing_that_hinders(environment: Environment, moment: str) -> None:
    place = environment.monitor.state_file.parent / moment
    environment.set_fault("refuse_login")
    environment.kill_when(place.exists, "refuse_login")
    environment.complete("refuse_login")
    assert environment.announced() == {"smtp_auth:main": ["down"], "receive:main": []}


def test_the_probe_of_a_killed_run_that_comes_later_is_removed_in_silence(environment: Environment) -> None:
    environment.complete("none")
    environment.sandbox.faults.delivery_delay_s = 3.0
    sent = len(environment.sandbox.accepted)
    environment.kill_when(lambda: len(environment.sandbox.accepted) > sent, "none")
    environment.sandbox.faults.delivery_delay_s = 0
    environment.complete("none")
    deadline_s = time.monotonic() + 10
    while not probes_in(environment.sandbox) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert len(probes_in(environment.sandbox)) == 1
    environment.complete("none")
    assert environment.receiver.requests == []


def test_a_run_that_is_interrupted_from_the_keyboard_leaves_a_whole_state(environment: Environment) -> None:
    environment.complete("none")
    environment.set_fault("lose_mail")
    sent = len(environment.sandbox.accepted)
    with environment.monitor.start(["check"]) as process:
        while len(environment.sandbox.accepted) == sent and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    environment.set_fault("none")
    with contextlib.suppress(FileNotFoundError):
        read_whole(environment.monitor.state_file)
    environment.complete("none")
    assert environment.receiver.requests == []

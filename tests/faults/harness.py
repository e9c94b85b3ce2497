"""Runs of the real command with injected faults, and records of what it sent and saved."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from mailmon.sandbox.receiver import Received
from tests import warm
from tests.bed import Bed
from tests.faults.clock import faked
from tests.faults.dsl import OK, PERSON_SEES, Kill, Run, Scenario
from tests.faults.environment import RECEIVE_S, Environment
from tests.faults.outbox_model import LEFT_OUT
from tests.faults.recorder import Message, Record, StepReport, observations_of, thresholds_of

RUN_S = 90.0
# What a killed run had already sent reaches the receiver's thread a moment later.
SETTLE_S = 0.05
# The shortest time between two runs after which a reminder is due (reminder_interval is a second).
REMINDER_S = 1.05
UNIT_NAME = "mailmon.service"
_RETRY_AFTER = {"busy": "1", "later": "4", "in an hour": "3600"}
_KINDS = {"rotating_light": "problem", "warning": "warning", "white_check_mark": "recovery"}


class Harness(Environment):
    """Executes the runs of a scenario, and keeps a record of each."""

    def __init__(self, scenario: Scenario, bed: Bed | None = None) -> None:
        super().__init__(scenario, bed)
        self.last_run = ""
        self.usual_s = 1.0
        # The moment of a kill is a fraction of a run's duration, the start of Python included.
        self.is_cold = any(run.kill or run.is_twice for run in scenario.runs)
        self.records: list[Record] = []

    def build(self) -> None:
        """Start everything, then apply the scenario's own setup."""
        super().build()
        if self.scenario.setup:
            self.scenario.setup(self)

    def execute(self, run: Run) -> Record:
        """Execute one run, and keep its record."""
        self.repair()
        for action in run.before:
            action.apply(self)
            self.silenced = self.silenced if action.silences is None else action.silences
        for fault in run.faults:
            fault.inject(self)
        modes = {name: run.mode(name) for name in self.scenario.channels}
        record = Record(
            len(self.records),
            run,
            observations_of(run, self.monitor.config),
            modes,
            any(action.forgets for action in run.before),
            any(action.loses_state for action in run.before),
            self.silenced,
            thresholds_of(self.monitor.config),
            self._is_reminder_due(run),
        )
        for name, mode in record.modes.items():
            self._tune(name, mode)
        known = {name: len(receiver.requests) for name, receiver in self.receivers.items()}
        self._run_command(run, record)
        for name, receiver in self.receivers.items():
            record.messages += self._read(record, name, receiver.requests[known[name] :])
        self._look_at_state(record)
        self.records.append(record)
        return record

    def _is_reminder_due(self, run: Run) -> bool:
        interval = self.scenario.reminder_interval
        return interval == "1s" or (interval == "6h" and any(action.is_long for action in run.before))

    def _tune(self, name: str, mode: str) -> None:
        receiver = self.receivers[name]
        if mode == "down":
            self.doors[name].refuse()
        receiver.hang, receiver.lose_answer = mode == "hanging", mode == "ack lost"
        receiver.delay_s = 1.5 if mode == "slow" else 0.0
        if mode in ("500", "403", "404"):
            receiver.status = int(mode)
        if mode in _RETRY_AFTER:
            receiver.status = 200 if mode == "busy" else 429
            receiver.script, receiver.headers = [429], {"Retry-After": _RETRY_AFTER[mode]}

    def _run_command(self, run: Run, record: Record) -> None:
        self.monitor.environ = {"SSL_CERT_FILE": str(self.ca_file), **self.environ, **faked(run.clock_s)}
        # The configuration lies in a directory of the run's user; root has to be told that this is intended.
        self.monitor.environ["MAILMON_CONFIG_OWNER"] = str(self.directory.stat().st_uid)
        if run.user is not None:
            self.prefix += ["setpriv", f"--reuid={run.user}", f"--regid={run.user}", "--clear-groups"]
        self.monitor.config["notify"] = {name: self.notify[name] for name in self.notify if name in record.present}
        if run.unit:
            result = "exit-code" if run.unit.isdecimal() else "signal"
            self.monitor.environ |= {"MONITOR_SERVICE_RESULT": result, "MONITOR_EXIT_STATUS": run.unit}
        if self.scenario.reminder_interval == "1s":
            time.sleep(REMINDER_S)
        self.monitor.write()
        if run.user is not None:
            shutil.chown(self.monitor.path, run.user, run.user)
        record.started_at, started_s = datetime.now(UTC), time.monotonic()
        if self.is_cold or self.prefix or not warm.is_fit(self.monitor.environment()):
            self._run_cold(run, record)
        else:
            arguments = [*_arguments(run), "--config", str(self.monitor.path)]
            record.exit_code, record.stdout, record.stderr = warm.run(arguments, self.monitor.environment(), RUN_S)
        record.took_s, record.ended_at = time.monotonic() - started_s, datetime.now(UTC)
        if run.kill:
            time.sleep(SETTLE_S)
        elif not run.faults and run.channels == "up":
            self.usual_s = record.took_s

    def _run_cold(self, run: Run, record: Record) -> None:
        with self._started(run) as process:
            if run.kill:
                self._kill(process, run.kill, run)
            if run.is_twice:
                record.second_exit_code = self._run_beside(process, run)
            record.stdout, record.stderr = process.communicate(timeout=RUN_S)
        record.exit_code = process.returncode

    def _started(self, run: Run) -> subprocess.Popen[str]:
        command = [*self.prefix, *self.monitor.command(*_arguments(run))]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, env=self.monitor.environment(), **pipes)  # type: ignore[call-overload, no-any-return]

    def _kill(self, process: subprocess.Popen[str], kill: Kill, run: Run) -> None:
        waits_in_vain = any(fault.hits.get("receive", OK).status == "failed" for fault in run.faults)
        length_s = self.usual_s + (RECEIVE_S if waits_in_vain else 0.0)
        until_s = time.monotonic() + (RUN_S / 2 if kill.while_sending else kill.share * length_s)
        known = self._requests()
        while process.poll() is None and time.monotonic() < until_s:
            if kill.while_sending and self._requests() > known:
                break
            time.sleep(0.001)
        process.send_signal(kill.signal)

    def _run_beside(self, first: subprocess.Popen[str], run: Run) -> int:
        """Run the command while the other one holds its lock."""
        lock = self.monitor.state_file.with_name("state.json.lock")
        self.wait_until(lambda: lock.exists() and f"process {first.pid} " in lock.read_text())
        with self._started(run) as second:
            second.communicate(timeout=RUN_S)
        return second.returncode

    def _requests(self) -> int:
        return sum(len(receiver.requests) for receiver in self.receivers.values())

    def wait_until(self, is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Wait for something that will be so in a moment."""
        until_s = time.monotonic() + timeout_s
        while not is_so() and time.monotonic() < until_s:
            time.sleep(0.003)

    def _read(self, record: Record, channel: str, requests: list[Received]) -> Iterator[Message]:
        for request in requests:
            is_shown = record.modes[channel] in PERSON_SEES and request.status in (None, 200)
            if is_shown and request.body:
                acked = request.status == 200 and not record.run.kill
                yield _message(record, channel, request.body, acked=acked)

    def _look_at_state(self, record: Record) -> None:
        with contextlib.suppress(OSError, ValueError):
            record.state = json.loads(self.monitor.state_file.read_bytes())
        if record.run.kill:
            run_id = ((record.state or {}).get("last_run") or {}).get("run_id", "")
            record.is_seen = bool(run_id) and run_id != self.last_run
        self.last_run = ((record.state or {}).get("last_run") or {}).get("run_id", self.last_run)


def _arguments(run: Run) -> tuple[str, ...]:
    return ("notify", "unit-failed", UNIT_NAME) if run.unit else ("check", "--json", *run.names)


def _healths(change: dict[str, Any]) -> tuple[str, ...]:
    """Return the healths that a message reports for a step, its earlier changes first."""
    earlier = [past["to"] for past in change["earlier"]]
    return (*earlier[:1], *[LEFT_OUT] * change["earlier_left_out"], *earlier[1:], change["to"])


def _message(record: Record, channel: str, body: bytes, *, acked: bool) -> Message:
    document = json.loads(body)
    if "details" not in document:
        return Message(
            record.number, channel, _KINDS[document["tags"][0]], document.get("sequence_id", ""), None, acked, body
        )
    details = document["details"]
    reports = tuple(
        StepReport(
            change["id"],
            _healths(change),
            datetime.fromisoformat(change["since"]) - timedelta(seconds=record.run.clock_s),
        )
        for change in details["changes"]
    )
    return Message(record.number, channel, details["kind"], details["id"], reports, acked, body)

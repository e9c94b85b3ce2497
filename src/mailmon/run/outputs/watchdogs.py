"""Who watches the watcher? The ping address and the heartbeat file are told that a run began, and how it ended."""

from __future__ import annotations

import threading
import time

from mailmon.clients.deadline import Deadline
from mailmon.config import Setup
from mailmon.errors import DeliveryError, StateError
from mailmon.model.run import RunResult
from mailmon.notify import ping
from mailmon.store.heartbeat import beat

# For all attempts of one ping. Always there, even when the alerts have used up the run's time: a ping that is missing
# is an alarm.
PING_S = 5.0
PAUSES_S = (0.3, 0.6)


class Watchers:
    """Those who are told that mailmon is alive: their alarm is our silence.

    Only complete runs count: one that asks for a part must not end an alarm of the whole. `was_pinged` says that
    the end of this run was told to the ping address, `refusal` why that did not get through.
    """

    def __init__(self, setup: Setup, *, counts: bool) -> None:
        self._channel = setup.ping if counts else None
        self._heartbeat = setup.heartbeat_file if counts else None
        self._start: threading.Thread | None = None
        self.was_pinged = False
        self.refusal: DeliveryError | None = None

    def begin(self) -> None:
        """Say that a run begins; nobody waits for the answer."""
        if self._channel:
            self._start = threading.Thread(target=self._ping, args=("start", ""), name="ping", daemon=True)
            self._start.start()

    def end(self, report: RunResult) -> str:
        """Say how a run ended; return what kept the heartbeat file from being written, "" when nothing did."""
        problem = ""
        if self._heartbeat:
            try:
                beat(self._heartbeat, report.finished_at, report.status, report.exit_code)
            except StateError as exc:
                problem = exc.message
        if self._start:
            self._start.join(PING_S)  # an end that comes before its start would be taken for two runs
            self.was_pinged, self.refusal = True, DeliveryError(f"the ping URL: no answer within {PING_S:.0f} s")
            end = threading.Thread(target=self._ping_end, args=self._signal(report), name="ping", daemon=True)
            end.start()
            end.join(PING_S)
        return problem

    def fail(self, exit_code: int, said: str) -> None:
        """Say that a run could not even begin."""
        if self._channel:
            failure = "fail" if self._channel.options.failure == "fail" else str(exit_code)
            self._ping(failure, f"exit code {exit_code}: {said}")

    def _ping_end(self, signal: str, body: str) -> None:
        self.refusal = self._ping(signal, body)

    def _ping(self, signal: str, body: str) -> DeliveryError | None:
        """Ping, up to three times; return why it did not get through."""
        assert self._channel is not None
        deadline = Deadline(PING_S)
        for pause_s in (*PAUSES_S, None):
            try:
                ping.send(signal, body, self._channel, deadline.remaining_s())
            except DeliveryError as exc:
                if exc.is_permanent or pause_s is None or pause_s >= deadline.remaining_s():
                    return exc
                time.sleep(pause_s)
            else:
                break
        return None

    def _signal(self, report: RunResult) -> tuple[str, str]:
        """Return the signal, and its body: how the run ended and what its steps said."""
        assert self._channel is not None
        head = f"exit code {report.exit_code}: {report.status}, {report.duration_s:.1f} s"
        body = "\n".join([head, *(f"{step.id}: {step.status}: {step.message}" for step in report.steps)])
        failure = "fail" if self._channel.options.failure == "fail" else str(report.exit_code)
        return (failure if report.exit_code else ""), body

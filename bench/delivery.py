"""Accuracy of the reported delivery time, against the mail server's own log, at three injected delays.

The truth is what Postfix measured from the last byte of the mail to the mailbox server's answer; the injected delay is
a part of it. Every run must be right within the bound that mailmon itself reports, and the median much better.
"""

from __future__ import annotations

import json
import re
import statistics
import time
from typing import Any, NamedTuple

from bench.commands import Command, run
from bench.environment import Environment
from bench.tables import Bound, print_table

DELAYS_MS = (300, 1000, 3400)
MAX_ERROR_S, MAX_ERROR_SHARE = 0.020, 0.06
# Between the server's last byte and its log, and between its answer and our clock, some milliseconds pass.
SLACK_S = 0.005
LOG_TIMEOUT_S = 5.0

_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_HEAD = ("injected ms", "runs", "true ms", "reported - true, median ms", "smallest", "largest", "reported bound ms")


class Sample(NamedTuple):
    """One run: what was reported, how exact it claims to be, and the truth."""

    reported_s: float
    claimed_s: float
    true_s: float

    @property
    def error_s(self) -> float:
        """Return reported minus true."""
        return self.reported_s - self.true_s


def measure(environment: Environment, rounds: int) -> list[Bound]:
    """Measure so many deliveries at each delay, print them, return the bounds."""
    bounds, rows = [], []
    for delay_ms in DELAYS_MS:
        account, _, domain = environment.bed.user.partition("@")
        command = environment.check(environment.monitor(environment.ports(), to=f"{account}+d{delay_ms}@{domain}"))
        samples = [_sample(environment, command) for _ in range(rounds)]
        rows.append(_row(delay_ms, samples))
        bounds += _bounds(delay_ms, samples)
    print_table("Reported minus true delivery time", _HEAD, rows)
    return bounds


def _sample(environment: Environment, command: Command) -> Sample:
    steps = {step["check"]: step for step in json.loads(run(command, environment.directory).stdout)["steps"]}
    metrics: dict[str, Any] = steps["receive"]["metrics"]
    match = _MESSAGE_ID.search(steps["send"]["message"])
    assert match is not None, steps["send"]["message"]
    return Sample(metrics["delivery_s"], metrics["delivery_error_s"], _true_s(environment, match[0]))


def _true_s(environment: Environment, message_id: str) -> float:
    """Return when Postfix had delivered a mail; it writes its log a moment later."""
    until_s = time.monotonic() + LOG_TIMEOUT_S
    while time.monotonic() < until_s:
        for delivery in environment.bed.deliveries():
            if delivery.message_id == message_id:
                return delivery.after_accept_s
        time.sleep(0.01)
    raise TimeoutError(f"the server's log does not tell of {message_id}")


def _row(delay_ms: int, samples: list[Sample]) -> list[str]:
    errors_s = [sample.error_s for sample in samples]
    figures_s = [
        statistics.median(sample.true_s for sample in samples),
        statistics.median(errors_s),
        min(errors_s),
        max(errors_s),
        statistics.median(sample.claimed_s for sample in samples),
    ]
    return [str(delay_ms), str(len(samples)), *(f"{figure_s * 1000:.1f}" for figure_s in figures_s)]


def _bounds(delay_ms: int, samples: list[Sample]) -> list[Bound]:
    true_s = statistics.median(sample.true_s for sample in samples)
    error_s = statistics.median(abs(sample.error_s) for sample in samples)
    beyond_s = max(abs(sample.error_s) - sample.claimed_s for sample in samples)
    what = f"delivery after {delay_ms} ms"
    most_s = max(MAX_ERROR_S, MAX_ERROR_SHARE * true_s)
    return [
        Bound(f"{what}: median error", error_s * 1000, most_s * 1000, "{:.1f} ms"),
        Bound(f"{what}: beyond the reported bound, worst run", beyond_s * 1000, SLACK_S * 1000, "{:.1f} ms"),
    ]

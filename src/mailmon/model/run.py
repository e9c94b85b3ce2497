"""The result of a run; its exit code follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from mailmon.model import Alert, Change, CheckState, Outcome, Quiet, Status

EXIT_OK, EXIT_FAILED, EXIT_ALERT, EXIT_BUG, EXIT_STATE, EXIT_UNKNOWN = 0, 1, 69, 70, 74, 75
# An alert that has been pending for so many runs means that nobody is alerted.
PENDING_RUNS = 3


class AlertLine(NamedTuple):
    """What became of one alert on one channel in this run: sent, pending or dropped.

    `about` are the ids of the steps that it is about.
    """

    id: str
    channel: str
    status: str
    title: str
    error: str = ""
    is_alarming: bool = False
    about: tuple[str, ...] = ()


class LastRun(NamedTuple):
    """The last complete run."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    status: Status


class RunResult(NamedTuple):
    """The result of one run.

    `previews` are the alerts that a dry run would have sent, `quiet` says why no alert is sent, by the id of the step,
    `not_due` has the states, by their labels, of the steps that are not healthy and were not due.
    """

    run_id: str
    started_at: datetime
    finished_at: datetime
    duration_s: float
    status: Status
    steps: tuple[Outcome, ...]
    changes: tuple[Change, ...] = ()
    alerts: tuple[AlertLine, ...] = ()
    previews: tuple[Alert, ...] = ()
    state_error: str = ""
    may_repeat: bool = False
    warnings: tuple[str, ...] = ()
    quiet: Mapping[str, Quiet] = {}
    not_due: Mapping[str, CheckState] = {}

    @property
    def exit_code(self) -> int:
        """Return the exit code: it speaks of this run, the gravest cause first (docs/exit-codes.md)."""
        causes = (
            (EXIT_BUG, any(finding.id == "mailmon.bug" for step in self.steps for finding in step.findings)),
            (EXIT_STATE, bool(self.state_error)),
            (EXIT_ALERT, any(alert.is_alarming for alert in self.alerts)),
            (EXIT_FAILED, self.status is Status.FAILED),
            (EXIT_UNKNOWN, self.status is Status.UNKNOWN),
        )
        return next((code for code, holds in causes if holds), EXIT_OK)

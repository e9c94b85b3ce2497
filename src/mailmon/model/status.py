"""What `status`, `alerts` and `silence` report: stored health, alerts and silences."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mailmon.model.alerts import Delivery, OutboxEntry
from mailmon.model.run import LastRun
from mailmon.model.state import CheckState, Silence

# A clock that differs by less is taken as the same.
MAX_SKEW_S = 300.0


class CheckStatus(NamedTuple):
    """The state of one check, with its label for people and when a reminder is due, None for never.

    `alert` says what became of the alert about it, or why there is none; "" for a healthy check.
    """

    id: str
    label: str
    state: CheckState
    next_reminder_at: datetime | None
    alert: str = ""


class StatusReport(NamedTuple):
    """The health of every check at a time. `max_age_s` is how old the last complete run may be, None for any age."""

    at: datetime
    state_file: Path
    last_run: LastRun | None
    max_age_s: float | None
    checks: tuple[CheckStatus, ...]
    silences: tuple[Silence, ...]
    pending: tuple[OutboxEntry, ...]
    warnings: tuple[str, ...] = ()

    @property
    def age_s(self) -> float | None:
        """Return how long ago the last complete run ended, None where there was none."""
        return (self.at - self.last_run.finished_at).total_seconds() if self.last_run else None

    @property
    def is_stale(self) -> bool:
        """Return whether the last complete run is too old, or ended in the future: then the clock was set back."""
        return self.max_age_s is not None and (self.age_s is None or not -MAX_SKEW_S <= self.age_s <= self.max_age_s)


class AlertLog(NamedTuple):
    """The latest alerts that were sent or dropped, oldest first, and those that are pending."""

    deliveries: tuple[Delivery, ...]
    pending: tuple[OutboxEntry, ...]
    warnings: tuple[str, ...] = ()


class SilenceList(NamedTuple):
    """The active silences."""

    silences: tuple[Silence, ...]
    warnings: tuple[str, ...] = ()

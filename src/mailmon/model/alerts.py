"""Alerts, the outbox in which they wait, and what became of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mailmon.model.state import Change


class AlertKind(StrEnum):
    """What an alert is about: it sets a channel's priority and mark."""

    PROBLEM = "problem"
    WARNING = "warning"
    RECOVERY = "recovery"
    TEST = "test"
    REPORT = "report"


class Alert(NamedTuple):
    """A message to people. `id` is the run's that composed it: receivers can tell a repetition by it.

    `changes` are what it is about, `thread` is the id of the alert that it answers, "" for the first about a problem.
    """

    id: str
    kind: AlertKind
    title: str
    body: str
    at: datetime
    changes: tuple[Change, ...] = ()
    thread: str = ""


class OutboxEntry(NamedTuple):
    """An alert that one channel has not acknowledged yet. It is not tried before `not_before`."""

    alert: Alert
    channel: str
    runs: int = 0
    refused: bool = False
    error: str = ""
    not_before: datetime | None = None


class Delivery(NamedTuple):
    """What became of an alert on one channel: `sent`, or `dropped` with the reason."""

    id: str
    channel: str
    status: str
    title: str
    at: datetime
    done_at: datetime
    error: str = ""

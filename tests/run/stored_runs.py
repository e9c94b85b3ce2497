"""Runs that share a state file, and channels that answer as a test says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from mailmon.model import AlertSubject, OutboxEntry, Outcome, Status
from mailmon.model.run import AlertLine
from mailmon.run.dispatch import Dispatch
from mailmon.store.keeper import Keeper
from mailmon.store.state import State, peek
from tests.alerting.sequences import QUARTER, START, STEP, outcome, subject
from tests.run.fake_channels import FakeChannels

FAILED, OK = outcome(Status.FAILED), outcome(Status.OK)
OTHER = outcome(Status.FAILED, "send:other")
SUBJECTS = {STEP: subject(), "send:other": subject()._replace(label="Send Test", names=("all", "send:other", "other"))}
FAILURE = "mail.example.org:587: SMTP Auth failing"
RECOVERY = "mail.example.org:587: SMTP Auth recovered"


class StoredRuns:
    """Runs with one state file, whose channels are those of the fake_channels."""

    def __init__(self, directory: Path, fake_channels: FakeChannels) -> None:
        self.path = directory / "state.json"
        self.fake_channels = fake_channels
        self.number = 0
        self.subjects: Mapping[str, AlertSubject] = SUBJECTS

    @property
    def now(self) -> datetime:
        return START + self.number * QUARTER

    @property
    def state(self) -> State:
        return peek(self.path).state

    @property
    def waiting(self) -> list[OutboxEntry]:
        return list(self.state.outbox)

    def run(
        self,
        *found: Outcome,
        channels: Collection[str] = ("phone",),
        silenced: Collection[str] = (),
        later: timedelta = timedelta(),
    ) -> list[AlertLine]:
        """Judge, remember and tell, as a run does; `later` than a quarter of an hour after the one before."""
        self.number += 1 + later // QUARTER
        keeper = Keeper(self.path, self.now, is_dry=False)
        dispatch = self.dispatch(channels, silenced)
        told = dispatch.evaluate(keeper.state, found, self.subjects)
        keeper.save(checks=told.state.checks, outbox=told.state.outbox)
        lines, _ = dispatch.send(keeper)
        return lines

    def dispatch(self, channels: Collection[str] = ("phone",), silenced: Collection[str] = ()) -> Dispatch:
        """Return how people are told in the present run."""
        desk = self.fake_channels.context(*channels) if channels else self.fake_channels.context()._replace(channels={})
        return Dispatch(f"run-{self.number}", self.now, desk._replace(now=self.now), dict.fromkeys(silenced, self.now))

    def titles(self, name: str) -> list[str]:
        """Return the beginnings of what a channel has taken, without the time."""
        return [
            alert.title.partition(" since ")[0].partition(" after ")[0] for alert in self.fake_channels.taken_by(name)
        ]


def without_host(title: str) -> str:
    """Return a title about mailmon itself without the name of this machine."""
    return title.partition(": ")[2]

"""Whole runs in this process: accounts of the embedded server, a clock that a test sets, and fake channels."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from mailmon.config import Setup
from mailmon.model import Anchor
from mailmon.outputs.output import Output
from mailmon.run import Request, RunResult, run
from mailmon.sandbox import Sandbox
from mailmon.store.state import State, peek
from tests.alerting.sequences import START
from tests.config.samples import set_up
from tests.embedded import SECOND, account_of
from tests.run.fake_channels import FakeChannels


class Environment:
    """Logins of an account, told to the fake_channels. `minutes` have passed on the machine, the clock is `moved`."""

    def __init__(self, directory: Path, sandbox: Sandbox, fake_channels: FakeChannels) -> None:
        self.sandbox = sandbox
        self.fake_channels = fake_channels
        self.directory = directory
        self.state_file = directory / "state" / "state.json"
        self.channels: tuple[str, ...] = ("phone",)
        self.accounts = {"main": account_of(sandbox), "second": account_of(sandbox, SECOND)}
        self.routes: dict[str, Any] = {}
        self.outputs: tuple[Output, ...] = ()
        self.minutes = 0
        self.moved = timedelta()

    @property
    def now(self) -> datetime:
        return START + timedelta(minutes=self.minutes) + self.moved

    @property
    def anchor(self) -> Anchor:
        return Anchor("boot", self.minutes * 60.0, self.now)

    @property
    def state(self) -> State:
        return peek(self.state_file).state

    @property
    def setup(self) -> Setup:
        steps = {"accounts": self.accounts, "routes": self.routes}
        document = {**steps, "notify": "none", "state_file": str(self.state_file)}
        channels = self.fake_channels.context(*self.channels).channels if self.channels else {}
        return set_up(self.directory, document)._replace(channels=channels)

    def run(self, *names: str, is_dry: bool = False, is_killed: bool = False) -> RunResult:
        """Run a cycle, a quarter of an hour after the one before; one that is killed does not remember the clock."""
        self.minutes += 15
        anchors = [self.anchor] * (2 if is_killed else 3)
        now = self.now
        return run(
            Request(
                self.setup,
                lambda: now,
                names,
                is_dry=is_dry,
                anchor=lambda at: anchors.pop(),
                outputs=self.outputs,
            )
        )

    def refuse(self, *services: str) -> None:
        """Let the server refuse these logins from now on."""
        self.sandbox.faults.refuse_login = set(services)

    def kinds(self, name: str = "phone") -> list[str]:
        """Return the kinds of what a channel has taken."""
        return [alert.kind for alert in self.fake_channels.taken_by(name)]

    def told(self, name: str = "phone") -> Collection[str]:
        """Return the steps of which a channel was told."""
        return {change.id for alert in self.fake_channels.taken_by(name) for change in alert.changes}

"""The language of scenarios: sequences of runs, each with its faults, the actions before it, the channels' modes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.harness import Harness

NETWORK, CHANNEL, UNIT = "mailmon:network", "channel:", "unit:"
# That of the embedded server.
CERTIFICATE = "certificate:127.0.0.1"
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
# Modes of a channel in a run (`gone`: not configured; `resting`: works, but its Retry-After has not passed; `ack lost`:
# the alert arrives, its acknowledgement does not). PERSON_SEES: the alert arrives. TAKEN: it is acknowledged.
PERSON_SEES = {"up", "slow", "busy", "ack lost"}
TAKEN = {"up", "slow", "busy"}
REFUSING = {"403", "404"}
MODES = PERSON_SEES | REFUSING | {"down", "500", "hanging", "later", "in an hour", "resting", "gone"}
# Exit codes of a run that has sent its alerts itself (docs/alerts.md): for these, systemd's OnFailure= sends none.
REPORTED_EXITS = {"1", "69", "75"}


class Observation(NamedTuple):
    """What a step must find: `failed`, `warning` or `unknown`, and a word that tells causes apart."""

    status: str
    cause: str = ""


OK = Observation("ok")


@dataclass(frozen=True)
class Fault:
    """A fault for one run, and the steps that must find it, by check or by step id.

    Steps that depend on a failed one are skipped implicitly. `is_offline`: this machine has no network.
    """

    name: str
    inject: Callable[[Harness], None]
    hits: Mapping[str, Observation] = field(default_factory=dict)
    is_offline: bool = False
    # The state cannot be written ("journal": its journal still can, "nothing": neither).
    disk: str = ""


@dataclass(frozen=True)
class Action:
    """Something done before a run, with what the oracle and a monitor's state have to know about it."""

    name: str
    apply: Callable[[Harness], None]
    # State and journal are gone: starting afresh is correct.
    forgets: bool = False
    # Only the state file is gone, unreadable or foreign: what was announced is still known.
    loses_state: bool = False
    silences: frozenset[str] | None = None
    # Long enough that a reminder is due, if reminders are configured.
    is_long: bool = False


class Kill(NamedTuple):
    """When a signal ends a run: at a fraction of its usual duration, or while an alert is being sent."""

    share: float = 0.0
    while_sending: bool = False
    signal: signal.Signals = signal.SIGKILL


class Expected(NamedTuple):
    """What the main channel must get in a run: a message of this kind, nothing yet (pending), or nothing."""

    what: str
    kind: str = ""


def sent(kind: str) -> Expected:
    """Expect one message: problem, warning, recovery, or merged for one that reports several changes."""
    return Expected("sent", kind)


def pending(kind: str) -> Expected:
    """Expect no message; one of this kind is pending."""
    return Expected("pending", kind)


quiet = Expected("quiet")


class Run:
    """One run of the real command.

    Without `expect`, the oracle alone decides. `channels` sets the MODES of all channels, or by name. `names` limits
    the run to a part. `unit` is no run: systemd reports that one has ended with this status.
    """

    def __init__(
        self,
        *faults: Fault,
        channels: str | Mapping[str, str] = "up",
        before: Sequence[Action] = (),
        expect: Expected | None = None,
        exit_code: int | None = None,
        clock_s: float = 0.0,
        kill: Kill | None = None,
        is_twice: bool = False,
        user: int | None = None,
        names: Sequence[str] = (),
        unit: str = "",
    ) -> None:
        self.faults = faults
        self.channels = channels
        self.before = tuple(before)
        self.expect = expect
        self.exit_code = exit_code
        self.clock_s = clock_s
        self.kill = kill
        self.is_twice = is_twice
        self.user = user
        self.names = tuple(names)
        self.unit = unit

    @property
    def is_complete(self) -> bool:
        """Say whether everything is checked."""
        return not (self.names or self.unit)

    def mode(self, channel: str) -> str:
        """Return how a channel is in this run."""
        mode = self.channels if isinstance(self.channels, str) else self.channels.get(channel, "up")
        assert mode in MODES, mode
        return mode

    def __repr__(self) -> str:
        words = [action.name for action in self.before] + [fault.name for fault in self.faults]
        words += [str(self.channels)] if self.channels != "up" else []
        words += [repr(self.kill)] if self.kill else []
        words += [f"only {', '.join(self.names)}"] if self.names else []
        words += [f"the unit ended with {self.unit}"] if self.unit else []
        words += [f"clock {self.clock_s:+.0f} s"] if self.clock_s else []
        return f"Run({', '.join(words)})"


class Need(NamedTuple):
    """A requirement of a scenario on this machine."""

    reason: str
    is_met: Callable[[], bool]

    @property
    def lacking(self) -> str:
        """Return why a scenario cannot run here, "" if it can."""
        return "" if self.is_met() else self.reason


@dataclass(frozen=True)
class Scenario:
    """A scripted sequence of runs. `form` is that of the configuration: flat (alerts at the first failure) or full.

    `channels` are named by their type, the first one is the main one: a webhook's messages are compared change by
    change, ntfy's only by kind. `setup` changes the harness before the first run. `reminder_interval` is 1s (each run
    that still finds a failure sends a reminder) or 6h (only runs after a long action). `broken` says why mailmon fails.
    """

    name: str
    runs: Sequence[Run]
    form: str = "flat"
    channels: tuple[str, ...] = ("webhook",)
    setup: Callable[[Harness], None] | None = None
    success_threshold: int = 1
    reminder_interval: str = ""
    needs: tuple[Need, ...] = ()
    on: str = "sandbox"
    broken: str = ""

    def __str__(self) -> str:
        return self.name


def again(count: int, *faults: Fault, **more: object) -> list[Run]:
    """Return that many identical runs."""
    return [Run(*faults, **more) for _ in range(count)]  # type: ignore[arg-type]

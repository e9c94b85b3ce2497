"""How is a history told? As a row of runs: what is broken in each, what is done before it, and who can be reached."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.stage import Stage

SIGHT, CHANNEL, UNIT = "mailmon:network", "channel:", "unit:"
# That of the embedded server.
CERTIFICATE = "certificate:127.0.0.1"
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86400.0
# How a channel may be in a run (`gone`: not configured; `resting`: well, but it asked to be left alone). What it then
# does with an alert: PERSON_SEES it, mailmon hears that it was TAKEN.
PERSON_SEES = {"up", "slow", "busy", "deaf"}
TAKEN = {"up", "slow", "busy"}
REFUSING = {"403", "404"}
MODES = PERSON_SEES | REFUSING | {"down", "500", "hanging", "later", "in an hour", "resting", "gone"}
# Exit codes of a run that has said itself what it found (docs/alerts.md): of these systemd's OnFailure= tells nothing.
SPOKEN = {"1", "69", "75"}


class Sight(NamedTuple):
    """What a step must see of a fault: `failed`, `warning` or `unknown`, and a word by which causes are told apart."""

    status: str
    cause: str = ""


OK = Sight("ok")


@dataclass(frozen=True)
class Fault:
    """How something is broken for one run, and which steps must see it, by check or by the id of a step.

    What depends on a step that failed is skipped; that need not be said. `is_blind`: the trouble is our own.
    """

    name: str
    harm: Callable[[Stage], None]
    hits: Mapping[str, Sight] = field(default_factory=dict)
    is_blind: bool = False
    # The state cannot be written ("journal": its journal still can, "nothing": neither).
    disk: str = ""


@dataclass(frozen=True)
class Deed:
    """Something that is done before a run; what the truth and a monitor's memory have to know of it."""

    name: str
    act: Callable[[Stage], None]
    # Everything that anybody remembered is gone, so that a fresh start is right.
    forgets: bool = False
    # The state file alone is gone, unreadable or foreign: no reason to forget what was announced.
    loses_state: bool = False
    silences: frozenset[str] | None = None
    # So much time passes that a reminder is due, where there are some.
    is_long: bool = False


class Kill(NamedTuple):
    """When a run is ended by a signal: at a share of its usual length, or while a channel takes its alert."""

    share: float = 0.0
    while_sending: bool = False
    signal: signal.Signals = signal.SIGKILL


class Expected(NamedTuple):
    """What the main channel must get in a run: a message of this kind, one that waits, or nothing."""

    what: str
    kind: str = ""


def sent(kind: str) -> Expected:
    """The person gets one message: problem, warning, recovery, or merged for one that tells of several changes."""
    return Expected("sent", kind)


def pending(kind: str) -> Expected:
    """The person gets nothing; a message of this kind waits."""
    return Expected("pending", kind)


quiet = Expected("quiet")


class Run:
    """One run of the real command.

    Without `expect` what must leave follows from the truth alone. `channels` says how they are (MODES), all or by name.
    `names` asks for a part only. `unit` is no run: systemd says that one has ended with this status.
    """

    def __init__(
        self,
        *faults: Fault,
        channels: str | Mapping[str, str] = "up",
        before: Sequence[Deed] = (),
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
        words = [deed.name for deed in self.before] + [fault.name for fault in self.faults]
        words += [str(self.channels)] if self.channels != "up" else []
        words += [repr(self.kill)] if self.kill else []
        words += [f"only {', '.join(self.names)}"] if self.names else []
        words += [f"the unit ended with {self.unit}"] if self.unit else []
        words += [f"clock {self.clock_s:+.0f} s"] if self.clock_s else []
        return f"Run({', '.join(words)})"


class Need(NamedTuple):
    """What a history needs of this machine."""

    reason: str
    is_met: Callable[[], bool]

    @property
    def lacking(self) -> str:
        """Return the reason why a history cannot be played, "" where it can."""
        return "" if self.is_met() else self.reason


@dataclass(frozen=True)
class History:
    """A story. `form` is that of the configuration: flat (told at the first failure) or full (its own thresholds).

    `channels` are named by their type, the first one is the main one: webhook is read change by change, of ntfy only
    whether a message tells of a problem, a warning or a recovery. `setting` changes the stage before the first run.
    `reminder_interval` is 1s (each run that still sees a failure tells of it again) or 6h (those do before which hours
    have passed). `broken` says why mailmon does not get it right yet.
    """

    name: str
    runs: Sequence[Run]
    form: str = "flat"
    channels: tuple[str, ...] = ("webhook",)
    setting: Callable[[Stage], None] | None = None
    success_threshold: int = 1
    reminder_interval: str = ""
    needs: tuple[Need, ...] = ()
    on: str = "sandbox"
    broken: str = ""

    def __str__(self) -> str:
        return self.name


def again(count: int, *faults: Fault, **more: object) -> list[Run]:
    """Return so many runs that are all alike."""
    return [Run(*faults, **more) for _ in range(count)]  # type: ignore[arg-type]

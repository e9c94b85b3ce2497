"""The state of a check between runs: its health, what was announced of it, its changes, and why no alert was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mailmon.model.findings import Severity


class Health(StrEnum):
    """The health of a step. FAILING has failed, but in fewer consecutive runs than would make it DOWN."""

    NEW = "new"
    UP = "up"
    DEGRADED = "degraded"
    FAILING = "failing"
    DOWN = "down"
    UNKNOWN = "unknown"

    @property
    def is_problem(self) -> bool:
        """Return whether something is wrong."""
        return self in (Health.DEGRADED, Health.FAILING, Health.DOWN)


class Policy(NamedTuple):
    """When a step alerts, and on which channels. Thresholds count consecutive runs.

    `channels` maps a severity to names of channels; one that is not in it goes to all of them.
    """

    failure_threshold: int = 1
    success_threshold: int = 1
    unknown_threshold: int = 3
    reminder_interval_s: float | None = None
    channels: Mapping[str, tuple[str, ...]] = {}


class AlertSubject(NamedTuple):
    """What an alert is about: its label, its policy, and the names by which it can be silenced.

    `subject` is the account or route in brackets, "" where there is just one; `kind` is what it is: account, route,
    host, certificate, channel, network, ping or unit. Its verbs follow from the kind (alerting/wording.py).
    """

    label: str
    subject: str = ""
    kind: str = "account"
    names: tuple[str, ...] = ()
    policy: Policy = Policy()
    # Channels that it is not announced on: a channel's failure cannot be reported by that channel.
    not_by: tuple[str, ...] = ()


# Stands in `Announced.channels` for all channels: another program sent the alert.
EVERYBODY = "*"


class Announced(NamedTuple):
    """What people know of a step: the health that was announced last, since when it was so, and why.

    `at` is when it was announced, `alert` the id of the first alert about it, `channels` those that were alerted, and
    `unknown_since` is set while people know that the step cannot be checked.
    """

    health: Health = Health.NEW
    since: datetime | None = None
    at: datetime | None = None
    reason: str = ""
    target: str = ""
    severity: Severity | None = None
    causes: tuple[str, ...] = ()
    alert: str = ""
    channels: tuple[str, ...] = ()
    unknown_since: datetime | None = None


class QuietReason:
    """Why no alert is sent. Texts, not an enumeration: a state file of a later version may hold others."""

    HEALTHY = "healthy"
    FAILURES = "failures"
    RECOVERIES = "recoveries"
    INCONCLUSIVE = "inconclusive"
    SENT = "already_sent"
    SILENCED = "silenced"
    SILENCE_ENDED = "silence_ended"
    NO_CHANNEL = "no_channel"
    NO_OTHER_CHANNEL = "no_other_channel"
    NO_NETWORK = "no_network"
    SKIPPED = "skipped"


class Quiet(NamedTuple):
    """Why no alert was sent about a step.

    `runs` of `threshold` consecutive runs have spoken for a change; `at` is when the alert was sent, `until` the end of
    the silence that holds it back, now or once it is due, or the time of the next reminder; `by` the name of the
    silence, the severity that has no channel, or why the step was skipped.
    """

    reason: str
    runs: int = 0
    threshold: int = 0
    at: datetime | None = None
    until: datetime | None = None
    by: str = ""


class CheckState(NamedTuple):
    """The state of one step. `health` is what was seen; an announcement makes `announced` equal to it.

    `streak` counts the consecutive runs, since `turned_at`, that speak for another health: failures while FAILING, good
    runs while DOWN. `unknown_runs` counts those, since `unknown_since`, that were inconclusive. `value` is what the
    last run said, `quiet` why it sent no alert, `skipped` why it did not check at all ("" where it did).
    """

    health: Health
    since: datetime
    reason: str = ""
    target: str = ""
    advice: str = ""
    severity: Severity | None = None
    causes: tuple[str, ...] = ()
    checked_at: datetime | None = None
    value: str = ""
    streak: int = 0
    turned_at: datetime | None = None
    unknown_runs: int = 0
    unknown_since: datetime | None = None
    announced: Announced = Announced()
    quiet: Quiet | None = None
    skipped: str = ""


class News(StrEnum):
    """Why a step is announced: its health or the cause of its failure has changed, or it is still not healthy."""

    CHANGE = "change"
    CAUSE = "cause"
    REMINDER = "reminder"


class Past(NamedTuple):
    """An earlier change that never reached people: it is announced together with a later one."""

    after: Health
    at: datetime


class Change(NamedTuple):
    """One announcement about one step.

    `since` is when the health that ended had begun, `at` when this one began, `ended` the trouble that a recovery ends
    (DOWN, DEGRADED or UNKNOWN). `notes` say what was late or lost in between, `alert` is the id of the first alert
    about it, `history` the changes in between that were never delivered (`more` of them were left out), `channels`
    those that are alerted.
    """

    id: str
    before: Health
    after: Health
    since: datetime
    at: datetime
    reason: str
    advice: str = ""
    target: str = ""
    label: str = ""
    subject: str = ""
    kind: str = "account"
    ended: Health = Health.DOWN
    names: tuple[str, ...] = ()
    news: News = News.CHANGE
    severity: Severity | None = None
    causes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    alert: str = ""
    history: tuple[Past, ...] = ()
    more: int = 0
    channels: tuple[str, ...] = ()


class OpenProblem(NamedTuple):
    """A step that is not healthy when a recovery of others is announced; without a `label` it is only counted."""

    id: str
    label: str = ""
    subject: str = ""
    kind: str = "account"
    target: str = ""
    health: Health = Health.DOWN
    since: datetime | None = None
    reason: str = ""


class Silence(NamedTuple):
    """Nothing is announced about `name` until `until`; what still matters then is announced afterwards."""

    name: str
    since: datetime
    until: datetime
    why: str = ""


class Anchor(NamedTuple):
    """The wall clock and the seconds since boot at one moment: a jump of the clock shows in the next run."""

    boot_id: str
    boottime_s: float
    at: datetime

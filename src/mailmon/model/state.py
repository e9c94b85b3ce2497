"""What is remembered of a step from run to run, what are people told of it, and when?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mailmon.model.findings import Severity


class Health(StrEnum):
    """What is remembered of a step. FAILING has failed, but fewer times in a row than would make it DOWN."""

    NEW = "new"
    UP = "up"
    DEGRADED = "degraded"
    FAILING = "failing"
    DOWN = "down"
    UNKNOWN = "unknown"


class Policy(NamedTuple):
    """When, and by which channels, a person is told of a step. Thresholds count runs in a row.

    `channels` maps a severity to names of channels; one that is not in it goes to all of them.
    """

    failure_threshold: int = 1
    success_threshold: int = 1
    unknown_threshold: int = 3
    reminder_interval_s: float | None = None
    channels: Mapping[str, tuple[str, ...]] = {}


class AlertSubject(NamedTuple):
    """How a step is spoken of, when its changes are told, and the names by which it can be silenced.

    `subject` is the account or route in brackets, "" where there is just one; `kind` says which of both it is.
    """

    label: str
    subject: str = ""
    kind: str = "account"
    names: tuple[str, ...] = ()
    policy: Policy = Policy()
    failed: str = "failed"
    works: str = "recovered"
    # Channels that are not told of it: nobody hears of a channel's trouble by that channel.
    not_by: tuple[str, ...] = ()


# Stands in `Announced.channels` for all channels: of a story that another program told.
EVERYBODY = "*"


class Announced(NamedTuple):
    """What people know of a step: the health of which they were told last, since when it was so, and why.

    `at` is when they were told, `alert` the id of the alert that began the story, `channels` those that were to
    hear of it, and `unknown_since` is set while they know that mailmon cannot tell.
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


class CheckState(NamedTuple):
    """What the state file remembers of one step. `health` is what was seen; an announcement makes `told` equal to it.

    `streak` counts the runs in a row, since `turned_at`, that speak for another health: failures while FAILING, good
    runs while DOWN. `unknown_runs` counts those, since `unknown_since`, that could not tell. `value` is what the last
    run said.
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


class News(StrEnum):
    """Why people are told of a step: its health has changed, or the cause of its failure; or it is still not well."""

    CHANGE = "change"
    CAUSE = "cause"
    REMINDER = "reminder"


class Past(NamedTuple):
    """An earlier change that never reached people: they hear of it together with a later one."""

    after: Health
    at: datetime


class Change(NamedTuple):
    """One announcement about one step.

    `since` is when the health that ended had begun, `at` when this one began. `notes` tell what was late or lost in
    between, `alert` is the id of the alert that began the story, `history` what people never heard of in between
    (`more` of it was left out), `channels` those that are told. The words are those of its topic.
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
    failed: str = "failed"
    works: str = "recovered"
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
    """A step that is not well when good news of others goes out; without a `label` it is counted, but not named."""

    id: str
    label: str = ""
    subject: str = ""
    target: str = ""
    verb: str = "still failing"
    since: datetime | None = None
    reason: str = ""

    @property
    def called(self) -> str:
        """Return how it is spoken of: `SMTP Auth (office)`."""
        return f"{self.label} ({self.subject})" if self.subject else self.label


class Silence(NamedTuple):
    """Nothing is announced of `name` until `until`; what still matters then is told afterwards."""

    name: str
    since: datetime
    until: datetime
    why: str = ""


class Anchor(NamedTuple):
    """What the wall clock said, and how many seconds the machine had been running: a jump shows in the next run."""

    boot_id: str
    boottime_s: float
    at: datetime

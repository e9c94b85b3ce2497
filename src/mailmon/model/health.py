"""What is remembered of a step from run to run, what are people told of it, and when?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from mailmon.model.facts import Severity


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


class Topic(NamedTuple):
    """What a step is called, when its changes are told, and whose they are: the names that a silence may have."""

    label: str
    policy: Policy = Policy()
    names: tuple[str, ...] = ()


class Memory(NamedTuple):
    """What the state file remembers of one step.

    `health` is what was seen, `told` what people know: an announcement is what makes them equal. `streak` counts the
    runs in a row that speak for another health (failures while FAILING, good runs while DOWN), `unknown_runs` those
    that could not tell. `value` is what the last run that could tell said.
    """

    health: Health
    since: datetime
    reason: str = ""
    target: str = ""
    checked_at: datetime | None = None
    value: str = ""
    streak: int = 0
    unknown_runs: int = 0
    told: Health = Health.NEW
    told_since: datetime | None = None
    told_at: datetime | None = None
    told_severity: Severity | None = None
    told_causes: tuple[str, ...] = ()
    told_reason: str = ""
    told_by: str = ""
    is_unknown_told: bool = False


class News(StrEnum):
    """Why people are told of a step: its health has changed, or the cause of its failure; or it is still not well."""

    CHANGE = "change"
    CAUSE = "cause"
    REMINDER = "reminder"


class Past(NamedTuple):
    """An earlier change that never reached people: they hear of it together with a later one."""

    after: Health
    at: datetime


class Flip(NamedTuple):
    """One announcement about one step. `since` is when the health that ended had begun, `at` when this one began.

    `notes` tell what was late or lost in between, `refers_to` is the id of the alert that told of the problem, and
    `names` are the accounts and routes that it is about.
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
    news: News = News.CHANGE
    severity: Severity | None = None
    causes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refers_to: str = ""
    history: tuple[Past, ...] = ()


class Silence(NamedTuple):
    """Nothing is announced of `name` until `until`; what still matters then is told afterwards."""

    name: str
    since: datetime
    until: datetime
    why: str = ""

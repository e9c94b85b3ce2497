"""Values of the bounce log: rows, filters, and figures of a period."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

# The default filter: the other messages of a folder are of little interest.
USUAL_KINDS = ("bounce", "delayed", "feedback")

# So many messages without evidence are taken seriously.
MIN_HEARSAY = 3


class BounceFilter(NamedTuple):
    """Which rows are asked for: from `since` on, before `until`; an empty tuple or None does not filter.

    A status may be the beginning of a code, whole numbers of it: `5` and `5.1` find 5.1.1, `5.1` does not find 5.11.1.
    """

    since: datetime | None = None
    until: datetime | None = None
    kinds: tuple[str, ...] = USUAL_KINDS
    domains: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    is_hard: bool | None = None


class BounceRow(NamedTuple):
    """One recipient of one message; a message that names none has one row without address and with `is_hard` None.

    `id` is that of the message, so the rows of a message share it. The order of the fields is that of an export.
    """

    id: int
    received_at: datetime
    account: str
    folder: str
    kind: str
    address: str
    domain: str
    status: str
    action: str
    reason: str
    is_hard: bool | None
    diagnostic: str
    reporting_mta: str
    remote_mta: str
    original_message_id: str
    original_subject: str
    original_from: str
    original_to: tuple[str, ...]
    original_cc: tuple[str, ...]
    original_recipient: str = ""


class LoggedMessage(NamedTuple):
    """One message with all that was recorded of it; its `rows` are never empty.

    `evidence` is what shows that it is genuine, a word of mail/bounce/provenance.py, "" for nothing.
    """

    rows: tuple[BounceRow, ...]
    seen_at: datetime
    run_id: str
    uidvalidity: int
    uid: int | None
    message_id: str
    digest: str
    form: str
    feedback_type: str
    outcome: str
    problem: str
    evidence: str = ""


class Figures(NamedTuple):
    """What a period brought: messages, and recipients by class, reason, domain and remote MTA.

    The classes are `hard` and `soft` for bounces, else the kind; the three others count bounces only.
    """

    messages: int = 0
    classes: Mapping[str, int] = {}
    reasons: Mapping[str, int] = {}
    domains: Mapping[str, int] = {}
    remote_mtas: Mapping[str, int] = {}


class Notice(NamedTuple):
    """A notification about a message of the bounce log to one address: `waiting`, `sent`, or `dead` for good."""

    id: int
    message: int
    recipient: str
    status: str
    attempts: int
    created_at: datetime
    next_at: datetime
    done_at: datetime | None
    error: str


class Refusal(NamedTuple):
    """A permanent refusal: for which domain, why, and the newest answer that said so.

    `is_own_word` where nothing but a signature of the refusing domain shows that it is genuine: whoever has one domain
    has any number of subdomains.
    """

    domain: str
    reason: str
    status: str
    diagnostic: str
    is_own_word: bool = False


class Hearsay(NamedTuple):
    """How much says so without any evidence: recipients, messages, different addresses, the first and the last run."""

    recipients: int = 0
    messages: int = 0
    addresses: int = 0
    first_run: str = ""
    last_run: str = ""

    @property
    def is_enough(self) -> bool:
        """Say whether it is told all the same: three messages for different recipients, seen in two different runs."""
        return min(self.messages, self.addresses) >= MIN_HEARSAY and self.first_run != self.last_run


class Unverified(NamedTuple):
    """What came back without evidence, by class, by domain and as refusals; the first that was seen stands first."""

    classes: Mapping[str, Hearsay] = {}
    domains: Mapping[str, Hearsay] = {}
    refusals: tuple[tuple[Refusal, Hearsay], ...] = ()


class BounceWindow(NamedTuple):
    """What came back to an account: recipients by class and, of bounces, by domain; refusals, newest first.

    Anybody can write a bounce: these are those with evidence, `unverified` are the others.
    """

    classes: Mapping[str, int] = {}
    domains: Mapping[str, int] = {}
    refusals: tuple[Refusal, ...] = ()
    unverified: Unverified = Unverified()


class Trend(NamedTuple):
    """A figure of a period, and that of the period before. An empty name: the message did not say."""

    name: str
    now: int
    before: int

    @property
    def change(self) -> int:
        """Return by how much it grew."""
        return self.now - self.before

    @property
    def change_percent(self) -> float | None:
        """Return by how many per cent it grew, None where there was nothing before."""
        return round(100 * self.change / self.before, 1) if self.before else None


class Ranking(NamedTuple):
    """The greatest figures, and all others together."""

    rows: tuple[Trend, ...]
    others: Trend


class Summary(NamedTuple):
    """From `since` on, before `until`; the period before is as long and begins at `before_since`.

    Messages and recipients are of all kinds; reasons, domains and remote MTAs count recipients of bounces.
    """

    before_since: datetime
    since: datetime
    until: datetime
    messages: Trend
    recipients: Trend
    classes: tuple[Trend, ...]
    reasons: Ranking
    domains: Ranking
    remote_mtas: Ranking


class ScannedAccount(NamedTuple):
    """What a scan found in the bounce folder of one account; `error` says why it could not be scanned.

    `kinds` counts new messages by their kind, `words` is the same as a sentence. `unread` messages are left for the
    next scan.
    """

    account: str
    folder: str
    duration_s: float
    kinds: Mapping[str, int]
    own_probes: int = 0
    moved: int = 0
    unread: int = 0
    notices_sent: int = 0
    notices_failed: int = 0
    notice_error: str = ""
    problems: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    words: str = ""
    error: str = ""
    advice: str = ""

    @property
    def new(self) -> int:
        """Return how many messages the log did not know."""
        return sum(self.kinds.values())

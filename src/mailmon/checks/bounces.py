"""The check `bounces`: a scan of the account's folder with bounces, and alarms from its figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from mailmon.checks.check import AccountCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Account
from mailmon.findings import make_finding
from mailmon.metrics import make_metric
from mailmon.model import Fact, Note, Verdict
from mailmon.model.limits import BounceLimits
from mailmon.typedjson.declare import About, Between, Host, options

if TYPE_CHECKING:
    from mailmon.bounces.context import BounceContext
    from mailmon.bounces.scan import Scanned

# The first scan of a large folder is the work of several runs: the others' results and alerts wait no longer than this
# for it, and are not kept from the processor for longer than that.
MAX_SCAN_S, MAX_CPU_S = 10.0, 5.0
# So much must be left to record what was read, and to say goodbye.
RESERVE_S = 5.0
WINDOW = timedelta(days=1)


Count = Annotated[int, Between(0, 1_000_000)]


@options
class BouncesOptions(CheckOptions):
    """The folders with bounces. Limits are counts in the last 24 hours; without a limit there is no warning."""

    max_hard: Annotated[Count | None, About("Warn above this many hard bounces")] = None
    max_soft: Annotated[Count | None, About("Warn above this many soft bounces")] = None
    max_delayed: Annotated[Count | None, About("Warn above this many delay notifications")] = None
    max_complaints: Annotated[Count | None, About("Warn above this many complaints")] = None
    max_per_domain: Annotated[Count | None, About("Warn above this many bounces for any one domain")] = None
    max_by_domain: Annotated[dict[Host, Count], About("The same limit for single domains")] = field(
        default_factory=dict
    )
    refusals: Annotated[
        bool,
        About("Report permanent refusals that affect all mail: authentication, reputation, block lists, reverse DNS"),
    ] = True


def limits_of(options: BouncesOptions) -> BounceLimits:
    """Return the limits above which bounces are a finding."""
    named = {
        "hard": options.max_hard,
        "soft": options.max_soft,
        "delayed": options.max_delayed,
        "feedback": options.max_complaints,
    }
    return BounceLimits(
        {name: limit for name, limit in named.items() if limit is not None},
        options.max_per_domain,
        {domain.lower(): limit for domain, limit in options.max_by_domain.items()},
        options.refusals,
    )


def run(context: RunContext, account: Account, options: BouncesOptions) -> Iterator[Fact]:
    """Read what is new in the folder, record it, move it where that is configured."""
    if context.environment.is_dry:
        yield Note("not scanned: a dry run records nothing")
        return
    # SQLite and the classifier: only for who has bounces.
    from mailmon.bounces.alarms import REFUSALS, find_alarms
    from mailmon.bounces.run import Scan, scan_folder

    assert account.bounces is not None
    assert account.imap is not None
    deadline = context.environment.deadline
    until_s = deadline.monotonic() + min(MAX_SCAN_S, deadline.remaining_s() / 4)
    until_cpu_s = time.thread_time() + MAX_CPU_S
    scan = Scan(account, account.bounces, lambda: deadline.monotonic() >= until_s or time.thread_time() >= until_cpu_s)
    with scan_folder(context_of(context, options), scan) as (done, log):
        yield from facts_of(done, account.imap.target)
        seen = log.window(account.name, context.environment.now() - WINDOW, tuple(REFUSALS))
        yield from find_alarms(seen, limits_of(options), account.imap.target)
        yield Note(f"OK ({done.words()})")


def context_of(context: RunContext, options: BouncesOptions) -> BounceContext:
    """Return what a scan uses of a run."""
    from mailmon.bounces.context import BounceContext

    environment = context.environment
    assert environment.state_file is not None
    return BounceContext(
        environment.now,
        environment.run_id,
        environment.state_file,
        environment.key,
        context.ledger,
        context.open_folders,
        context.open_sender,
        limits_of(options),
        environment.notices,
        environment.nameservers,
    )


def facts_of(done: Scanned, target: str) -> Iterator[Fact]:
    """Yield what is to be said of a scan beside its figures."""
    for warning in done.warnings:
        yield make_finding("bounces.log", Verdict.FAIL, target, warning)
    for problem in done.problems:
        yield make_finding("bounces.unreadable", Verdict.FAIL, target, f"set aside unread: {problem}")
    for obstacle, advice in done.obstacles.items():
        said = f"recorded, but not moved: {obstacle}"
        yield make_finding("bounces.not_moved", Verdict.FAIL, target, said, fix=advice or None)
    if done.notices.failed:
        said = f"{done.notices.failed} notices were not taken: {done.notices.error}"
        yield make_finding("bounces.notice_failed", Verdict.FAIL, target, said, fix=done.notices.advice or None)
    if done.unread:
        said = f"{done.unread} messages are left for the next runs"
        yield make_finding("bounces.unread", Verdict.FAIL, target, said)
    yield make_metric("new", done.new)
    yield make_metric("bounces", sum(done.kinds[kind] for kind in done.kinds if kind == "bounce"))


def _server(account: Account) -> str | None:
    return account.target_of("imap_auth") if account.bounces else None


CHECK = AccountCheck(
    name="bounces",
    label="Bounces",
    about="Records new bounces in a folder, and warns when there are too many.",
    options=BouncesOptions,
    run=run,
    server=_server,
    needs=("imap_auth:account",),
)

"""The check `bounces`: a scan of the account's folder with bounces, and alarms from its figures."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Account
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict

if TYPE_CHECKING:
    from mailmon.bounces.context import BounceContext
    from mailmon.bounces.scan import Scanned

# The first scan of a large folder is the work of several runs: the others' results and alerts wait no longer than this
# for it, and are not kept from the processor for longer than that.
MAX_SCAN_S, MAX_CPU_S = 10.0, 5.0
# So much must be left to record what was read, and to say goodbye.
RESERVE_S = 5.0
WINDOW = timedelta(days=1)
_NOT_MOVED = "The messages stay where they are; the next run tries again."


def ask(tools: RunContext, account: Account) -> Iterator[Fact]:
    """Read what is new in the folder, record it, move it where that is configured."""
    if tools.world.is_dry:
        yield Note("not scanned: a dry run records nothing")
        return
    # SQLite and the classifier: only for who has bounces.
    from mailmon.bounces.alarms import REFUSALS, find_alarms
    from mailmon.bounces.run import Scan, scan_folder

    assert account.bounces is not None
    assert account.imap is not None
    deadline = tools.world.deadline
    until_s = deadline.monotonic() + min(MAX_SCAN_S, deadline.remaining_s() / 4)
    until_cpu_s = time.thread_time() + MAX_CPU_S
    scan = Scan(account, account.bounces, lambda: deadline.monotonic() >= until_s or time.thread_time() >= until_cpu_s)
    with scan_folder(context_of(tools), scan) as (done, history):
        yield from facts_of(done, account.imap.target)
        seen = history.window(account.name, tools.world.now() - WINDOW, tuple(REFUSALS))
        yield from find_alarms(seen, tools.world.bounce_limits, account.imap.target)
        yield Note(f"OK ({done.words()})")


def context_of(tools: RunContext) -> BounceContext:
    """Return what a scan uses of a run."""
    from mailmon.bounces.context import BounceContext

    world = tools.world
    assert world.state_file is not None
    return BounceContext(
        world.now,
        world.run_id,
        world.state_file,
        world.key,
        tools.ledger,
        tools.open_folders,
        tools.open_sender,
        world.bounce_limits,
        world.notices,
        world.nameservers,
    )


def facts_of(done: Scanned, target: str) -> Iterator[Fact]:
    """Yield what is to be said of a scan beside its figures."""
    for warning in done.warnings:
        yield Finding("bounces.history", Verdict.FAIL, target, warning, Severity.NOTICE)
    for problem in done.problems:
        yield Finding("bounces.unreadable", Verdict.FAIL, target, f"set aside unread: {problem}", Severity.NOTICE)
    for obstacle, advice in done.obstacles.items():
        said = f"recorded, but not moved: {obstacle}"
        yield Finding("bounces.not_moved", Verdict.FAIL, target, said, Severity.WARNING, fix=advice or _NOT_MOVED)
    if done.notices.failed:
        said = f"{done.notices.failed} notices were not taken: {done.notices.error}"
        advice = done.notices.advice or "`mailmon bounces queue` shows what waits."
        yield Finding("bounces.notice_failed", Verdict.FAIL, target, said, Severity.WARNING, fix=advice)
    if done.unread:
        said = f"{done.unread} messages are left for the next runs"
        yield Finding("bounces.unread", Verdict.FAIL, target, said, Severity.INFO)
    yield Metric("new", done.new)
    yield Metric("bounces", sum(done.kinds[kind] for kind in done.kinds if kind == "bounce"))


def _target(account: Account) -> str | None:
    return account.target_of("imap_auth") if account.bounces else None


CHECK = Check("bounces", "Bounces", ask, needs=("imap_auth:account",), target=_target)

"""Removal of our own probes and their bounces: only messages with our signature, by UID."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import RouteCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.checks.receive import earlier_probes, unread_mail
from mailmon.checks.targets import Route
from mailmon.findings import make_finding
from mailmon.model import Fact, Note, Severity, Verdict

# So many probes that cannot be deleted begin to matter to the mailbox's owner.
MANY_PROBES = 50


def run(context: RunContext, route: Route, _options: CheckOptions) -> Iterator[Fact]:
    """Delete our probes and their bounces, leftovers of earlier runs included."""
    target = route.target
    context.ledger.release(context.ledger.current(route.name).token)
    mailboxes = {account.name: context.mailbox(account) for account in (route.reader, route.sender)}
    removed = left = altered = 0
    obstacle = ""
    for mailbox in (*mailboxes.values(), *context.opened_junk(route.reader, route.junk_folders)):
        if mailbox and mailbox.sweep_error:
            said = f"leftovers of earlier runs could not be looked for: {mailbox.sweep_error}"
            yield make_finding("cleanup.sweep_failed", Verdict.FAIL, target, said)
        if mailbox:
            cleaned = mailbox.clean(context.environment.sleep)
            removed, left, altered = removed + cleaned.removed, left + cleaned.left, altered + cleaned.altered
            obstacle = cleaned.obstacle if cleaned.left else obstacle
    yield from earlier_probes(context, route, target)
    copies = context.ledger.duplicates(route.name)
    if copies:
        said = f"a probe was delivered twice ({copies} more than sent)" if copies > 1 else "a probe was delivered twice"
        yield make_finding("route.delivered_twice", Verdict.FAIL, target, said)
    if left:
        said = f"cleanup not possible here, {left} of our probes stay: {obstacle}"
        severity = Severity.WARNING if left > MANY_PROBES else Severity.INFO
        yield make_finding("cleanup.not_possible", Verdict.FAIL, target, said, severity)
    if altered:
        said = f"{altered} with the signature of an earlier probe, but not its From, To, Date and Subject: left alone"
        yield make_finding("cleanup.not_possible", Verdict.FAIL, target, said, fix=_ALTERED)
    yield from unread_mail(context, route)
    yield Note("OK" if not removed else f"OK (removed {removed})")


_ALTERED = "Check them: somebody copied the header fields of a probe, or a mailing list or gateway rewrote them."

CHECK = RouteCheck(
    name="cleanup",
    label="Cleanup",
    about="Deletes probes and their bounces from the mailboxes.",
    options=CheckOptions,
    run=run,
    failure_threshold=2,
    needs=("mailbox:reader",),
    after=("receive:route",),
)

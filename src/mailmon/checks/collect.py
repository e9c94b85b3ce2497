"""Is a probe there that an earlier run sent, on a way that takes longer than any run may wait?

One look a run. Until the route's patience is over nothing is known, and nothing is told: `skipped` changes no memory.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.arrival import arrived, bounced, look_for_bounce, look_into_junk
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Route
from mailmon.errors import StageError
from mailmon.model import Fact, Fate, Finding, Probe, Severity, Verdict
from mailmon.text import format_duration

# The server tells the second in which a message came.
GRAIN_S = 1.0
# A look that the server refuses is tried again after so long.
REFUSED_PAUSES_S = (0.5, 1.0)


def collect(tools: RunContext, route: Route) -> Iterator[Fact]:
    """Look once for the probe, or for its bounce."""
    assert route.patience_s is not None
    probe, refusal = _look(tools, route)
    if probe.fate not in (Fate.PLANNED, Fate.WAITING):
        tools.ledger.stop_waiting(probe.token)
    waited_s = (tools.world.now() - (probe.accepted_at or probe.planned_at)).total_seconds()
    if probe.fate is Fate.ARRIVED:
        delivery_s, error_s = _took_s(tools, probe)
        yield from arrived(tools, route, probe, delivery_s, error_s)
        if delivery_s - error_s > route.patience_s:
            yield _late(route, delivery_s)
    elif probe.fate is Fate.BOUNCED:
        yield bounced(probe, route.target)
    elif refusal and waited_s > route.patience_s:
        # Nobody knows whether it is there; the next run looks again.
        tools.ledger.postpone(probe.token)
        raise refusal
    elif waited_s > route.patience_s:
        tools.ledger.expire(probe.token, tools.world.now(), route.patience_s)
        said = f"not received within {format_duration(route.patience_s)}; {probe.standing}"
        yield Finding(
            "route.not_received", Verdict.FAIL, route.target, said, Severity.ERROR,
            evidence=probe.reply, fix=_NOT_RECEIVED,
        )  # fmt: skip
    else:
        tools.ledger.postpone(probe.token)
        said = f"on its way for {format_duration(max(waited_s, 0))}; {probe.standing}"
        said += f"; the mailbox could not be looked at: {refusal.said}" if refusal else ""
        yield Finding("route.on_its_way", Verdict.SKIPPED, route.target, said, evidence=probe.reply)


def _took_s(tools: RunContext, probe: Probe) -> tuple[float, float]:
    """Return how long a probe was on its way, and the bound of the error; by our clock alone within one run."""
    arrival, accepted = tools.ledger.arrival(probe.token), tools.accepted.get(probe.token)
    if arrival and accepted:
        return max(arrival.seen_s - accepted.at_s, 0.0), max(arrival.seen_s - arrival.unseen_s, 0.0)
    begun, ended = probe.accepted_at or probe.planned_at, probe.settled_at or probe.planned_at
    return max((ended - begun).total_seconds(), 0.0), GRAIN_S


def _look(tools: RunContext, route: Route) -> tuple[Probe, StageError | None]:
    """Look once, again where the server refuses; return what is known of the probe, and the last refusal."""
    token = tools.ledger.current(route.name).token
    mailbox = tools.mailbox(route.reader)
    assert mailbox is not None
    refusal = mailbox.try_to_look(token, thoroughly=True)
    for pause_s in REFUSED_PAUSES_S if refusal else ():
        tools.world.sleep(pause_s)
        refusal = mailbox.try_to_look(token, thoroughly=True)
        if not refusal:
            break
    look_into_junk(tools, route, token)
    look_for_bounce(tools, route, token, thoroughly=True)
    probe = tools.ledger.probe(token)
    assert probe is not None
    return probe, refusal


def _late(route: Route, delivery_s: float) -> Finding:
    assert route.patience_s is not None
    limit = format_duration(route.patience_s)
    said = f"Email delivered in {format_duration(delivery_s)}, more than {limit}"
    return Finding(
        "route.too_slow",
        Verdict.FAIL,
        route.target,
        said,
        Severity.ERROR,
        expected=f"<= {limit}",
        found=format_duration(delivery_s),
        fix=_NOT_RECEIVED,
    )


_NOT_RECEIVED = "Look at the mail queue of the sending server, and at the receiving one's filters."

"""Does the probe arrive, and how long does it take?

Measured from the 250 after DATA to the first answer of the mailbox that tells of it, together with the bound of the
error: the time since it was last known not to be there.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.arrival import arrived, bounced, look_for_bounce, look_into_junk
from mailmon.checks.check import Check
from mailmon.checks.collect import collect
from mailmon.checks.subjects import Route
from mailmon.checks.tools import Tools
from mailmon.errors import StageError
from mailmon.mail.ledger import Arrival
from mailmon.model import Fact, Fate, Finding, Probe, Severity, Verdict

# The wait between two looks grows with the time waited: the error stays at 5 % of the figure, the cost logarithmic.
MIN_INTERVAL_S, MAX_INTERVAL_S, INTERVAL_SHARE = 0.005, 1.0, 0.05
# A bounce need not be timed; where it comes to another mailbox than the probe, that one is asked less often.
BOUNCE_INTERVAL_S = 2.0


def ask(tools: Tools, route: Route) -> Iterator[Fact]:
    """Wait for the probe, for its bounce, or for the end of the route's patience."""
    if route.patience_s is not None:
        yield from collect(tools, route)
        return
    target = route.target
    accepted_s = tools.accepted[tools.ledger.current(route.name).token].at_s
    probe, blind = _wait(tools, route, accepted_s)
    tools.ledger.stop_waiting(probe.token)
    arrival = tools.ledger.arrival(probe.token)
    yield from earlier_probes(tools, route, target)
    if blind:
        said = f"bounces cannot be seen: {blind.message}"
        yield Finding("route.bounces_unseen", Verdict.FAIL, blind.target, said, Severity.INFO, fix=blind.advice)
    if arrival:
        delivery_s = max(arrival.seen_s - accepted_s, 0.0)
        yield from arrived(tools, route, probe, delivery_s, _error_s(arrival, accepted_s))
    elif probe.fate is Fate.BOUNCED:
        yield bounced(probe, target)
    else:
        yield _not_received(probe, target, route, tools.world.deadline.monotonic() - accepted_s)


def earlier_probes(tools: Tools, route: Route, target: str) -> Iterator[Finding]:
    """Yield what became of probes that earlier runs gave up waiting for; worth knowing, no failure of this run."""
    for event in tools.ledger.take_events(route.name):
        yield Finding(event.finding_id, Verdict.FAIL, target, event.words, Severity.INFO)


def poll_interval_s(waited_s: float) -> float:
    """Return how long to wait before the next look."""
    return min(max(MIN_INTERVAL_S, INTERVAL_SHARE * waited_s), MAX_INTERVAL_S)


def _wait(tools: Tools, route: Route, accepted_s: float) -> tuple[Probe, StageError | None]:
    """Look until something is known of the probe or the time is over; return what is known.

    Also returns why bounces could not be looked for in the sender's mailbox, where that is another one.
    """
    token = tools.ledger.current(route.name).token
    mailbox = tools.mailbox(route.reader)
    assert mailbox is not None
    deadline, monotonic = tools.world.deadline, tools.world.deadline.monotonic
    until_s = min(accepted_s + route.timeout_s, deadline.at_s - 1.0)
    next_bounces_s = accepted_s + BOUNCE_INTERVAL_S
    blind: StageError | None = None
    while True:
        is_last = monotonic() >= until_s
        mailbox.look(token, thoroughly=is_last)
        if is_last or monotonic() >= next_bounces_s:
            look_into_junk(tools, route, token)
            blind = blind or look_for_bounce(tools, route, token, thoroughly=is_last)
            next_bounces_s = monotonic() + BOUNCE_INTERVAL_S
        probe = tools.ledger.probe(token)
        assert probe is not None
        if probe.settled_at or is_last:
            return probe, blind
        waited_s = monotonic() - accepted_s
        tools.world.sleep(max(min(poll_interval_s(waited_s), until_s - monotonic()), 0.0))


def _error_s(arrival: Arrival, accepted_s: float) -> float:
    """Return the most that the true delivery can have been shorter than the figure."""
    return max(arrival.seen_s - max(arrival.unseen_s, accepted_s), 0.0)


def _not_received(probe: Probe, target: str, route: Route, waited_s: float) -> Finding:
    advice = "Look at the server's mail queue and its filters."
    if probe.queue_id:
        advice = f"Look for {probe.queue_id} in the server's log; if it is not queued, a filter took it."
    if not route.recipient.isascii():
        advice += " A mailbox without SMTPUTF8 behind a server that has it loses such mail together with its bounce."
    if waited_s < route.timeout_s:
        advice = f"The run's deadline ended the wait before the route's {route.timeout_s:g} s: raise deadline_s."
    waited = f"{min(waited_s, route.timeout_s):.1f}".removesuffix(".0")
    said = f"not received within {waited} s; {probe.acceptance}"
    return Finding("route.not_received", Verdict.FAIL, target, said, Severity.ERROR, fix=advice)


CHECK = Check("receive", "Receive Test", ask, needs=("send:route",))

"""Does the probe arrive, and how long does it take?

Measured from the 250 after DATA to the first answer of the mailbox that tells of it, together with the bound of the
error: the time since it was last known not to be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mailmon.checks.arrival import arrived, bounced, look_for_bounce, look_into_junk, missing_folders
from mailmon.checks.check import Check
from mailmon.checks.collect import collect
from mailmon.checks.context import RunContext
from mailmon.checks.mailbox import WatchedMailbox, is_refusal
from mailmon.checks.targets import Route
from mailmon.errors import StageError
from mailmon.mail.ledger import Arrival
from mailmon.model import Fact, Fate, Finding, Probe, Severity, Verdict

# The wait between two looks grows with the time waited: the error stays at 5 % of the figure, the cost logarithmic.
MIN_INTERVAL_S, MAX_INTERVAL_S, INTERVAL_SHARE = 0.005, 1.0, 0.05
# A bounce need not be timed; where it comes to another mailbox than the probe, that one is asked less often.
BOUNCE_INTERVAL_S = 2.0
# A mailbox so full may be full for a probe: servers count otherwise than they tell.
FULL_PERCENT = 99.0
# So long before the run's deadline the wait is over.
LAST_S = 1.0
# A last look that the server refuses, or that did not get through the mailbox, is had so often.
MAX_LAST_LOOKS = 3
# So long a server that refuses a look is left alone, and so long when the time is over.
REFUSED_INTERVAL_S, LAST_PAUSE_S = 0.5, 0.2


def ask(tools: RunContext, route: Route) -> Iterator[Fact]:
    """Wait for the probe, for its bounce, or for the end of the route's patience."""
    if route.patience_s is not None:
        yield from collect(tools, route)
        return
    target = route.target
    accepted_s = tools.accepted[tools.ledger.current(route.name).token].at_s
    waited = _wait(tools, route, accepted_s)
    probe = waited.probe
    waited_s = tools.world.deadline.monotonic() - accepted_s
    tools.ledger.stop_waiting(probe.token, min(waited_s, route.timeout_s))
    arrival = tools.ledger.arrival(probe.token)
    yield from earlier_probes(tools, route, target)
    missing = tuple(missing_folders(tools, route))
    yield from missing
    if waited.blind:
        said = f"bounces cannot be seen: {waited.blind.message}"
        yield Finding(
            "route.bounces_unseen", Verdict.FAIL, waited.blind.target, said, Severity.INFO, fix=waited.blind.advice
        )
    if arrival:
        delivery_s = max(arrival.seen_s - accepted_s, 0.0)
        yield from arrived(tools, route, probe, delivery_s, _error_s(arrival, accepted_s))
        if waited.was_frozen:
            yield Finding("route.frozen_view", Verdict.FAIL, target, _FROZEN, Severity.INFO)
    elif probe.fate is Fate.BOUNCED:
        yield bounced(probe, target)
    elif waited.refusal:
        raise waited.refusal
    else:
        yield _not_received(tools, route, probe, accepted_s, missing)


def earlier_probes(tools: RunContext, route: Route, target: str) -> Iterator[Finding]:
    """Yield what became of probes that earlier runs gave up waiting for; worth knowing, no failure of this run."""
    for event in tools.ledger.take_events(route.name):
        yield Finding(event.finding_id, Verdict.FAIL, target, event.words, Severity.INFO)


def poll_interval_s(waited_s: float) -> float:
    """Return how long to wait before the next look."""
    return min(max(MIN_INTERVAL_S, INTERVAL_SHARE * waited_s), MAX_INTERVAL_S)


class _Waited(NamedTuple):
    """What a wait has found out.

    `blind` says why bounces could not be looked for where they come, `refusal` why the last look was not possible;
    `was_frozen` that the probe was seen only when the folder was opened again.
    """

    probe: Probe
    blind: StageError | None
    refusal: StageError | None
    was_frozen: bool


def _wait(tools: RunContext, route: Route, accepted_s: float) -> _Waited:
    """Look until something is known of the probe or the time is over. A look that is refused is tried again."""
    token = tools.ledger.current(route.name).token
    mailbox = tools.mailbox(route.reader)
    assert mailbox is not None
    monotonic, latest_s = tools.world.deadline.monotonic, tools.world.deadline.at_s - LAST_S
    until_s = min(accepted_s + route.timeout_s, latest_s)
    next_bounces_s = accepted_s + BOUNCE_INTERVAL_S
    blind: StageError | None = None
    last_looks = 0
    while True:
        is_last = monotonic() >= _ends_s(until_s, mailbox, latest_s)
        refusal = mailbox.try_to_look(token, thoroughly=is_last)
        if is_last or monotonic() >= next_bounces_s:
            blind = _look_elsewhere(tools, route, token, blind, is_last=is_last)
            next_bounces_s = monotonic() + BOUNCE_INTERVAL_S
        last_looks += is_last
        is_over = is_last and (mailbox.was_looked_through(until_s) or last_looks >= MAX_LAST_LOOKS)
        probe, was_frozen = tools.ledger.probe(token), False
        if is_over and not refusal and not _is_settled(probe):
            refusal = mailbox.try_to_look(token, afresh=True)
            blind = _look_elsewhere(tools, route, token, blind, is_last=True, afresh=True)
            probe = tools.ledger.probe(token)
            was_frozen = _is_settled(probe)
        assert probe is not None
        if _is_settled(probe) or is_over or monotonic() >= latest_s:
            return _Waited(probe, blind, refusal, was_frozen)
        pause_s = max(poll_interval_s(monotonic() - accepted_s), REFUSED_INTERVAL_S if refusal else 0.0)
        left_s = _ends_s(until_s, mailbox, latest_s) - monotonic()
        tools.world.sleep(max(min(pause_s, left_s if left_s > 0 or not refusal else LAST_PAUSE_S), 0.0))


def _is_settled(probe: Probe | None) -> bool:
    return probe is not None and probe.settled_at is not None


def _look_elsewhere(
    tools: RunContext, route: Route, token: str, blind: StageError | None, *, is_last: bool, afresh: bool = False
) -> StageError | None:
    """Look into junk folders and where bounces come; return what keeps us from seeing bounces."""
    look_into_junk(tools, route, token, afresh=afresh)
    if blind and not is_refusal(blind):
        return blind
    return look_for_bounce(tools, route, token, thoroughly=is_last, afresh=afresh)


def _ends_s(until_s: float, mailbox: WatchedMailbox, latest_s: float) -> float:
    """Return when the last look begins: where the server makes us wait for it, behind the end of the patience."""
    return mailbox.next_look_s if until_s < mailbox.next_look_s <= latest_s else until_s


def _error_s(arrival: Arrival, accepted_s: float) -> float:
    """Return the most that the true delivery can have been shorter than the figure."""
    return max(arrival.seen_s - max(arrival.unseen_s, accepted_s), 0.0)


def _not_received(
    tools: RunContext, route: Route, probe: Probe, accepted_s: float, missing: Sequence[Finding]
) -> Finding:
    deadline, mailbox = tools.world.deadline, tools.mailbox(route.reader)
    until_s = min(accepted_s + route.timeout_s, deadline.at_s - LAST_S)
    if mailbox and not mailbox.was_looked_through(until_s):
        return _not_looked_at(route, probe, mailbox)
    advice = _where_to_look(probe, tools.full_percent.get(route.reader.name, 0.0))
    if missing:
        advice += " It may be in a junk folder with another name: " + " ".join(one.fix for one in missing)
    if not route.recipient.isascii():
        advice += " A mailbox without SMTPUTF8 behind a server that has it loses such mail together with its bounce."
    waited_s = deadline.monotonic() - accepted_s
    if waited_s < route.timeout_s:
        advice = f"The run's deadline ended the wait before the route's {route.timeout_s:g} s: raise deadline_s."
    waited = f"{min(waited_s, route.timeout_s):.1f}".removesuffix(".0")
    said = f"not received within {waited} s; {probe.standing}"
    return Finding(
        "route.not_received", Verdict.FAIL, route.target, said, Severity.ERROR, evidence=probe.reply, fix=advice
    )


def _where_to_look(probe: Probe, full_percent: float) -> str:
    """Return where a probe may be that did not come: by the server's own notice, by the quota, or by its queue id."""
    if probe.detail:
        from mailmon.mail.advice import advise, refused_by_bounce

        if advice := advise(refused_by_bounce(probe.detail)).text:
            return advice
    advice = "Look at the server's mail queue and its filters."
    if probe.queue_id:
        advice = f"Look for {probe.queue_id} in the server's log; if it is not queued, a filter took it."
    if full_percent >= FULL_PERCENT:
        return f"The mailbox is full to {int(full_percent)} % of its quota: delete mail, or raise the quota. {advice}"
    return advice


def _not_looked_at(route: Route, probe: Probe, mailbox: WatchedMailbox) -> Finding:
    """Return that nobody knows whether it arrived: the server let nobody look, or answers too slowly."""
    why = mailbox.client.passed_over or "the server lets nobody log in again before the run ends"
    said = f"not seen yet, and the mailbox could not be looked through: {why}; {probe.standing}"
    return Finding("route.not_looked_at", Verdict.UNKNOWN, route.target, said, fix=_RAISE)


_FROZEN = "the server showed the probe only when the folder was opened again: when it came is not known better"
_RAISE = "Raise deadline_s, or give mailmon a mailbox of its own that no other program reads."

CHECK = Check("receive", "Receive Test", ask, needs=("send:route",))

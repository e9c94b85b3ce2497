"""Arrival of the probe: how long it took, where it lies, and whether it arrived as it was sent.

The time runs from the 250 reply after DATA to the first answer of the mailbox that shows the probe; its error is at
most the time since the probe was last known to be absent. A route with `patience_s` never waits: each run checks once
whether the probe of an earlier run has arrived, and until the patience is over the result is `skipped`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

from mailmon.checks.check import RouteCheck
from mailmon.checks.context import RunContext
from mailmon.checks.mailbox import WatchedMailbox, is_refusal
from mailmon.checks.options import CheckOptions, DeliveryLimit
from mailmon.checks.targets import RECEIVE_TIMEOUT_S, Route
from mailmon.errors import StageError
from mailmon.findings import make_finding
from mailmon.mail.probe.ledger import Arrival
from mailmon.mail.probe.probe import compose
from mailmon.metrics import make_metric
from mailmon.model import Fact, Fate, Finding, Note, Probe, Severity, Verdict
from mailmon.text import format_duration, visible
from mailmon.typedjson.declare import About, Timeout, options

# The pause grows with the time waited, so the error stays at 5 % of the figure and the cost logarithmic.
MIN_INTERVAL_S, MAX_INTERVAL_S, INTERVAL_SHARE = 0.005, 1.0, 0.05
# A bounce needs no timing, so a mailbox that can only receive bounces is polled less often.
BOUNCE_INTERVAL_S = 2.0
# From this quota usage on the mailbox may be full for a probe: some servers enforce less than they report.
FULL_PERCENT = 99.0
# The wait ends this long before the run's deadline.
LAST_S = 1.0
# Attempts at the last poll when the server refuses it, or when it did not get through the mailbox.
MAX_LAST_POLLS = 3
# Pause after a search that the server refused, and once the time is over.
REFUSED_INTERVAL_S, LAST_PAUSE_S = 0.5, 0.2
# Pauses between the attempts of a route that is looked at once per run.
REFUSED_PAUSES_S = (0.5, 1.0)
# INTERNALDATE has a resolution of one second (RFC 3501 section 2.3.3).
GRAIN_S = 1.0
MAX_PROBLEMS = 5


@options
class ReceiveOptions(CheckOptions):
    """The delivery of probes; a route can override these."""

    timeout_s: Annotated[Timeout, About("Seconds until a probe must have arrived")] = RECEIVE_TIMEOUT_S
    warning_delivery_s: Annotated[DeliveryLimit | None, About("Warn if delivery takes longer (seconds)")] = None
    critical_delivery_s: Annotated[DeliveryLimit | None, About("Fail if delivery takes longer (seconds)")] = None


def run(context: RunContext, route: Route, _options: ReceiveOptions) -> Iterator[Fact]:
    """Wait for the probe, for its bounce, or for the end of the route's patience."""
    if route.patience_s is not None:
        yield from _check_once(context, route)
        return
    target = route.target
    accepted_s = context.accepted[context.ledger.current(route.name).token].at_s
    waited = _wait(context, route, accepted_s)
    probe = waited.probe
    waited_s = context.environment.deadline.monotonic() - accepted_s
    context.ledger.stop_waiting(probe.token, min(waited_s, route.timeout_s))
    arrival = context.ledger.arrival(probe.token)
    yield from earlier_probes(context, route, target)
    missing = tuple(missing_folders(context, route))
    yield from missing
    if waited.unseen_bounces:
        said = f"bounces cannot be seen: {waited.unseen_bounces.message}"
        yield make_finding(
            "route.bounces_unseen",
            Verdict.FAIL,
            waited.unseen_bounces.target,
            said,
            fix=waited.unseen_bounces.advice,
        )
    if arrival:
        delivery_s = max(arrival.seen_s - accepted_s, 0.0)
        yield from arrived(context, route, probe, delivery_s, _error_s(arrival, accepted_s))
        if waited.was_frozen:
            yield make_finding("route.frozen_view", Verdict.FAIL, target, _FROZEN)
    elif probe.fate is Fate.BOUNCED:
        yield bounced(probe, target)
    elif waited.refusal:
        raise waited.refusal
    else:
        yield _not_received(context, route, probe, accepted_s, missing)


def earlier_probes(context: RunContext, route: Route, target: str) -> Iterator[Finding]:
    """Yield what became of probes that earlier runs gave up waiting for; worth knowing, no failure of this run."""
    for event in context.ledger.take_events(route.name):
        yield make_finding(event.finding_id, Verdict.FAIL, target, event.words, Severity.INFO)


def poll_interval_s(waited_s: float) -> float:
    """Return how long to wait before the next look."""
    return min(max(MIN_INTERVAL_S, INTERVAL_SHARE * waited_s), MAX_INTERVAL_S)


class _Waited(NamedTuple):
    """What a wait has found out.

    `unseen_bounces` says why bounces could not be searched for, `refusal` why the last look was not possible;
    `was_frozen` that the probe was seen only when the folder was opened again.
    """

    probe: Probe
    unseen_bounces: StageError | None
    refusal: StageError | None
    was_frozen: bool


def _wait(context: RunContext, route: Route, accepted_s: float) -> _Waited:
    """Look until something is known of the probe or the time is over. A look that is refused is tried again."""
    token = context.ledger.current(route.name).token
    mailbox = context.mailbox(route.reader)
    assert mailbox is not None
    monotonic, latest_s = context.environment.deadline.monotonic, context.environment.deadline.at_s - LAST_S
    until_s = min(accepted_s + route.timeout_s, latest_s)
    next_bounces_s = accepted_s + BOUNCE_INTERVAL_S
    unseen_bounces: StageError | None = None
    last_polls = 0
    while True:
        is_last = monotonic() >= _ends_s(until_s, mailbox, latest_s)
        refusal = mailbox.try_poll(token, thoroughly=is_last)
        if is_last or monotonic() >= next_bounces_s:
            unseen_bounces = _poll_elsewhere(context, route, token, unseen_bounces, is_last=is_last)
            next_bounces_s = monotonic() + BOUNCE_INTERVAL_S
        last_polls += is_last
        is_over = is_last and (mailbox.was_polled(until_s) or last_polls >= MAX_LAST_POLLS)
        probe, was_frozen = context.ledger.probe(token), False
        if is_over and not refusal and not _is_settled(probe):
            refusal = mailbox.try_poll(token, afresh=True)
            unseen_bounces = _poll_elsewhere(context, route, token, unseen_bounces, is_last=True, afresh=True)
            probe = context.ledger.probe(token)
            was_frozen = _is_settled(probe)
        assert probe is not None
        if _is_settled(probe) or is_over or monotonic() >= latest_s:
            return _Waited(probe, unseen_bounces, refusal, was_frozen)
        pause_s = max(poll_interval_s(monotonic() - accepted_s), REFUSED_INTERVAL_S if refusal else 0.0)
        left_s = _ends_s(until_s, mailbox, latest_s) - monotonic()
        context.environment.sleep(max(min(pause_s, left_s if left_s > 0 or not refusal else LAST_PAUSE_S), 0.0))


def _is_settled(probe: Probe | None) -> bool:
    return probe is not None and probe.settled_at is not None


def _poll_elsewhere(
    context: RunContext,
    route: Route,
    token: str,
    unseen_bounces: StageError | None,
    *,
    is_last: bool,
    afresh: bool = False,
) -> StageError | None:
    """Look into junk folders and where bounces come; return what keeps us from seeing bounces."""
    poll_junk_folders(context, route, token, afresh=afresh)
    if unseen_bounces and not is_refusal(unseen_bounces):
        return unseen_bounces
    return poll_for_bounce(context, route, token, thoroughly=is_last, afresh=afresh)


def _ends_s(until_s: float, mailbox: WatchedMailbox, latest_s: float) -> float:
    """Return when the last look begins: where the server makes us wait for it, behind the end of the patience."""
    return mailbox.next_poll_s if until_s < mailbox.next_poll_s <= latest_s else until_s


def _error_s(arrival: Arrival, accepted_s: float) -> float:
    """Return the most that the true delivery can have been shorter than the figure."""
    return max(arrival.seen_s - max(arrival.unseen_s, accepted_s), 0.0)


def _not_received(
    context: RunContext, route: Route, probe: Probe, accepted_s: float, missing: Sequence[Finding]
) -> Finding:
    deadline, mailbox = context.environment.deadline, context.mailbox(route.reader)
    until_s = min(accepted_s + route.timeout_s, deadline.at_s - LAST_S)
    if mailbox and not mailbox.was_polled(until_s):
        return _not_looked_at(route, probe, mailbox)
    advice = _where_to_look(probe, context.full_percent.get(route.reader.name, 0.0))
    if missing:
        advice += " It may be in a junk folder with another name: " + " ".join(one.fix for one in missing)
    if not route.recipient.isascii():
        advice += " A mailbox without SMTPUTF8 behind a server that has it loses such mail together with its bounce."
    waited_s = deadline.monotonic() - accepted_s
    if waited_s < route.timeout_s:
        advice = f"The run's deadline ended the wait before the route's {route.timeout_s:g} s: raise deadline_s."
    waited = f"{min(waited_s, route.timeout_s):.1f}".removesuffix(".0")
    said = f"not received within {waited} s; {probe.standing}"
    return make_finding("route.not_received", Verdict.FAIL, route.target, said, evidence=probe.reply, fix=advice)


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
        return f"The mailbox uses {int(full_percent)} % of its quota: delete mail, or raise the quota. {advice}"
    return advice


def _not_looked_at(route: Route, probe: Probe, mailbox: WatchedMailbox) -> Finding:
    """Return that nobody knows whether it arrived: the server let nobody look, or answers too slowly."""
    why = mailbox.client.passed_over or "the server lets nobody log in again before the run ends"
    said = f"not seen yet, and the mailbox could not be looked through: {why}; {probe.standing}"
    return make_finding("route.not_looked_at", Verdict.UNKNOWN, route.target, said)


def _check_once(context: RunContext, route: Route) -> Iterator[Fact]:
    """Look once for the probe, or for its bounce."""
    assert route.patience_s is not None
    probe, refusal = _poll_once(context, route)
    if probe.fate not in (Fate.PLANNED, Fate.WAITING):
        context.ledger.stop_waiting(probe.token)
    waited_s = (context.environment.now() - (probe.accepted_at or probe.planned_at)).total_seconds()
    if probe.fate is Fate.ARRIVED:
        delivery_s, error_s = _took_s(context, probe)
        yield from arrived(context, route, probe, delivery_s, error_s)
        if delivery_s - error_s > route.patience_s:
            yield _late(route, delivery_s)
    elif probe.fate is Fate.BOUNCED:
        yield bounced(probe, route.target)
    elif refusal and waited_s > route.patience_s:
        # Nobody knows whether it is there; the next run looks again.
        context.ledger.postpone(probe.token)
        raise refusal
    elif waited_s > route.patience_s:
        context.ledger.expire(probe.token, context.environment.now(), route.patience_s)
        said = f"not received within {format_duration(route.patience_s)}; {probe.standing}"
        yield make_finding(
            "route.not_received", Verdict.FAIL, route.target, said,
            evidence=probe.reply,
        )  # fmt: skip
    else:
        context.ledger.postpone(probe.token)
        said = f"on its way for {format_duration(max(waited_s, 0))}; {probe.standing}"
        said += f"; the mailbox could not be looked at: {refusal.said}" if refusal else ""
        yield make_finding("route.on_its_way", Verdict.SKIPPED, route.target, said, evidence=probe.reply)


def _took_s(context: RunContext, probe: Probe) -> tuple[float, float]:
    """Return how long a probe was on its way, and the bound of the error; by our clock alone within one run."""
    arrival, accepted = context.ledger.arrival(probe.token), context.accepted.get(probe.token)
    if arrival and accepted:
        return max(arrival.seen_s - accepted.at_s, 0.0), max(arrival.seen_s - arrival.unseen_s, 0.0)
    begun, ended = probe.accepted_at or probe.planned_at, probe.settled_at or probe.planned_at
    return max((ended - begun).total_seconds(), 0.0), GRAIN_S


def _poll_once(context: RunContext, route: Route) -> tuple[Probe, StageError | None]:
    """Look once, again where the server refuses; return what is known of the probe, and the last refusal."""
    token = context.ledger.current(route.name).token
    mailbox = context.mailbox(route.reader)
    assert mailbox is not None
    refusal = mailbox.try_poll(token, thoroughly=True)
    for pause_s in REFUSED_PAUSES_S if refusal else ():
        context.environment.sleep(pause_s)
        refusal = mailbox.try_poll(token, thoroughly=True)
        if not refusal:
            break
    poll_junk_folders(context, route, token)
    poll_for_bounce(context, route, token, thoroughly=True)
    probe = context.ledger.probe(token)
    assert probe is not None
    return probe, refusal


def _late(route: Route, delivery_s: float) -> Finding:
    assert route.patience_s is not None
    limit = format_duration(route.patience_s)
    said = f"Email delivered in {format_duration(delivery_s)}, more than {limit}"
    return make_finding(
        "route.too_slow",
        Verdict.FAIL,
        route.target,
        said,
        Severity.ERROR,
        expected=f"<= {limit}",
        found=format_duration(delivery_s),
    )


def arrived(context: RunContext, route: Route, probe: Probe, delivery_s: float, error_s: float) -> Iterator[Fact]:
    """Yield how long it took, and whether it came to the right place, as it should be."""
    yield make_metric("delivery_s", round(delivery_s, 4))
    yield make_metric("delivery_error_s", round(error_s, 4))
    folder = _junk_folder(context, route, probe.token)
    if folder:
        said = f"Email arrived in {folder} after {delivery_s:.1f}s, not in {route.reader.folder}"
        yield make_finding("route.in_junk", Verdict.FAIL, route.target, said)
    yield from _slowness(delivery_s, error_s, route)
    if route.expected:
        yield from _expectations(context, route, probe, folder)
    yield Note(f"Email delivered in {delivery_s:.1f}s")


def bounced(probe: Probe, target: str) -> Finding:
    """Return that a probe came back."""
    from mailmon.mail.advice import advise, refused_by_bounce

    said = f"{probe.acceptance}, then bounced: {probe.detail}"
    fix = advise(refused_by_bounce(probe.detail)).text
    return make_finding("route.bounced", Verdict.FAIL, target, said, evidence=probe.detail, fix=fix)


def poll_junk_folders(context: RunContext, route: Route, token: str, *, afresh: bool = False) -> None:
    """Look into the folders that filters sort into; one that is not there holds nothing (`missing_folders`)."""
    for folder in route.junk_folders:
        try:
            place = context.junk_folder(route.reader, folder)
            place.poll_afresh(token) if afresh else place.poll(token)
        except StageError as exc:
            if exc.lost or exc.is_silence:
                raise


def poll_for_bounce(
    context: RunContext, route: Route, token: str, *, thoroughly: bool, afresh: bool = False
) -> StageError | None:
    """Look where else it may come: into the sender's mailbox, and its folder with bounces.

    Their trouble is not the route's, so it is returned and not raised.
    """
    try:
        # Asked for each time: its login may still be going on.
        mailbox = context.mailbox(route.sender) if route.sender.name != route.reader.name else None
        for place in (mailbox, context.bounce_folder(route.sender)):
            if place and afresh:
                place.poll_afresh(token)
            elif place:
                place.poll(token, thoroughly=thoroughly)
    except StageError as exc:
        return exc
    return None


def missing_folders(context: RunContext, route: Route) -> Iterator[Finding]:
    """Yield which of the route's junk folders are not there: what is sorted into them is not seen."""
    mailbox = context.mailbox(route.reader)
    opened = {place for _, place in context.opened(route.reader)}
    for folder in route.junk_folders:
        if mailbox is None or folder in opened:
            continue
        refused = context.missing(route.reader, folder)
        try:
            advice = refused.advice if refused else mailbox.advice_on(folder)
        except StageError:  # a server that does not list folders now is asked again in the next run
            continue
        if advice is not None:
            said = f'there is no junk folder "{visible(folder, 80)}" here: what is sorted into it is not seen'
            evidence = refused.said if refused else ""
            yield make_finding(
                "route.folder_missing",
                Verdict.FAIL,
                route.target,
                said,
                evidence=evidence,
                fix=advice,
            )


def unread_mail(context: RunContext, route: Route) -> Iterator[Finding]:
    """Yield what nobody could read of the mail in the folders of a route; it is left where it is."""
    accounts = {account.name: account for account in (route.reader, route.sender)}
    for mailbox, place in (found for account in accounts.values() for found in context.opened(account)):
        problems = mailbox.take_problems()
        if problems:
            said = f"mail in {place} was not read: {'; '.join(problems[:MAX_PROBLEMS])}"
            said += f" and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
            yield make_finding("mailbox.unread", Verdict.FAIL, route.target, said)


def _junk_folder(context: RunContext, route: Route, token: str) -> str:
    """Return the folder in which a probe lies instead of where it belongs, "" where it lies right."""
    mailbox = context.mailbox(route.reader)
    if not route.junk_folders or (mailbox and mailbox.has(token)):
        return ""
    return next((name for name in route.junk_folders if context.junk_folder(route.reader, name).has(token)), "")


def _expectations(context: RunContext, route: Route, probe: Probe, folder: str) -> Iterator[Finding]:
    from mailmon.mail.probe.expected import find_missed

    assert route.expected is not None
    mailbox = context.junk_folder(route.reader, folder) if folder else context.mailbox(route.reader)
    raw = mailbox.read(probe.token) if mailbox else b""
    if not raw:
        said = "it could not be read, so what it looks like is not known"
        yield make_finding("route.unread", Verdict.UNKNOWN, route.target, said)
        return
    sent = compose(probe, context.environment.key, context.environment.version, route.form)
    for one in find_missed(route.expected, sent, raw):
        yield make_finding(
            one.finding_id,
            Verdict.FAIL,
            route.target,
            one.message,
            one.severity,
            expected=one.expected,
            found=one.found,
        )


def _slowness(delivery_s: float, error_s: float, route: Route) -> Iterator[Finding]:
    """Yield what is to be said of a delivery that certainly took longer than it may: what counts is the lower bound."""
    least_s = max(delivery_s - error_s, 0.0)
    for limit_s, severity in ((route.critical_s, Severity.CRITICAL), (route.warning_s, Severity.WARNING)):
        if limit_s is not None and least_s > limit_s:
            took = f"{delivery_s:.1f}s"
            if f"{least_s:.1f}" != f"{delivery_s:.1f}":
                took += f" (at least {least_s:.1f}s)"
            yield make_finding(
                "route.slow" if severity is Severity.WARNING else "route.too_slow",
                Verdict.FAIL,
                route.target,
                f"Email delivered in {took}, more than {limit_s:g} s",
                severity,
                expected=f"<= {limit_s:g} s",
                found=f"{delivery_s:.1f} s",
            )
            return


_FROZEN = "the server showed the probe only when the folder was opened again: when it came is not known better"

# A probe that is late once is no outage.
CHECK = RouteCheck(
    name="receive",
    label="Receive Test",
    about="Waits for the probe in the route's mailbox, and measures the delivery time.",
    options=ReceiveOptions,
    run=run,
    interval_s=lambda route: route.interval_s,
    failure_threshold=2,
    needs=("send:route",),
)

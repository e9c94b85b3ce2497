"""What do people hear of? The steps of a run, the channels, and mailmon itself; how each of them is spoken of."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from mailmon.checks import CHECKS
from mailmon.config import Setup
from mailmon.errors import DeliveryError
from mailmon.findings import make_finding
from mailmon.model import AlertSubject, Outcome, Policy, Status, Verdict
from mailmon.model.run import PENDING_RUNS, AlertLine
from mailmon.run.plan import Step, make_plan

EVERYTHING = "all"
NETWORK, PING, CHANNEL, UNIT = "mailmon:network", "mailmon:ping", "channel:", "unit:"
# Told at once: that nobody can be told, or that nothing is seen, is no matter for a second look.
_AT_ONCE = Policy()
# Of a ping service that is away: it may be back in the next run, and alarms by itself if it is not.
_AFTER_A_WHILE = Policy(failure_threshold=PENDING_RUNS)


def subjects_of(
    steps: Sequence[Step], all_steps: Sequence[Step], policies: Mapping[str, Policy], own: Iterable[str]
) -> dict[str, AlertSubject]:
    """Return the topics of a run by the id of their step, and of what is `own`: certificates, sight, channels, units.

    Whether a step's subject must be said depends on all steps that there are, not on those that are asked.
    """
    checks = Counter(step.check for step in all_steps)
    subjects = {
        step.id: AlertSubject(
            step.label,
            step.name if checks[step.check] > 1 else "",
            CHECKS.kind(step.check),
            (EVERYTHING, step.id, *step.names),
            policies.get(step.check, _AT_ONCE),
        )
        for step in steps
    }
    return {**subjects, **{step_id: own_subject(step_id, policies) for step_id in own}}


def own_subject(step_id: str, policies: Mapping[str, Policy] = MappingProxyType({})) -> AlertSubject:
    """Return how mailmon speaks of what is no step: certificates, what it sees, its channels, the units that run it."""
    names, (kind, _, name) = (EVERYTHING, step_id), step_id.partition(":")
    if step_id == NETWORK:
        return AlertSubject("mailmon", "", "machine", names, _AT_ONCE, "cannot see", "sees again")
    if step_id == PING:
        return AlertSubject("Pings", "", "machine", names, _AT_ONCE, "do not get through", "get through again")
    if kind == "certificate":
        policy = policies.get(kind, _AT_ONCE)
        return AlertSubject("Certificate", "", kind, (*names, name), policy, "is about to end", "lasts again")
    if kind == "channel":
        return AlertSubject(
            f"Alerts by {name}", "", "channel", names, _AT_ONCE, "do not get through", "get through again", (name,)
        )
    if kind in CHECKS:  # a step of an earlier run
        label, policy = CHECKS[kind].label, policies.get(kind, _AT_ONCE)
        return AlertSubject(label, name, CHECKS.kind(kind), (*names, name), policy)
    return AlertSubject(name, "", "unit", names, _AT_ONCE, "failed", "has run to its end again")


def silenceable_names(setup: Setup) -> set[str]:
    """Return the names that a silence may have: accounts, routes, steps, channels, mailmon's sight, and everything."""
    steps = make_plan(setup.accounts, setup.routes, (), setup.hosts, setup.checks).steps
    own = [NETWORK, *([PING] if setup.ping else []), *(f"{CHANNEL}{name}" for name in setup.channels)]
    return {name for subject in subjects_of(steps, steps, {}, own).values() for name in subject.names}


def network_outcome(evidence: str, *, is_offline: bool) -> Outcome:
    """Return whether mailmon sees anything, as the outcome of a step."""
    return _own_outcome(NETWORK, "mailmon.blind", evidence, None, is_failed=is_offline)


def channel_outcomes(lines: Sequence[AlertLine], known: Collection[str]) -> list[Outcome]:
    """Return which channels took alerts in this run, and which do not: they refuse, or have not answered for long.

    Of a channel that nobody has heard a complaint of (`known`), good news is none.
    """
    outcomes = {}
    for line in lines:
        step_id = f"{CHANNEL}{line.channel}"
        if line.is_alarming:
            outcomes[step_id] = _own_outcome(step_id, "mailmon.channel", line.error, None, is_failed=True)
        elif line.status == "sent" and step_id in known:
            outcomes.setdefault(step_id, _own_outcome(step_id, "", "", "", is_failed=False))
    return list(outcomes.values())


def ping_outcome(refusal: DeliveryError | None) -> Outcome:
    """Return whether the ping address took the end of a run, as the outcome of a step."""
    said, advice = (refusal.message, refusal.advice) if refusal else ("", "")
    return _own_outcome(PING, "mailmon.ping", said, advice, is_failed=refusal is not None)


def ping_subject(refusal: DeliveryError | None) -> AlertSubject:
    """Return how pings are spoken of: a refusal at once, silence only when it lasts."""
    is_patient = refusal is not None and not refusal.is_permanent
    return own_subject(PING)._replace(policy=_AFTER_A_WHILE if is_patient else _AT_ONCE)


def unit_outcome(unit: str, said: str, *, is_failed: bool) -> Outcome:
    """Return whether a unit that runs mailmon has failed."""
    advice = f"Look at `journalctl -u {unit}`."
    return _own_outcome(f"{UNIT}{unit}", "mailmon.unit", said, advice, is_failed=is_failed)


def _own_outcome(step_id: str, finding_id: str, said: str, advice: str | None, *, is_failed: bool) -> Outcome:
    check, _, name = step_id.partition(":")
    if not is_failed:
        return Outcome(step_id, check, name, Status.OK, said or "OK")
    target = socket.gethostname()
    finding = make_finding(finding_id, Verdict.FAIL, target, said, fix=advice)
    return Outcome(step_id, check, name, Status.FAILED, said, finding.fix, target, findings=(finding,))

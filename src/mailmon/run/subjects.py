"""The subjects of alerts: the steps of a run, certificates, channels, units, and mailmon itself.

Their labels and verbs are in alerting/wording.py.
"""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from mailmon.alerting.wording import own_label
from mailmon.checks import CHECKS
from mailmon.config import Setup
from mailmon.errors import DeliveryError
from mailmon.findings import make_finding
from mailmon.model import AlertSubject, Outcome, Policy, Status, Verdict
from mailmon.model.run import PENDING_RUNS, AlertLine
from mailmon.run.plan import Step, make_plan

EVERYTHING = "all"
NETWORK, PING, CHANNEL, UNIT = "mailmon:network", "mailmon:ping", "channel:", "unit:"
# A channel that fails, or a missing network, is not worth a second run before the alert.
_AT_ONCE = Policy()
# A ping service that does not answer may be back in the next run, and alarms by itself if it is not.
_AFTER_A_WHILE = Policy(failure_threshold=PENDING_RUNS)


def subjects_of(
    steps: Sequence[Step], all_steps: Sequence[Step], policies: Mapping[str, Policy], own: Iterable[str]
) -> dict[str, AlertSubject]:
    """Return the subjects of a run by the id of their step, and those of `own`: certificates, network, channels, units.

    Whether a label needs the account or route behind it depends on all configured steps, not on those of this run.
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
    """Return the subject of what is no step of this run: a certificate, the network, a channel, a unit, an old step."""
    names, (kind, _, name) = (EVERYTHING, step_id), step_id.partition(":")
    if step_id in (NETWORK, PING):
        return AlertSubject(own_label(name, ""), "", name, names, _AT_ONCE)
    if kind == "certificate":
        policy = policies.get(kind, _AT_ONCE)
        return AlertSubject(own_label(kind, name), "", kind, (*names, name), policy)
    if kind == "channel":
        return AlertSubject(own_label(kind, name), "", kind, names, _AT_ONCE, not_by=(name,))
    if kind in CHECKS:
        label, policy = CHECKS[kind].label, policies.get(kind, _AT_ONCE)
        return AlertSubject(label, name, CHECKS.kind(kind), (*names, name), policy)
    return AlertSubject(own_label("unit", name), "", "unit", names, _AT_ONCE)


def silenceable_names(setup: Setup) -> set[str]:
    """Return the names that a silence may have: accounts, routes, steps, channels, the network, the ping, all."""
    return {name for subject in configured_subjects(setup).values() for name in subject.names}


def configured_subjects(setup: Setup) -> dict[str, AlertSubject]:
    """Return the subjects of what is configured, by the id of their step."""
    steps = make_plan(setup.accounts, setup.routes, (), setup.hosts, setup.checks).steps
    own = [NETWORK, *([PING] if setup.ping else []), *(f"{CHANNEL}{name}" for name in setup.channels)]
    return subjects_of(steps, steps, setup.policies, own)


def network_outcome(evidence: str, *, is_offline: bool) -> Outcome:
    """Return whether this machine has a network, as the outcome of a step."""
    return _own_outcome(NETWORK, "mailmon.blind", evidence, None, is_failed=is_offline)


def channel_outcomes(lines: Sequence[AlertLine], known: Collection[str]) -> list[Outcome]:
    """Return which channels took alerts in this run, and which refuse or have not answered for long.

    Success matters only for channels that are `known` to have failed.
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
    """Return whether the ping URL took the end of a run, as the outcome of a step."""
    said, advice = (refusal.message, refusal.advice) if refusal else ("", "")
    return _own_outcome(PING, "mailmon.ping", said, advice, is_failed=refusal is not None)


def ping_subject(refusal: DeliveryError | None) -> AlertSubject:
    """Return the subject of pings: a refusal alerts at once, no reply only when it lasts."""
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

"""Certificates that expire soon: one warning for each, however many ports and accounts showed it.

A step keeps the warning among its findings; what is announced, and kept in the state, is the certificate's. Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from mailmon.model import Certificate, Finding, Outcome, Severity, Status
from mailmon.run.execute import with_findings
from mailmon.run.network import Checked
from mailmon.text import join_words

CERTIFICATE = "certificate:"
_MAX_TARGETS = 4


def with_certificates(seen: Checked, known: Collection[str]) -> Checked:
    """Return what a run saw with an outcome of its own for each certificate that is worth announcing.

    One that is valid for long matters only if its id is `known`: then its problem has ended. One that counts
    as failed is among the steps too.
    """
    shown: dict[str, list[Certificate]] = {}
    for outcome in seen.steps:
        for certificate in outcome.certificates:
            shown.setdefault(certificate.name, []).append(certificate)
    judged = [_judged(name, found) for name, found in shown.items()]
    own = [one for one in judged if one.status is not Status.OK or one.id in known]
    failed = [one for one in own if one.status is Status.FAILED]
    return seen._replace(steps=(*seen.steps, *failed), own=(*seen.own, *own))


def without_certificates(steps: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes of steps without what their certificates say."""
    return [_without_certificates(step) for step in steps if not step.id.startswith(CERTIFICATE)]


def _without_certificates(outcome: Outcome) -> Outcome:
    theirs = {certificate.finding for certificate in outcome.certificates}
    if theirs <= {None}:
        return outcome
    return with_findings(outcome, tuple(finding for finding in outcome.findings if finding not in theirs))


def _judged(name: str, shown: Sequence[Certificate]) -> Outcome:
    """Return the outcome of one certificate: by the connection that is most particular, or at which it ends first."""
    worst = min(shown, key=lambda one: (not one.is_critical, one.finding is None, one.days))
    outcome = Outcome(f"{CERTIFICATE}{name}", "certificate", name, Status.OK, f"{int(worst.days)} days left")
    if worst.finding is None:
        return outcome
    words = {one.target: _words(one.finding) for one in shown if one.finding}
    said = _words(worst.finding)
    # One that bears the same name may end at another time: its days are its own.
    own = [f"; {target}: {its.removeprefix('the certificate ')}" for target, its in words.items() if its != said]
    message = f"{name}: {said}; shown at {_listed([t for t in words if words[t] == said])}{''.join(own[:_MAX_TARGETS])}"
    message += f" and {len(own) - _MAX_TARGETS} more" if len(own) > _MAX_TARGETS else ""
    severity = Severity.ERROR if worst.is_critical else Severity.WARNING
    return with_findings(outcome, (worst.finding._replace(target=name, message=message, severity=severity),))


def _words(finding: Finding) -> str:
    """Return what is said of a certificate, without the place."""
    return finding.message.removeprefix(f"{finding.target}: ")


def _listed(targets: Sequence[str]) -> str:
    more = [f"{len(targets) - _MAX_TARGETS} more"] if len(targets) > _MAX_TARGETS else []
    return join_words([*targets[:_MAX_TARGETS], *more])

"""What do the facts of a step amount to? The worst finding gives the status and the words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.model import Certificate, Fact, Finding, Metric, Note, Outcome, Severity, Status, Verdict
from mailmon.run.plan import Step

_STATUS_OF_SEVERITY = {
    Severity.CRITICAL: Status.FAILED,
    Severity.ERROR: Status.FAILED,
    Severity.WARNING: Status.WARNING,
    Severity.NOTICE: Status.OK,
    Severity.INFO: Status.OK,
}
_STATUS_OF_VERDICT = {Verdict.UNKNOWN: Status.UNKNOWN, Verdict.SKIPPED: Status.SKIPPED}


def make_outcome(step: Step, facts: Sequence[Fact], duration_s: float) -> Outcome:
    """Return the outcome of a step."""
    notes = [fact.text for fact in facts if isinstance(fact, Note)]
    blank = Outcome(
        step.id,
        step.check,
        step.name,
        Status.OK,
        notes[-1] if notes else "OK",
        duration_s=duration_s,
        metrics=tuple(fact for fact in facts if isinstance(fact, Metric)),
        certificates=tuple(fact for fact in facts if isinstance(fact, Certificate)),
    )
    return with_findings(blank, tuple(fact for fact in facts if isinstance(fact, Finding)))


def with_findings(outcome: Outcome, findings: tuple[Finding, ...]) -> Outcome:
    """Return what an outcome amounts to with these findings in place of its own."""
    statuses = {finding: _status(finding) for finding in findings}
    for status in (Status.FAILED, Status.UNKNOWN, Status.WARNING, Status.SKIPPED):
        worst = [finding for finding in findings if statuses[finding] is status]
        if worst:
            words = "; ".join(finding.message for finding in worst)
            advice = next((finding.fix for finding in worst if finding.fix), "")
            return outcome._replace(
                status=status, message=words, advice=advice, target=worst[0].target, findings=findings
            )
    words = outcome.message if outcome.status is Status.OK else "OK"
    return outcome._replace(status=Status.OK, message=words, advice="", target="", findings=findings)


def _status(finding: Finding) -> Status:
    if finding.status is Verdict.FAIL:
        return _STATUS_OF_SEVERITY[finding.severity or Severity.ERROR]
    return _STATUS_OF_VERDICT.get(finding.status, Status.OK)

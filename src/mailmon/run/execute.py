"""The execution of the steps of a run, under one deadline, and their outcomes.

The worst finding of a step gives its status and message.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mailmon.checks.check import failure
from mailmon.checks.context import RunContext
from mailmon.errors import MailmonError, StageError, place_of
from mailmon.findings import make_finding
from mailmon.metrics import is_reported_by
from mailmon.model import Certificate, Fact, Finding, Metric, Note, Outcome, Severity, Status, Verdict
from mailmon.model.limits import DEFAULT_LIMITS, RunLimits
from mailmon.run.plan import Step
from mailmon.run.workers import Callbacks, Workers

# A step that notices the deadline itself has still to say so.
GRACE_S = 2.0
TICK_S = 1.0

BUG = "mailmon.bug"
DEADLINE = "mailmon.deadline"


def execute(
    steps: Sequence[Step], context: RunContext, callbacks: Callbacks, limits: RunLimits = DEFAULT_LIMITS
) -> list[Outcome]:
    """Run all steps and return their outcomes in the order of `steps`."""
    deadline = context.environment.deadline
    workers = Workers(steps, lambda step: _ask(step, context), context.release, callbacks, limits)
    workers.run(deadline.monotonic, deadline.at_s + GRACE_S, TICK_S)
    if len(workers.done) < len(steps):
        workers.give_up(_given_up)
    return [workers.done[step.id] for step in steps]


def _ask(step: Step, context: RunContext) -> Outcome:
    started_s = context.environment.deadline.monotonic()
    facts: list[Fact] = []
    try:
        for fact in step.ask(context):
            if isinstance(fact, Metric) and not is_reported_by(fact, step.check):
                facts.append(_unlisted(step, fact))
            else:
                facts.append(fact)
    except StageError as exc:
        facts.append(failure(exc))
    except MailmonError as exc:
        facts.append(
            make_finding("mailmon.error", Verdict.UNKNOWN, step.target or step.name, exc.message, fix=exc.advice)
        )
    except Exception as exc:  # the one place: a bug is reported as one (exit 70), not as a mail failure
        facts.append(_bug(step, exc))
    duration_s = context.environment.deadline.monotonic() - started_s
    return make_outcome(step, [context.masked(fact, step.accounts) for fact in facts], duration_s)


def _given_up(step: Step, has_begun: bool) -> Outcome:
    """The deadline has passed: what is still at work has failed, what has not begun says nothing."""
    if not has_begun:
        words = "skipped, because the run's deadline came first"
        return Outcome(step.id, step.check, step.name, Status.SKIPPED, words)
    said = "not finished when the run's deadline came"
    target = step.target or step.name
    return make_outcome(step, [make_finding(DEADLINE, Verdict.FAIL, target, said)], 0.0)


def _bug(step: Step, exc: Exception) -> Finding:
    said = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
    return make_finding(BUG, Verdict.UNKNOWN, step.target or step.name, said)


def _unlisted(step: Step, metric: Metric) -> Finding:
    said = f"a bug in mailmon: the registry of metrics has no {metric.name} of the check {step.check}"
    return make_finding(BUG, Verdict.UNKNOWN, step.target or step.name, said)


def labels_of(steps: Sequence[Step], *, always_named: bool = False) -> Mapping[str, str]:
    """Return how steps are called: with the name in brackets where there are several of a kind."""
    checks = Counter(step.check for step in steps)
    return {
        step.id: f"{step.label} ({step.name})" if always_named or checks[step.check] > 1 else step.label
        for step in steps
    }


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

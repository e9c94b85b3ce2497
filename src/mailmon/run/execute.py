"""What did each step find out? Every step as soon as it may be asked, all under one deadline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mailmon.checks.check import failure
from mailmon.checks.context import RunContext
from mailmon.errors import MailmonError, StageError, place_of
from mailmon.model import Fact, Finding, Outcome, Severity, Status, Verdict
from mailmon.model.limits import DEFAULT_LIMITS, RunLimits
from mailmon.run.outcome import make_outcome
from mailmon.run.plan import Step
from mailmon.run.workers import Audience, Workers

# A step that notices the deadline itself has still to say so.
GRACE_S = 2.0
TICK_S = 1.0

BUG = "mailmon.bug"
DEADLINE = "mailmon.deadline"


def observe(
    steps: Sequence[Step], tools: RunContext, audience: Audience, limits: RunLimits = DEFAULT_LIMITS
) -> list[Outcome]:
    """Run all steps and return their outcomes in the order of `steps`."""
    deadline = tools.world.deadline
    workers = Workers(steps, lambda step: _ask(step, tools), tools.release, audience, limits)
    workers.run(deadline.monotonic, deadline.at_s + GRACE_S, TICK_S)
    if len(workers.done) < len(steps):
        workers.give_up(_given_up)
    return [workers.done[step.id] for step in steps]


def _ask(step: Step, tools: RunContext) -> Outcome:
    started_s = tools.world.deadline.monotonic()
    facts: list[Fact] = []
    try:
        for fact in step.ask(tools):
            facts.append(fact)
    except StageError as exc:
        facts.append(failure(exc))
    except MailmonError as exc:
        facts.append(Finding("mailmon.error", Verdict.UNKNOWN, step.target or step.name, exc.message, fix=exc.advice))
    except Exception as exc:  # the one place: a bug is reported as one (exit 70), not as a mail failure
        facts.append(_bug(step, exc))
    duration_s = tools.world.deadline.monotonic() - started_s
    return make_outcome(step, [tools.masked(fact, step.accounts) for fact in facts], duration_s)


def _given_up(step: Step, has_begun: bool) -> Outcome:
    """The deadline has passed: what is still at work has failed, what has not begun says nothing."""
    if not has_begun:
        words = "skipped, because the run's deadline came first"
        return Outcome(step.id, step.check, step.name, Status.SKIPPED, words)
    said = "not finished when the run's deadline came"
    target = step.target or step.name
    return make_outcome(
        step, [Finding(DEADLINE, Verdict.FAIL, target, said, Severity.ERROR, fix="Raise deadline_s.")], 0.0
    )


def _bug(step: Step, exc: Exception) -> Finding:
    said = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
    return Finding(BUG, Verdict.UNKNOWN, step.target or step.name, said, fix="Please report it with this line.")


def labels_of(steps: Sequence[Step], *, always_named: bool = False) -> Mapping[str, str]:
    """Return how steps are called: with the name in brackets where there are several of a kind."""
    checks = Counter(step.check for step in steps)
    return {
        step.id: f"{step.label} ({step.name})" if always_named or checks[step.check] > 1 else step.label
        for step in steps
    }

"""What is a check? One question, asked for an account, a route or a host, answered by facts one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailmon.checks.context import RunContext
from mailmon.checks.targets import Account, Host, Route
from mailmon.errors import StageError
from mailmon.model import Fact, Finding, Outcome, Severity, Verdict

S = TypeVar("S", Account, Route, Host)
# What `found` says of a finding where nothing came back: it could be our own trouble (run/network.py).
SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """A question with a name.

    `label` begins its line on the terminal and in an alert. `needs` names checks that must have succeeded, `after`
    those that must only have ended, each as `check:role`; the roles of a route are `sender`, `reader` and `route`.
    Facts are yielded one by one, so that what was learnt before an exception survives. `target` says which server an
    account is asked at, None where there is nothing to ask; `interval_s` how often, 0: in every run.
    """

    name: str
    label: str
    ask: Callable[[RunContext, S], Iterable[Fact]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    target: Callable[[S], str | None] = lambda _subject: None
    interval_s: Callable[[S], float] = lambda _subject: 0.0


def is_silence(finding: Finding) -> bool:
    """Say whether nothing came back, so that it may still turn out to be our own trouble."""
    says_so = finding.found == SILENCE or finding.id == "dns.resolver_error" or finding.id.endswith(".timeout")
    return finding.status is Verdict.FAIL and says_so


def has_silence(outcome: Outcome) -> bool:
    """Say whether any finding of an outcome is one of silence."""
    return any(map(is_silence, outcome.findings))


def failure(exc: StageError) -> Finding:
    """Return the finding that an ended conversation amounts to."""
    status, severity = (Verdict.UNKNOWN, None) if exc.ours else (Verdict.FAIL, _severity(exc))
    found = SILENCE if exc.is_silence else ""
    return Finding(
        exc.finding_id, status, exc.target, exc.message, severity, evidence=exc.said, found=found, fix=exc.advice
    )


def _severity(exc: StageError) -> Severity:
    return Severity.CRITICAL if exc.is_critical else Severity.ERROR

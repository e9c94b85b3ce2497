"""What is a check? One question, asked for an account or a route, answered by facts one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mailmon.checks.subjects import Account, Route
from mailmon.checks.tools import Tools
from mailmon.errors import StageError
from mailmon.model import Fact, Finding, Severity, Verdict

S = TypeVar("S", Account, Route)


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """A question with a name.

    `label` begins its line on the terminal and in an alert. `needs` names checks that must have succeeded, `after`
    those that must only have ended, each as `check:role`; the roles of a route are `sender`, `reader` and `route`.
    Facts are yielded one by one, so that what was learnt before an exception survives.
    """

    name: str
    label: str
    ask: Callable[[Tools, S], Iterable[Fact]]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def failure(exc: StageError) -> Finding:
    """Return the finding that an ended conversation amounts to."""
    status, severity = (Verdict.UNKNOWN, None) if exc.ours else (Verdict.FAIL, Severity.ERROR)
    return Finding(exc.finding_id, status, exc.target, exc.message, severity, fix=exc.advice, evidence=exc.said)

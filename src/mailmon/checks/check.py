"""Checks: what each of them is, and the findings that a failed conversation amounts to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Account, Route
from mailmon.errors import StageError
from mailmon.findings import make_finding
from mailmon.model import Fact, Finding, Note, Outcome, Severity, Verdict
from mailmon.text import one_line
from mailmon.typedjson.declare import frozen

OptionsT = TypeVar("OptionsT", bound=CheckOptions)
# `found` of a finding where no reply came: the cause could be our own network (run/network.py). Public in JSON.
NO_REPLY = "silence"
_MUTED = (Severity.NOTICE, Severity.INFO)


@frozen
class Check(Generic[OptionsT]):
    """What all checks have: a name, the label that begins its line and its alert, one sentence, and its options.

    `failure_threshold` is how many failed runs in a row make an alert by default. `needs`
    names checks that must have succeeded, `after` those that must only have ended, each as `check:role`; the role of an
    account is `account`, those of a route are `sender`, `reader` and `route`. `mailbox:reader` is the login that opens
    the reader's mailbox, by IMAP or POP3.
    """

    name: str
    label: str
    about: str
    options: type[OptionsT]
    failure_threshold: int = 1
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@frozen
class AccountCheck(Check[OptionsT]):
    """A check of accounts. `run` yields facts one by one, so that what was learnt before an exception survives.

    `server` returns the server that an account is checked at, None where there is nothing to check; `interval_s` the
    seconds between two checks, 0 for every run.
    """

    run: Callable[[RunContext, Account, OptionsT], Iterable[Fact]]
    server: Callable[[Account], str | None]
    interval_s: Callable[[Account], float] = lambda _account: 0.0


@frozen
class RouteCheck(Check[OptionsT]):
    """A check of routes: the same for a route. Where one has an interval, the others follow it."""

    run: Callable[[RunContext, Route, OptionsT], Iterable[Fact]]
    interval_s: Callable[[Route], float] = lambda _route: 0.0


class Target(Protocol):
    """What a check with targets of its own is run for: a host, a domain, a page, a file; every `interval_s` seconds."""

    @property
    def name(self) -> str: ...

    @property
    def interval_s(self) -> float: ...


TargetT = TypeVar("TargetT", bound=Target)


class ConfigContext(NamedTuple):
    """What options are read with: the directory of the configuration file, and the name servers that it names."""

    directory: Path
    nameservers: tuple[tuple[str, int], ...] = ()

    def path(self, file: str | None) -> str | None:
        """Return a file's path, None where none is named; a relative one counts from the configuration's directory."""
        return str(self.directory / file) if file else None


@frozen
class HostCheck(Check[OptionsT], Generic[OptionsT, TargetT]):
    """A check with targets of its own, which its options name: hosts, domains, web pages, queues, files."""

    targets: Callable[[OptionsT, ConfigContext], Iterable[TargetT]]
    run: Callable[[RunContext, TargetT], Iterable[Fact]]


AnyCheck = AccountCheck[Any] | RouteCheck[Any] | HostCheck[Any, Any]


def failing(
    findings: Iterable[Finding], target: str, skip: Iterable[str], unknown_id: str, words: str
) -> Iterator[Fact]:
    """Yield the findings that fail and are not skipped, then a note with `words`.

    Where nothing failed and nothing passed, yield only that nothing is known, as a finding with `unknown_id`.
    """
    from mailmon.findings.row import is_meant

    skipped = tuple(skip)
    known = [one for one in findings if not is_meant(one.id, skipped)]
    failed = [one for one in known if one.status is Verdict.FAIL]
    # Identified by target and cause, so that a second port with the same fault is a change.
    yield from (one._replace(expected=one.expected or one.target, fix=one_line(one.fix)) for one in failed)
    if not any(one.status is Verdict.PASS for one in known) and not failed:
        why = next((one.message for one in known if one.status is Verdict.UNKNOWN), "nothing could be checked")
        yield make_finding(unknown_id, Verdict.UNKNOWN, target, why)
        return
    muted = sum(one.severity in _MUTED for one in failed)
    yield Note(f"OK ({words}{f', {muted} worth knowing' if muted else ''})")


def is_no_reply(finding: Finding) -> bool:
    """Return whether a finding means that no reply came, so that the cause may be our own network."""
    has_none = finding.found == NO_REPLY or finding.id == "dns.resolver_error" or finding.id.endswith(".timeout")
    return finding.status is Verdict.FAIL and has_none


def has_no_reply(outcome: Outcome) -> bool:
    """Return whether any finding of an outcome means that no reply came."""
    return any(map(is_no_reply, outcome.findings))


def failure(exc: StageError) -> Finding:
    """Return the finding that an ended conversation amounts to."""
    status, severity = (Verdict.UNKNOWN, None) if exc.ours else (Verdict.FAIL, _severity(exc))
    found = NO_REPLY if exc.is_silence else ""
    return make_finding(
        exc.finding_id, status, exc.target, exc.message, severity, evidence=exc.said, found=found, fix=exc.advice
    )


def _severity(exc: StageError) -> Severity:
    return Severity.CRITICAL if exc.is_critical else Severity.ERROR

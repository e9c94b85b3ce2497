"""Alarms from the bounces of the last 24 hours: limits that are exceeded, and refusals that affect all mail. Pure.

`expected` of a finding is part of its cause (alerting/transitions.py), so one more bounce of a kind is no new alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mailmon.findings import make_finding
from mailmon.mail.bounce.advice import ADVICE
from mailmon.mail.masking import mask_text
from mailmon.model import Finding, Severity, Verdict
from mailmon.model.bounces import BounceWindow, Hearsay, Refusal
from mailmon.model.limits import BounceLimits
from mailmon.text import visible

MAX_NAMED = 5
MAX_WORDS = 160
# Reasons about the sending host or domain, so about all mail, not one address, message or group.
REFUSALS: Mapping[str, str] = {
    "authfailure": "unauthenticated",
    "badreputation": "poor reputation",
    "blocked": "blocked",
    "requireptr": "reverse DNS",
}
_CLASSES = {"hard": "hard bounces", "soft": "soft bounces", "delayed": "delay warnings", "feedback": "complaints"}
# Limit of domains with unverified mail or only their own signature: a forger has any number of domains.
MAX_UNVERIFIED = 3
_UNVERIFIED = " (unverified)"
_ANYBODY = "These messages may be forged, there is no evidence that they are genuine: see docs/bounces.md, Evidence."


def find_alarms(seen: BounceWindow, limits: BounceLimits, target: str) -> Iterator[Finding]:
    """Yield a finding per exceeded limit and per kind of refusal.

    Without evidence, a bounce counts only where different messages of different runs agree, and is marked unverified.
    """
    if limits.reports_refusals:
        yield from _refusals(seen, target)
    for name, words in _CLASSES.items():
        limit = limits.classes.get(name)
        counted = _above(seen.classes.get(name, 0), seen.unverified.classes.get(name), limit)
        if counted and limit is not None:
            finding_id = "bounces.complaints" if name == "feedback" else "bounces.rate"
            yield _too_many(finding_id, target, counted, limit, words)
    yield from _crowded_domains(seen, limits, target)


class _Counted(NamedTuple):
    """A number, and whether there is evidence for it."""

    number: int
    is_verified: bool


def _above(count: int, hearsay: Hearsay | None, limit: int | None) -> _Counted | None:
    """Return the number above a limit: verified ones alone, else with sufficient unverified ones."""
    if limit is None:
        return None
    if count > limit:
        return _Counted(count, is_verified=True)
    if hearsay and hearsay.is_enough and count + hearsay.recipients > limit:
        return _Counted(count + hearsay.recipients, is_verified=False)
    return None


def _crowded_domains(seen: BounceWindow, limits: BounceLimits, target: str) -> Iterator[Finding]:
    """Yield the domains with too many bounces; of those without evidence only the first few."""
    verified: list[tuple[str, _Counted, int]] = []
    doubtful: list[tuple[str, _Counted, int]] = []
    for domain in {**seen.unverified.domains, **seen.domains}:
        limit = limits.domains.get(domain, limits.any_domain)
        counted = _above(seen.domains.get(domain, 0), seen.unverified.domains.get(domain), limit)
        if domain and counted and limit is not None:
            (verified if counted.is_verified else doubtful).append((domain, counted, limit))
    verified.sort(key=lambda one: (-one[1].number, one[0]))
    for domain, counted, limit in (*verified[:MAX_NAMED], *doubtful[:MAX_UNVERIFIED]):
        yield _too_many("bounces.rate", target, counted, limit, f"bounces for {visible(domain, 80)}")
    for more, mark in ((len(verified) - MAX_NAMED, ""), (len(doubtful) - MAX_UNVERIFIED, _UNVERIFIED)):
        if more > 0:
            said = f"and {more} more domains above their limit{mark}"
            expected = f"few domains{mark}"
            yield make_finding("bounces.rate", Verdict.FAIL, target, said, expected=expected)


def _too_many(finding_id: str, target: str, counted: _Counted, limit: int, what: str) -> Finding:
    mark = "" if counted.is_verified else _UNVERIFIED
    said = f"{counted.number} {what} in 24 h, more than {limit}{mark}"
    expected = f"<= {limit} {what} in 24 h{mark}"
    made = make_finding(finding_id, Verdict.FAIL, target, said, expected=expected, found=str(counted.number))
    return made if counted.is_verified else made._replace(fix=f"{_ANYBODY} {made.fix}")


def _refusals(seen: BounceWindow, target: str) -> Iterator[Finding]:
    """Yield refusals: verified newest first; unverified and by a domain's own signature the oldest few.

    So forged bounces of ever new domains cause a bounded number of alerts and displace no verified refusal.
    """
    known = [one for one in seen.refusals if one.reason in REFUSALS]
    sure = [one for one in known if not one.is_own_word]
    own_words = [one for one in known if one.is_own_word][::-1]
    certain = {(one.domain, one.reason) for one in known}
    doubtful = [
        one
        for one, hearsay in seen.unverified.refusals
        if one.reason in REFUSALS and hearsay.is_enough and (one.domain, one.reason) not in certain
    ]
    named = (*sure[:MAX_NAMED], *own_words[:MAX_UNVERIFIED])
    yield from (_refusal(one, target) for one in named)
    if len(known) > len(named):
        said = f"and {len(known) - len(named)} more refusals"
        yield make_finding("bounces.policy", Verdict.FAIL, target, said, expected="no refusals")
    yield from (_unverified(_refusal(one, target)) for one in doubtful[:MAX_UNVERIFIED])
    if len(doubtful) > MAX_UNVERIFIED:
        said, expected = f"and {len(doubtful) - MAX_UNVERIFIED} more refusals", "no refusals"
        more = make_finding("bounces.policy", Verdict.FAIL, target, said, expected=expected)
        yield _unverified(more)


def _refusal(one: Refusal, target: str) -> Finding:
    advice = ADVICE[one.reason][1]
    who = visible(one.domain, 80) or "a server"
    # The reply may contain the recipient's address, and an alert may be visible on a locked telephone.
    said = visible(mask_text(one.diagnostic), MAX_WORDS)
    return make_finding(
        "bounces.policy",
        Verdict.FAIL,
        target,
        f"{who} refuses us: {visible(one.status, 12)} {REFUSALS[one.reason]}",
        evidence=f"{who}: {said}" if said else "",
        expected=f"mail is taken by {who} ({one.reason})",
        found=one.status,
        fix=f"{advice[:1].upper()}{advice[1:]}.",
    )


def _unverified(finding: Finding) -> Finding:
    """Return a finding marked as unverified."""
    return finding._replace(
        message=f"{finding.message}{_UNVERIFIED}",
        severity=Severity.WARNING,
        expected=f"{finding.expected}{_UNVERIFIED}",
        fix=f"{_ANYBODY} {finding.fix}",
    )

"""Is there more mail coming back than usual, or a refusal that concerns all mail? Asked of the last 24 hours. Pure.

A finding's `expected` is what makes its cause (judge/table.py), so one more bounce of the same sort is no news.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mailmon.mail.bounce.advice import ADVICE
from mailmon.mail.masking import mask_text
from mailmon.mail.text import visible
from mailmon.model import Finding, Severity, Verdict
from mailmon.model.bounces import BounceWindow, Refusal
from mailmon.model.limits import BounceLimits

MAX_NAMED = 5
MAX_WORDS = 160
# Reasons that speak of the sending host or domain, so of all mail: not of one address, one message or one group.
REFUSALS: Mapping[str, str] = {
    "authfailure": "unauthenticated",
    "badreputation": "poor reputation",
    "blocked": "blocked",
    "requireptr": "reverse DNS",
}
_CLASSES = {"hard": "hard bounces", "soft": "soft bounces", "delayed": "delay warnings", "feedback": "complaints"}
_LOOK = "`mailmon bounces summary` and `mailmon bounces list --since 24h` tell which."


def find_alarms(seen: BounceWindow, limits: BounceLimits, target: str) -> Iterator[Finding]:
    """Yield a finding for each limit that is passed, and for each kind of refusal."""
    if limits.tells_refusals:
        yield from _refusals(seen.refusals, target)
    for name, words in _CLASSES.items():
        limit, count = limits.classes.get(name), seen.classes.get(name, 0)
        if limit is not None and count > limit:
            finding_id = "bounces.complaints" if name == "feedback" else "bounces.rate"
            yield _too_many(finding_id, target, f"{count} {words}", count, limit, words)
    too_many = []
    for domain, count in sorted(seen.domains.items(), key=lambda item: (-item[1], item[0])):
        domain_limit = limits.domains.get(domain, limits.any_domain)
        if domain and domain_limit is not None and count > domain_limit:
            too_many.append((domain, count, domain_limit))
    for domain, count, domain_limit in too_many[:MAX_NAMED]:
        said = f"{count} bounces for {visible(domain, 80)}"
        yield _too_many("bounces.rate", target, said, count, domain_limit, f"bounces for {visible(domain, 80)}")
    if len(too_many) > MAX_NAMED:
        said = f"and {len(too_many) - MAX_NAMED} more domains above their limit"
        yield Finding("bounces.rate", Verdict.FAIL, target, said, Severity.WARNING, expected="few domains", fix=_LOOK)


def _too_many(finding_id: str, target: str, said: str, count: int, limit: int, what: str) -> Finding:
    return Finding(
        finding_id,
        Verdict.FAIL,
        target,
        f"{said} in 24 h, more than {limit}",
        Severity.WARNING,
        expected=f"<= {limit} {what} in 24 h",
        found=str(count),
        fix=_LOOK,
    )


def _refusals(refusals: tuple[Refusal, ...], target: str) -> Iterator[Finding]:
    known = [one for one in refusals if one.reason in REFUSALS]
    for one in known[:MAX_NAMED]:
        advice = ADVICE[one.reason][1]
        who = visible(one.domain, 80) or "a server"
        # What the server says may hold the recipient's address, and an alert may lie open on a telephone.
        said = visible(mask_text(one.diagnostic), MAX_WORDS)
        yield Finding(
            "bounces.policy",
            Verdict.FAIL,
            target,
            f"{who} refuses us: {visible(one.status, 12)} {REFUSALS[one.reason]}",
            Severity.ERROR,
            evidence=f"{who}: {said}" if said else "",
            expected=f"mail is taken by {who} ({one.reason})",
            found=one.status,
            fix=f"{advice[:1].upper()}{advice[1:]}.",
            reference="RFC 3463 section 3.8",
        )
    if len(known) > MAX_NAMED:
        said = f"and {len(known) - MAX_NAMED} more refusals"
        yield Finding("bounces.policy", Verdict.FAIL, target, said, Severity.ERROR, expected="no refusals", fix=_LOOK)

"""Is there anything new that is wrong with what a domain publishes, and is any record another one than before?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.hosts import telling
from mailmon.checks.targets import Host
from mailmon.model import Fact, Severity, Verdict

# The rest of the run is for the mail cycle.
MAX_SHARE = 0.8


def ask(tools: RunContext, host: Host) -> Iterator[Fact]:
    """Look at the domain, and tell what fails and what has changed."""
    from mailmon.domain.survey import survey

    assert host.survey is not None
    options = host.survey
    left_s = tools.world.deadline.remaining_s() * MAX_SHARE
    learnt = tools.world.selectors.get(host.name, ())
    result = survey(
        host.name,
        options._replace(
            deadline_s=min(options.deadline_s, left_s), selectors=tuple(dict.fromkeys((*options.selectors, *learnt)))
        ),
    )
    changed = tools.world.changes.take(host.name, result.records, tools.world.now())
    worst = [one.severity for one in result.findings if one.severity in (Severity.CRITICAL, Severity.ERROR)]
    if worst:  # a change is told together with what it broke, so it is as bad
        changed = [one._replace(severity=Severity.ERROR) for one in changed]
    passed = sum(one.status is Verdict.PASS for one in result.findings)
    yield from telling((*changed, *result.findings), host, "dns.unknown", f"{passed} passed")


CHECK = Check("dns", "DNS", ask)

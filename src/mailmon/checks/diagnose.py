"""Is there anything new that is wrong with a host? What `mailmon diagnose` says, now and then."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.hosts import telling
from mailmon.checks.targets import Host
from mailmon.model import Fact, Verdict

# The rest of the run is for the mail cycle.
MAX_SHARE = 0.8


def ask(tools: RunContext, host: Host) -> Iterator[Fact]:
    """Look at the host, and tell what fails."""
    from mailmon.diagnose.plan import Request, kinds_for, split_target
    from mailmon.diagnose.run import diagnose

    assert host.options is not None
    name, ports = split_target(host.name)
    request = Request(name, tuple(kinds_for(ports, None)), not ports, host.nameservers)
    left_s = tools.world.deadline.remaining_s() * MAX_SHARE
    found = diagnose(request, host.options._replace(deadline_s=min(host.options.deadline_s, left_s))).findings
    passed = sum(one.status is Verdict.PASS for one in found)
    yield from telling(found, host, "diagnose.unknown", f"{passed} passed")


CHECK = Check("diagnose", "Diagnose", ask)

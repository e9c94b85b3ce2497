"""What do the checks of hosts have in common? They are asked now and then, and only what matters is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailmon.checks.targets import Host
from mailmon.model import Fact, Finding, Note, Severity, Verdict
from mailmon.text import one_line

_MUTED = (Severity.NOTICE, Severity.INFO)


def telling(findings: Iterable[Finding], host: Host, name: str, words: str) -> Iterator[Fact]:
    """Yield what fails and is not skipped; without any, that nothing could be told, where nothing passed either."""
    from mailmon.findings.known import is_meant

    known = [one for one in findings if not is_meant(one.id, host.skip)]
    failed = [one for one in known if one.status is Verdict.FAIL]
    # Said by target and cause, so that a second port with the same fault is news.
    yield from (one._replace(expected=one.expected or one.target, fix=one_line(one.fix)) for one in failed)
    if not any(one.status is Verdict.PASS for one in known) and not failed:
        why = next((one.message for one in known if one.status is Verdict.UNKNOWN), "nothing could be asked")
        yield Finding(name, Verdict.UNKNOWN, host.name, why)
        return
    muted = sum(one.severity in _MUTED for one in failed)
    yield Note(f"OK ({words}{f', {muted} worth knowing' if muted else ''})")

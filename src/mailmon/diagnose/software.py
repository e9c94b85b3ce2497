"""The software of each service, and the fixes that are for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from mailmon.diagnose.session import Session
from mailmon.findings.fixes import with_software
from mailmon.findings.software import identify
from mailmon.model.diagnosis import Service
from mailmon.model.findings import Finding


def recognise(session: Session) -> None:
    """Set the software of a session's service, by all that the server said in any of its connections."""
    lines = (line.text for one in session.dialer.transcripts for line in one.lines if line.who == "server")
    said = chain((session.software_words,), lines)
    session.service.software = identify(session.endpoint.protocol, session.service.banner, said)


def with_own_fixes(found: Iterable[Finding], sessions: Sequence[Session]) -> list[Finding]:
    """Return findings with the fixes for the software of their services.

    A service that does not tell, as one that nobody gets a word from, runs what the others of its protocol at the same
    host run.
    """
    for one in sessions:
        recognise(one)
    services = {one.service.target: (one, one.service) for one in sessions}
    fixed = []
    for finding in found:
        if finding.target in services:
            session, service = services[finding.target]
            software = service.software or _of_others(session, sessions)
            finding = with_software(finding, software, service.protocol)
        fixed.append(finding)
    return fixed


def _of_others(session: Session, sessions: Sequence[Session]) -> str:
    """Return the software of the other services of the protocol at a host, "" where it is not the same."""
    alike: list[Service] = [
        one.service
        for one in sessions
        if (one.endpoint.host, one.endpoint.protocol) == (session.endpoint.host, session.endpoint.protocol)
    ]
    known = {one.software for one in alike if one.software}
    return known.pop() if len(known) == 1 else ""

"""The MX hosts of a domain seen together: senders go on from one that is closed to the next (RFC 5321 section 5.1)."""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.catalogue import Findings
from mailmon.diagnose.session import Session
from mailmon.model.diagnosis import Endpoint
from mailmon.model.facts import Finding, Severity, Verdict

_FINDING = "tcp.unreachable"


def judge_exchange(
    findings: Sequence[Finding], sessions: Sequence[Session], domain: str, *, is_nolisting: bool
) -> list[Finding]:
    """Return all findings with those of MX hosts that are closed judged by whether another host accepts mail.

    `is_nolisting` says that the preferred host is closed on purpose, to be rid of senders that try no second one.
    """
    doors = [one for one in sessions if domain and _is_exchange(one.endpoint)]
    hosts = list(dict.fromkeys(one.endpoint.host for one in doors))
    serving = [host for host in hosts if any(_serves(one) for one in doors if one.endpoint.host == host)]
    kept = list(findings)
    for host in hosts:
        own = [one for one in doors if one.endpoint.host == host]
        if not all(map(_is_closed, own)):
            continue
        targets = {host, *(one.endpoint.target for one in own)}
        kept = [one for one in kept if not (one.id == _FINDING and one.target in targets)]
        is_first = host == hosts[0]
        kept += _closed(host, own[0], serving, is_first=is_first, is_nolisting=is_nolisting and is_first)
    return kept


def _closed(
    host: str, session: Session, serving: Sequence[str], *, is_first: bool, is_nolisting: bool
) -> list[Finding]:
    found = Findings(host)
    port = session.endpoint.port
    if not serving:
        found.fail(_FINDING, f"port {port} of the MX host {host} refuses connections, and no other MX host takes mail")
        return found.all
    others = ", ".join(serving)
    perhaps = " (on purpose? nolisting does so; then give --nolisting)" if is_first else ""
    if is_nolisting:
        said = f"port {port} of the preferred MX host {host} refuses connections, as intended; {others} accepts mail"
        found.fail(_FINDING, said, Severity.NOTICE, fix="none, as long as this is meant")
    else:
        said = f"port {port} of the MX host {host} refuses connections; {others} accepts mail{perhaps}"
        found.fail(_FINDING, said, Severity.WARNING)
    return found.all


def _is_exchange(endpoint: Endpoint) -> bool:
    is_mail = endpoint.protocol == "smtp" and not endpoint.needs_login and not endpoint.is_implicit_tls
    return is_mail and (endpoint.is_asked_for or endpoint.port == 25)


def _serves(session: Session) -> bool:
    """Say whether a host would take mail: it answers, and greets."""
    refused = (one.id.endswith(".greeting_rejected") and one.status is not Verdict.PASS for one in session.found.all)
    return session.is_open and not any(refused)


def _is_closed(session: Session) -> bool:
    """Say whether a connection was refused; silence is no refusal, and nor is a machine without IPv6."""
    return not session.is_open and session.is_refused

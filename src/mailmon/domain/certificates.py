"""TLS and certificates of the MX hosts, where senders insist on them: by MTA-STS (RFC 8461) or DANE (RFC 7672)."""

from __future__ import annotations

from mailmon.diagnose.cross_checks import with_own_fixes
from mailmon.diagnose.session import Session
from mailmon.domain.context import RecordCheck
from mailmon.domain.dane import is_demanded
from mailmon.findings import Findings
from mailmon.model.findings import Finding, Verdict

# Findings that decide whether mail from senders that insist on TLS gets through.
_OF_TLS = (
    *(f"tls.cert_{word}" for word in ("name", "expired", "not_yet_valid", "untrusted", "self_signed", "expiring")),
    "tls.cert_chain_incomplete",
    "tls.handshake_failed",
    "smtp.starttls_missing",
    "smtp.starttls_refused",
    "smtp.ehlo_refused",
)


def run(check: RecordCheck) -> None:
    """Report the TLS of each MX host to which senders deliver by TLS alone."""
    context = check.context
    sessions = context.servers.mx_sessions()
    is_announced = context.sts.is_announced()
    for host in context.hosts:
        if is_announced or is_demanded(context, host):
            check.found.all += [finding for session in sessions.of(host) for finding in _of_tls(session)]


def _of_tls(session: Session) -> list[Finding]:
    """Return what was found about a host's TLS, or that nothing could be."""
    kept = with_own_fixes([one for one in session.found.all if one.id in _OF_TLS], [session])
    if not session.secured and not any(one.status in (Verdict.FAIL, Verdict.UNKNOWN) for one in kept):
        why = (
            "the server ended the conversation before TLS" if session.is_open else "port 25 cannot be reached from here"
        )
        found = Findings(session.endpoint.target)
        found.unknown("tls.handshake_failed", f"its certificate could not be examined: {why}")
        kept += found.all
    return kept

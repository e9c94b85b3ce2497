"""Does the server's certificate last for a while yet? Asked along with each login."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from mailmon.clients.tls import PeerCertificate
from mailmon.model import Certificate, Fact, Finding, Metric, Severity, Verdict

# Below this it is told once more: who put the first warning off has to act now.
URGENT_DAYS = 7.0


class CertificateLimits(NamedTuple):
    """Days before its end at which a certificate is warned of, and at which it counts as failed."""

    warning_days: float = 21.0
    critical_days: float = 3.0


def certificate_facts(
    shown: PeerCertificate | None, limits: CertificateLimits, target: str, now: datetime
) -> Iterator[Fact]:
    """Yield the days that are left, and a finding when they are few. `shown` is None where no chain was verified."""
    if shown is None:
        return
    days = shown.days(now.timestamp())
    yield Metric("certificate_days", round(days, 2))
    finding = _expiring(days, limits, target)
    yield Certificate(shown.name, target, days, finding, is_critical=days < limits.critical_days)
    if finding:
        yield finding


def _expiring(days: float, limits: CertificateLimits, target: str) -> Finding | None:
    warning_days = max(limits)
    if days >= warning_days:
        return None
    wanted = URGENT_DAYS if days < URGENT_DAYS < warning_days else warning_days
    span = f"{int(abs(days))} days" if abs(days) >= 2 else f"{int(abs(days) * 24)} hours"
    # No connection shows one that has expired, for it is refused; a file does.
    finding_id, said, left = "tls.cert_expiring", f"expires in {span}", span
    if days <= 0:
        finding_id, said, left = "tls.cert_expired", f"expired {span} ago", "none"
    return Finding(
        finding_id,
        Verdict.FAIL,
        target,
        f"{target}: the certificate {said}",
        Severity.WARNING,
        expected=f">= {wanted:g} days",
        found=left,
        fix="Renew the certificate and reload the mail server.",
        reference="RFC 8314 section 3",
    )

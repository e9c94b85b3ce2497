"""Expiry of certificates, as each login and each web page shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from mailmon.clients.tls import PeerCertificate
from mailmon.findings import make_finding
from mailmon.mail.lifetime import Lifetime, span
from mailmon.metrics import make_metric
from mailmon.model import Certificate, Fact, Finding, Severity, Verdict

# The most that a certificate may have left and count as failed, in days: with it mail still goes.
MAX_CRITICAL_DAYS = 3.0


class CertificateLimits(NamedTuple):
    """Days before expiry at which a certificate is a warning, and at which it is a failure.

    None: derived from the certificate's lifetime.
    """

    warning_days: float | None = None
    critical_days: float | None = None

    def of(self, lifetime: Lifetime) -> tuple[float, float]:
        """Return both limits for a certificate, in days."""
        critical_days = min(MAX_CRITICAL_DAYS, lifetime.error_days)
        return (
            lifetime.warning_days if self.warning_days is None else self.warning_days,
            critical_days if self.critical_days is None else self.critical_days,
        )


def certificate_facts(
    shown: PeerCertificate | None, limits: CertificateLimits, target: str, now: datetime
) -> Iterator[Fact]:
    """Yield the days that are left, and a finding when they are few. `shown` is None where no chain was verified."""
    if shown is None:
        return
    days = shown.days(now.timestamp())
    yield make_metric("certificate_days", round(days, 2))
    lifetime = Lifetime(shown.lifetime_days)
    warning_days, critical_days = limits.of(lifetime)
    finding = _expiring(days, max(warning_days, critical_days), lifetime, target)
    yield Certificate(shown.name, target, days, finding, is_critical=days < critical_days)
    if finding:
        yield finding


def _expiring(days: float, warning_days: float, lifetime: Lifetime, target: str) -> Finding | None:
    if days >= warning_days:
        return None
    # Below this it is reported once more: whoever postponed the first warning has to act now.
    urgent_days = lifetime.error_days
    wanted = lifetime.wanted(urgent_days if days < urgent_days < warning_days else warning_days)
    left = span(days)
    finding_id, said = "tls.cert_expiring", f"expires in {left}"
    # No connection shows one that has expired, for it is refused; a file does.
    if days <= 0:
        finding_id, said, left = "tls.cert_expired", f"expired {left} ago", "none"
    return make_finding(
        finding_id,
        Verdict.FAIL,
        target,
        f"{target}: the certificate {said}",
        Severity.WARNING,
        expected=wanted,
        found=left,
        fix="Renew the certificate and reload the mail server.",
    )

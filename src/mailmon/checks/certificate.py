"""Does the server's certificate last for a while yet? Asked along with each login."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.model import Fact, Finding, Metric, Severity, Verdict

# Below this it is told once more: who put the first warning off has to act now.
URGENT_DAYS = 7.0


def certificate_facts(days: float | None, warning_days: float, target: str) -> Iterator[Fact]:
    """Yield the days that are left, and a warning when they are few. `days` is None where no chain was verified."""
    if days is None:
        return
    yield Metric("certificate_days", round(days, 2))
    if days < warning_days:
        wanted = URGENT_DAYS if days < URGENT_DAYS < warning_days else warning_days
        left = f"{int(days)} days" if days >= 2 else f"{int(days * 24)} hours"
        yield Finding(
            "tls.cert_expiring",
            Verdict.FAIL,
            target,
            f"{target}: the certificate expires in {left}",
            Severity.WARNING,
            expected=f">= {wanted:g} days",
            found=left,
            fix="Renew the certificate and reload the mail server.",
            reference="RFC 8314 section 3",
        )

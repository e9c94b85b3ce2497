"""SMTP login of an account."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import AccountCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import LoginOptions
from mailmon.checks.targets import Account
from mailmon.model import Fact, Note


def run(context: RunContext, account: Account, options: LoginOptions) -> Iterator[Fact]:
    """Log in; the connection stays open for the probe."""
    client = context.open_smtp(account)
    assert account.smtp is not None
    limits = CertificateLimits(options.certificate_days, options.certificate_critical_days)
    yield from certificate_facts(client.certificate(), limits, account.smtp.target, context.environment.now())
    yield Note("OK" if account.smtp.needs_login else "OK (no login)")


CHECK = AccountCheck(
    name="smtp_auth",
    label="SMTP Auth",
    about="Logs in by SMTP, and checks the certificate.",
    options=LoginOptions,
    run=run,
    server=lambda account: account.target_of("smtp_auth"),
)

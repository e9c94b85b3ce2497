"""Can the account log in by SMTP?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Account
from mailmon.model import Fact, Note


def ask(tools: RunContext, account: Account) -> Iterator[Fact]:
    """Log in; the connection stays open for the probe."""
    client = tools.open_smtp(account)
    assert account.smtp is not None
    limits = tools.world.certificate_limits.get("smtp_auth", CertificateLimits())
    yield from certificate_facts(client.certificate(), limits, account.smtp.target, tools.world.now())
    yield Note("OK" if account.smtp.needs_login else "OK (no login)")


CHECK = Check("smtp_auth", "SMTP Auth", ask, target=lambda account: account.target_of("smtp_auth"))

"""Can the account log in by POP3?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Account
from mailmon.errors import StageError
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict


def ask(tools: RunContext, account: Account) -> Iterator[Fact]:
    """Log in and list the maildrop; where probes are looked for in it, judge what lies there already."""
    assert account.pop3 is not None
    try:
        folder = tools.open_maildrop(account) if account.imap else tools.open_mailbox(account).client
    except StageError as exc:
        if exc.finding_id != "pop3.login_delay":
            raise
        # Somebody else logged in: that says nothing about the server.
        yield Finding(exc.finding_id, Verdict.UNKNOWN, exc.target, exc.message, evidence=exc.said, fix=exc.advice)
        return
    limits = tools.world.certificate_limits.get("pop3_auth", CertificateLimits())
    yield from certificate_facts(folder.certificate(), limits, account.pop3.target, tools.world.now())
    yield Metric("messages", folder.exists)
    if not account.imap and folder.passed_over:
        yield Finding(
            "pop3.not_looked_at", Verdict.FAIL, account.pop3.target, folder.passed_over, Severity.INFO, fix=_FULL
        )
    yield Note("OK")


_FULL = "Give mailmon a mailbox of its own, or delete what is not needed."

CHECK = Check("pop3_auth", "POP3 Auth", ask, target=lambda account: account.target_of("pop3_auth"))

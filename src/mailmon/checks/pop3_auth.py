"""POP3 login of an account."""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import AccountCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import LoginOptions
from mailmon.checks.targets import Account
from mailmon.errors import StageError
from mailmon.findings import make_finding
from mailmon.metrics import make_metric
from mailmon.model import Fact, Note, Verdict


def run(context: RunContext, account: Account, options: LoginOptions) -> Iterator[Fact]:
    """Log in and list the maildrop; where probes arrive in it, judge what earlier runs left there."""
    assert account.pop3 is not None
    try:
        folder = context.open_maildrop(account) if account.imap else context.open_mailbox(account).client
    except StageError as exc:
        if exc.finding_id != "pop3.login_delay":
            raise
        # Another client logged in: that says nothing about the server.
        yield make_finding(exc.finding_id, Verdict.UNKNOWN, exc.target, exc.message, evidence=exc.said, fix=exc.advice)
        return
    limits = CertificateLimits(options.certificate_days, options.certificate_critical_days)
    yield from certificate_facts(folder.certificate(), limits, account.pop3.target, context.environment.now())
    yield make_metric("messages", folder.exists)
    if not account.imap and folder.passed_over:
        yield make_finding("pop3.not_looked_at", Verdict.FAIL, account.pop3.target, folder.passed_over)
    yield Note("OK")


CHECK = AccountCheck(
    name="pop3_auth",
    label="POP3 Auth",
    about="Logs in by POP3, and checks the certificate.",
    options=LoginOptions,
    run=run,
    server=lambda account: account.target_of("pop3_auth"),
)

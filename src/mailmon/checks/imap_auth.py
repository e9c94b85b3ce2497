"""IMAP login of an account, its folder and its quota."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import AccountCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import LoginOptions
from mailmon.checks.targets import Account
from mailmon.findings import make_finding
from mailmon.mail.imapdata import Quota
from mailmon.metrics import make_metric
from mailmon.model import Fact, Note, Verdict
from mailmon.typedjson.declare import About, Between, options


@options
class ImapLoginOptions(LoginOptions):
    """The IMAP login of an account."""

    quota_percent: Annotated[
        Annotated[float, Between(1, 1000)], About("Warn when the mailbox uses this percentage of its quota")
    ] = 90.0


def run(context: RunContext, account: Account, options: ImapLoginOptions) -> Iterator[Fact]:
    """Log in, open the folder, and judge what earlier runs left there."""
    mailbox = context.open_mailbox(account)
    assert account.imap is not None
    limits = CertificateLimits(options.certificate_days, options.certificate_critical_days)
    yield from certificate_facts(mailbox.client.certificate(), limits, account.imap.target, context.environment.now())
    yield make_metric("messages", mailbox.client.exists)
    quota = mailbox.client.quota()
    if quota:
        context.full_percent[account.name] = 100 * quota.used / quota.limit
        yield from _quota(quota, context.full_percent[account.name], options.quota_percent, account.imap.target)
    yield Note("OK")


def _quota(quota: Quota, percent: float, most_percent: float, target: str) -> Iterator[Fact]:
    yield make_metric("quota_percent", round(percent, 1))
    if percent >= most_percent:
        what = "messages" if quota.resource == "MESSAGE" else "storage"
        said = f"{target}: the mailbox uses {int(percent)} % of its {what} quota"
        yield make_finding(
            "imap.quota_high", Verdict.FAIL, target, said,
            expected=f"< {most_percent:g} %", found=f"{int(percent)} %",
        )  # fmt: skip


CHECK = AccountCheck(
    name="imap_auth",
    label="IMAP Auth",
    about="Logs in by IMAP and opens the folder; checks quota and certificate.",
    options=ImapLoginOptions,
    run=run,
    server=lambda account: account.target_of("imap_auth"),
)

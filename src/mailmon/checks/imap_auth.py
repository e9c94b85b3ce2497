"""Can the account log in by IMAP and open its folder?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Account
from mailmon.mail.imapdata import Quota
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict


def ask(tools: RunContext, account: Account) -> Iterator[Fact]:
    """Log in, open the folder, and judge what lies there already."""
    mailbox = tools.open_mailbox(account)
    assert account.imap is not None
    limits = tools.world.certificate_limits.get("imap_auth", CertificateLimits())
    yield from certificate_facts(mailbox.client.certificate(), limits, account.imap.target, tools.world.now())
    yield Metric("messages", mailbox.client.exists)
    quota = mailbox.client.quota()
    if quota:
        tools.full_percent[account.name] = 100 * quota.used / quota.limit
        yield from _quota(quota, tools.full_percent[account.name], tools.world.quota_percent, account.imap.target)
    yield Note("OK")


def _quota(quota: Quota, percent: float, most_percent: float, target: str) -> Iterator[Fact]:
    yield Metric("quota_percent", round(percent, 1))
    if percent >= most_percent:
        what = "messages" if quota.resource == "MESSAGE" else "storage"
        said = f"{target}: the mailbox is full to {int(percent)} % of its quota of {what}"
        yield Finding(
            "imap.quota_high", Verdict.FAIL, target, said, Severity.WARNING,
            expected=f"< {most_percent:g} %", found=f"{int(percent)} %", fix=_FULL, reference="RFC 9208",
        )  # fmt: skip


_FULL = "Delete mail, or raise the quota: a full mailbox takes no more."

CHECK = Check("imap_auth", "IMAP Auth", ask, target=lambda account: account.target_of("imap_auth"))

"""Can the account log in by IMAP and open its folder?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.subjects import Account
from mailmon.checks.tools import Tools
from mailmon.model import Fact, Metric, Note


def ask(tools: Tools, account: Account) -> Iterator[Fact]:
    """Log in, open the folder, and judge what lies there already."""
    mailbox = tools.open_mailbox(account)
    assert account.imap is not None
    limits = tools.world.certificate_limits.get("imap_auth", CertificateLimits())
    yield from certificate_facts(mailbox.client.certificate(), limits, account.imap.target, tools.world.now())
    yield Metric("messages", mailbox.client.exists)
    yield Note("OK")


CHECK = Check("imap_auth", "IMAP Auth", ask, target=lambda account: account.target_of("imap_auth"))

"""Can the account log in by POP3?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.subjects import Account
from mailmon.checks.tools import Tools
from mailmon.model import Fact, Metric, Note


def ask(tools: Tools, account: Account) -> Iterator[Fact]:
    """Log in and list the maildrop; where probes are looked for in it, judge what lies there already."""
    assert account.pop3 is not None
    folder = tools.open_maildrop(account) if account.imap else tools.open_mailbox(account).client
    limits = tools.world.certificate_limits.get("pop3_auth", CertificateLimits())
    yield from certificate_facts(folder.certificate(), limits, account.pop3.target, tools.world.now())
    yield Metric("messages", folder.exists)
    yield Note("OK")


CHECK = Check("pop3_auth", "POP3 Auth", ask, target=lambda account: account.target_of("pop3_auth"))

"""Can the account log in by POP3?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.certificate import certificate_facts
from mailmon.checks.check import Check
from mailmon.checks.subjects import Account
from mailmon.checks.tools import Tools
from mailmon.model import Fact, Metric, Note


def ask(tools: Tools, account: Account) -> Iterator[Fact]:
    """Log in and list the maildrop; where probes are looked for in it, judge what lies there already."""
    assert account.pop3 is not None
    folder = tools.open_maildrop(account) if account.imap else tools.open_mailbox(account).client
    days = folder.certificate_days(tools.world.now().timestamp())
    yield from certificate_facts(days, tools.world.certificate_days.get("pop3_auth", 0.0), account.pop3.target)
    yield Metric("messages", folder.exists)
    yield Note("OK")


CHECK = Check("pop3_auth", "POP3 Auth", ask, target=lambda account: account.target_of("pop3_auth"))

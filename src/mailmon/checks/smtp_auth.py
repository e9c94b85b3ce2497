"""Can the account log in by SMTP?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.check import Check
from mailmon.checks.subjects import Account
from mailmon.checks.tools import Tools
from mailmon.model import Fact, Metric, Note


def ask(tools: Tools, account: Account) -> Iterator[Fact]:
    """Log in; the connection stays open for the probe."""
    client = tools.open_smtp(account)
    days = client.certificate_days(tools.world.now().timestamp())
    if days is not None:
        yield Metric("certificate_days", round(days, 2))
    yield Note("OK")


CHECK = Check("smtp_auth", "SMTP Auth", ask)

"""What are checks asked for? Accounts and routes, with their credentials resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.account import Account

if TYPE_CHECKING:  # the classifier is loaded only where somebody has bounces
    from mailmon.mail.bounce.addressees import NoticeRules
    from mailmon.mail.bounce.evidence import IsSigned

__all__ = ["Account", "NoticeSettings", "Route"]


class Route(NamedTuple):
    """A way that mail must go: from an account, to an address, seen in an account within `timeout_s` seconds.

    A delivery that takes longer than `warning_s` is warned of, one longer than `critical_s` counts as failed.
    """

    name: str
    sender: Account
    recipient: str
    reader: Account
    timeout_s: float = 60.0
    warning_s: float | None = None
    critical_s: float | None = None

    @property
    def target(self) -> str:
        """Return the server at which the probe must be seen."""
        return self.reader.imap.target if self.reader.imap else self.reader.name


class NoticeSettings(NamedTuple):
    """Through which account notices go, from which address, to whom, and how many an hour at most.

    `is_signed` checks signatures of returned messages, None where nobody in their Cc is told.
    """

    account: Account
    sender: str
    rules: NoticeRules
    test_to: tuple[str, ...] = ()
    max_per_hour: int = 50
    is_signed: IsSigned | None = None

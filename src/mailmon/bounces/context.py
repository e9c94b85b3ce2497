"""What the caller of a scan supplies: connections, clock, the ledger of probes, and settings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.account import Account
from mailmon.mail.probe.ledger import Ledger
from mailmon.model.limits import BounceLimits

if TYPE_CHECKING:  # loaded only where an account has bounces
    from mailmon.clients.imap_folder import FolderClient
    from mailmon.clients.smtp import SmtpClient
    from mailmon.mail.auth.dkim import IsSigned
    from mailmon.mail.bounce.notice_recipients import NoticeRules


class NoticeSettings(NamedTuple):
    """Account, sender address, recipients and hourly limit of notices.

    `is_signed` checks signatures of returned messages; None where no Cc address gets notices.
    """

    account: Account
    sender: str
    rules: NoticeRules
    test_to: tuple[str, ...] = ()
    max_per_hour: int = 50
    is_signed: IsSigned | None = None


class BounceContext(NamedTuple):
    """What a scan gets from its caller. The bounce log lies beside `state_file`.

    `open_folders` and `open_sender` connect and log in, and raise StageError; the connections are the scan's to close.
    `key` recognises our own probes.
    """

    now: Callable[[], datetime]
    run_id: str
    state_file: Path
    key: bytes
    ledger: Ledger
    open_folders: Callable[[Account], FolderClient]
    open_sender: Callable[[Account], SmtpClient]
    limits: BounceLimits
    notices: NoticeSettings | None
    nameservers: tuple[tuple[str, int], ...]

"""Removal of the messages that a test left in a mailbox of our own, known by the random tokens in their headers."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from mailmon.checks.targets import Account
from mailmon.clients.deadline import Deadline
from mailmon.clients.imap import ImapClient
from mailmon.clients.logins import Logins
from mailmon.clients.resolver import Resolve
from mailmon.errors import Stage
from mailmon.mail.imapdata import Fetched

LOOK_S = 0.5
MAX_TOKENS = 1000


def remove_left(
    account: Account, field: str, tokens: Sequence[str], deadline: Deadline, resolve: Resolve, wait_s: float = 10.0
) -> int:
    """Delete the messages of an account's folder whose header `field` holds one of `tokens`; return how many.

    Waits up to `wait_s` for them to arrive. Without UIDPLUS messages are only flagged as deleted, and not counted.
    Raises StageError.
    """
    left, until_s = set(tokens[:MAX_TOKENS]), deadline.monotonic() + deadline.bound_s(wait_s)
    count = len(left)
    client = Logins([account], deadline, resolve).imap(account, ImapClient)
    try:
        client.select(account.folder)
        while left and not client.is_read_only:
            client.begin(Stage.CLEANUP)
            found, _ = client.read_again(set(client.find_field(field, 1)), [field])
            ours = [message for message in found if _token_of(message, left)]
            if ours and not client.delete(ours):
                break
            left -= {_token_of(message, left) for message in ours}
            if not left or deadline.monotonic() >= until_s:
                break
            time.sleep(LOOK_S)
            client.noop()
    finally:
        client.close()
    return count - len(left)


def _token_of(message: Fetched, tokens: Collection[str]) -> str:
    """Return the token that a message's field holds if it is one of these, else ""."""
    value = message.text.partition(b":")[2].strip().decode("ascii", "replace")
    return value if value in tokens else ""

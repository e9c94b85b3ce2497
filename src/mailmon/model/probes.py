"""Probes: the messages that mailmon sends, and what became of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Fate(StrEnum):
    """What became of a probe."""

    PLANNED = "planned"
    WAITING = "waiting"
    ARRIVED = "arrived"
    LATE = "late"
    BOUNCED = "bounced"
    LOST = "lost"


class Probe(NamedTuple):
    """A message that we send, known by its token.

    `mailbox` is the account in which it must be seen, `accepted_at` the time of the 250 after DATA, `reply` that 250 in
    the server's words, `detail` why it bounced, or why a server says that it is late, `copies_left` how many copies of
    it are known to lie in the mailbox still, `waited_s` how long it was waited for in vain.
    """

    token: str
    route: str
    sender: str
    recipient: str
    mailbox: str
    planned_at: datetime
    fate: Fate = Fate.PLANNED
    accepted_at: datetime | None = None
    accepted_by: str = ""
    queue_id: str = ""
    settled_at: datetime | None = None
    detail: str = ""
    copies_left: int = 0
    reply: str = ""
    waited_s: float = 0.0

    @property
    def acceptance(self) -> str:
        """Say who took the probe: `accepted by mail.example.org:587 as queue id 4XyZ`, or `...:587: 250 thank you`."""
        reply = f": {self.reply}" if self.reply else ""
        return f"accepted by {self.accepted_by}{f' as queue id {self.queue_id}' if self.queue_id else reply}"

    @property
    def standing(self) -> str:
        """Say who took the probe that has not arrived, and why a server says that it is late."""
        return f"{self.acceptance}; delayed: {self.detail}" if self.detail else self.acceptance

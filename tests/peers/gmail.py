"""Gmail: folders are labels; a message in INBOX is in All Mail too, and stays there when it is deleted.

Only what is moved to the bin is in no other folder, and only there it can be deleted for good.
https://developers.google.com/workspace/gmail/imap/imap-extensions
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mailmon.sandbox import Faults, Message, Sandbox
from mailmon.sandbox.store import Mailbox, Store

ALL_MAIL, TRASH, SPAM = "[Gmail]/All Mail", "[Gmail]/Trash", "[Gmail]/Spam"


class _Label(Mailbox):
    """One label of an account. A message is known by its bytes: all labels show the same ones."""

    def __init__(self, name: str, uid_validity: int, labels: dict[str, Mailbox]) -> None:
        super().__init__(name, uid_validity)
        self._labels = labels

    def append(self, raw: bytes, flags: Iterable[str] = (), received_at: datetime | None = None) -> Message:
        """Add the label; what comes new is in All Mail as well, what is binned or spam is nowhere else."""
        message = super().append(raw, flags, received_at)
        if self.name in (TRASH, SPAM):
            for other in list(self._labels.values()):
                if other is not self:
                    Mailbox.expunge(other, [one.uid for one in other.messages if one.raw == raw])
        elif self.name != ALL_MAIL and not any(one.raw == raw for one in self._labels[ALL_MAIL].messages):
            Mailbox.append(self._labels[ALL_MAIL], raw, flags, received_at)
        return message

    def expunge(self, uids: Iterable[int]) -> None:
        """Take the label away; of All Mail nothing can be taken away."""
        if self.name != ALL_MAIL:
            super().expunge(uids)


class _Labels(Store):
    def mailbox(self, address: str, folder: str = "INBOX") -> Mailbox:
        wanted = "INBOX" if folder.upper() == "INBOX" else folder
        with self._lock:
            labels = self._folders[address.lower()]
            for name in dict.fromkeys((ALL_MAIL, TRASH, SPAM, wanted)):
                if name not in labels:
                    labels[name] = _Label(name, next(self._validities), labels)
            return labels[wanted]


class Gmail(Sandbox):
    """A sandbox with labels that takes tokens."""

    def __init__(self, address: str, token: str) -> None:
        faults = Faults(more_capabilities={"X-GM-EXT-1"})
        super().__init__(faults=faults, users={address: "unused-by-anybody"}, tokens={address: token})
        self.store = _Labels(self.users)
        self._delivery._store = self.store

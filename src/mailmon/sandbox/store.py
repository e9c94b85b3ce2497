"""The mailboxes of the sandbox and their messages."""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

SYSTEM_FLAGS = ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")


@dataclass(eq=False)
class Message:
    """One message of a mailbox; only its flags change, unless a fault shifts UIDs."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Mailbox:
    """One folder of one account; may be used from any thread."""

    def __init__(self, name: str, uid_validity: int) -> None:
        self.name = name
        self.uid_validity = uid_validity
        self.uid_next = 1
        self.first_recent_uid = 1
        self._messages: list[Message] = []
        self._watchers: list[Callable[[], object]] = []
        self._lock = threading.RLock()

    @property
    def messages(self) -> list[Message]:
        """Return the messages as they are now, in the order of their UIDs."""
        with self._lock:
            return list(self._messages)

    def append(self, raw: bytes, flags: Iterable[str] = (), received_at: datetime | None = None) -> Message:
        """Add a message under the next UID and wake the sessions in IDLE."""
        with self._lock:
            message = Message(self.uid_next, raw, set(flags), received_at or datetime.now(UTC))
            self.uid_next += 1
            self._messages.append(message)
        self._notify()
        return message

    def expunge(self, uids: Iterable[int]) -> None:
        """Remove these messages; unknown UIDs are ignored."""
        doomed = set(uids)
        with self._lock:
            self._messages = [message for message in self._messages if message.uid not in doomed]
        self._notify()

    def change_flags(self, message: Message, operation: str, flags: Iterable[str]) -> None:
        """Add ("+"), remove ("-") or replace ("") flags (RFC 3501 section 6.4.6)."""
        with self._lock:
            if operation == "+":
                message.flags |= set(flags)
            elif operation == "-":
                message.flags -= set(flags)
            else:
                message.flags = set(flags)

    def shift_uids(self) -> None:
        """Give each message the UID of the next one, and the last one that of the first: RFC 3501 forbids it."""
        with self._lock:
            uids = [message.uid for message in self._messages]
            for message, uid in zip(self._messages, [*uids[1:], *uids[:1]], strict=True):
                message.uid = uid

    def claim_recent(self, read_only: bool) -> int:
        """Return the first UID that is \\Recent; a session that may write is the only one told so (section 2.3.2)."""
        with self._lock:
            first = self.first_recent_uid
            if not read_only:
                self.first_recent_uid = self.uid_next
            return first

    def watch(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Call the watcher after each change, in the thread that made it; the function returned ends this."""
        with self._lock:
            self._watchers.append(watcher)

        def unwatch() -> None:
            with self._lock:
                self._watchers.remove(watcher)

        return unwatch

    def _notify(self) -> None:
        with self._lock:
            for watcher in self._watchers:
                watcher()


class Store:
    """All mailboxes; an account's folder comes into being when it is first asked for."""

    def __init__(self, addresses: Iterable[str]) -> None:
        # A UIDVALIDITY is never used again, even when a folder is deleted and made anew (RFC 3501 section 2.3.1.1).
        self._validities = itertools.count(int(time.time()))
        self._folders: dict[str, dict[str, Mailbox]] = {address.lower(): {} for address in addresses}
        self._lock = threading.RLock()
        for address in self._folders:
            self.mailbox(address)

    def mailbox(self, address: str, folder: str = "INBOX") -> Mailbox:
        """Return the folder, made if it is missing; KeyError for an unknown address."""
        with self._lock:
            folders = self._folders[address.lower()]
            name = _canonical(folder)
            if name not in folders:
                folders[name] = Mailbox(name, next(self._validities))
            return folders[name]

    def find(self, address: str, folder: str) -> Mailbox | None:
        """Return the folder if it exists."""
        with self._lock:
            return self._folders[address.lower()].get(_canonical(folder))

    def folders(self, address: str) -> list[str]:
        """List the account's folder names, INBOX first."""
        with self._lock:
            return sorted(self._folders[address.lower()], key=lambda name: (name != "INBOX", name))

    def delete(self, address: str, folder: str) -> None:
        """Remove the folder with its messages; KeyError if there is none."""
        with self._lock:
            del self._folders[address.lower()][_canonical(folder)]


def _canonical(folder: str) -> str:
    return "INBOX" if folder.upper() == "INBOX" else folder

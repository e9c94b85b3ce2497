"""The interface of a watched mail folder, over IMAP or POP3."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from mailmon.clients.tls import PeerCertificate
from mailmon.errors import Stage
from mailmon.mail.imapdata import Fetched, Quota


class Folder(Protocol):
    """One open folder; every method raises StageError with the server's words.

    What is found is a hint: some servers ignore what they are asked for.
    """

    uid_next: int
    uid_validity: int
    is_read_only: bool

    @property
    def is_current(self) -> bool:
        """Return whether the last look showed the folder as it was then."""

    @property
    def next_poll_s(self) -> float:
        """Return the monotonic time before which the server allows no poll, 0 for none."""

    @property
    def unread(self) -> int:
        """Return how many messages that came during this run could not be looked at."""

    @property
    def passed_over(self) -> str:
        """Say how many messages were not looked at, and why; "" where there are none."""

    @property
    def exists(self) -> int:
        """Return how many messages there are, as far as the server told."""

    @property
    def can_expunge(self) -> bool:
        """Return whether what is deleted goes away, and is not only flagged."""

    @property
    def poll_interval_s(self) -> float:
        """Return the seconds between two looks that are worth their cost."""

    def noop(self) -> bool:
        """Let the server report changes; return whether it announced messages since the last call."""

    def was_told(self) -> bool:
        """Return whether any response since the last call had the number of messages."""

    def find_field(self, name: str, first_uid: int) -> list[int]:
        """Return the UIDs of messages with a header field, from a UID on."""

    def find_words(self, words: Sequence[str], *, since: datetime | None = None, first_uid: int = 0) -> list[int]:
        """Return the UIDs of messages in which one of some words stands."""

    def headers_from(self, uid: int, fields: Sequence[str]) -> list[Fetched]:
        """Return header fields and arrival time of the messages from a UID on, without marking any as read."""

    def headers_of(self, uids: Collection[int], fields: Sequence[str]) -> list[Fetched]:
        """Return the same of certain messages."""

    def fetch_start(self, uid: int, size_bytes: int) -> bytes:
        """Return the first bytes of a message, without marking it as read."""

    def uids_from(self, uid: int) -> list[int]:
        """Return the UIDs of the messages from a UID on."""

    def reopen(self) -> None:
        """Open the folder anew, as it was opened before: its view may have been frozen."""

    def open_to_delete(self) -> None:
        """Open the folder so that messages can be deleted; `is_read_only` is set where the server does not allow it."""

    def read_again(self, uids: Collection[int], fields: Sequence[str]) -> tuple[list[Fetched], set[int]]:
        """Return header fields of messages that are about to be deleted, and the UIDs of those that are gone."""

    def delete(self, messages: Sequence[Fetched]) -> bool:
        """Delete messages that were just read, by their UIDs; return whether they should be gone now."""

    def left_of(self, uids: Collection[int], uid_next: int, fields: Sequence[str]) -> list[Fetched]:
        """Return what is still there of messages that were deleted, and what is there from a UID on."""

    def quota(self) -> Quota | None:
        """Return the tightest quota that holds for the folder, None if the server reports none."""

    def advice_on(self, folder: str) -> str | None:
        """Say what to use instead of a folder that is not there, None where it is."""

    def begin(self, stage: Stage, timeout_s: float | None = None) -> None:
        """Start a new command with its own deadline."""

    def begin_reading(self) -> None:
        """Allow as much reading as in a look: what follows is wanted for itself."""

    def rest(self) -> None:
        """Release the folder while nothing is asked for a while. Never raises."""

    def now_s(self) -> float:
        """Return the monotonic clock."""

    def certificate(self) -> PeerCertificate | None:
        """Return the server's certificate, None where it was not verified by its chain."""

    def close(self) -> None:
        """End the connection; never raises."""

"""What is in this folder? (RFC 3501, UIDPLUS RFC 4315)"""

from __future__ import annotations

import imaplib
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from mailmon.clients.imap_session import ImapSession
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import MAX_LITERAL_BYTES, Wire
from mailmon.errors import Stage
from mailmon.mail.caps import MAX_FOUND
from mailmon.mail.imapdata import (
    Fetched,
    FetchItem,
    Quota,
    pair_literals,
    quoted,
    read_folder,
    read_message,
    read_number,
    read_quota,
    read_uid,
)
from mailmon.mail.imapdata import since as since_day

MAX_HEADER_BYTES = 65536
# https://developers.google.com/workspace/gmail/imap/imap-extensions
GMAIL = "X-GM-EXT-1"


class ImapClient(ImapSession):
    """One IMAP session on one folder. Every method raises StageError with the server's words."""

    look_interval_s = next_look_s = 0.0
    is_current, unread, passed_over = True, 0, ""

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        super().__init__(wire, contexts)
        self.exists = 0
        self.uid_next = 1
        self.uid_validity = 0
        self.is_read_only = False
        self._folder = ""

    def select(self, folder: str) -> None:
        """Open a folder for reading and deleting; `is_read_only` tells when the server allows only the former."""
        self._wire.begin(Stage.SELECT)

        def select() -> None:
            try:
                self._checked(self._imap.select(quoted(folder)))
            except imaplib.IMAP4.readonly:
                self._checked(self._imap.select(quoted(folder), readonly=True))
                self.is_read_only = True

        self._ask("select_failed", select)
        self._folder = folder
        self._note_selected()

    def _note_selected(self) -> None:
        self.exists = self._untagged_number("EXISTS", 0)
        self.uid_next = self._untagged_number("UIDNEXT", 0) or self._highest_uid() + 1
        self.uid_validity = self._untagged_number("UIDVALIDITY", 0)

    def noop(self) -> bool:
        """Let the server tell what is new; say whether it told of messages since it was last asked."""
        self._ask("command_failed", lambda: self._checked(self._imap.noop()))
        return self.was_told()

    def was_told(self) -> bool:
        """Say whether any answer since the last call told how many messages there are; EXISTS may ride on each.

        Not whether there are more than before: after an EXPUNGE a new message leaves the number as it was.
        """
        told = self._untagged_number("EXISTS", -1)
        self.exists = told if told >= 0 else self.exists
        return told >= 0

    def find_field(self, name: str, first_uid: int) -> list[int]:
        """Return the UIDs of messages with a header field, from a UID on.

        Where nothing more can be done with them than flag them, without those that are flagged as deleted; elsewhere
        with them: a run that was killed may have come no further.
        """
        where = ("UID", f"{first_uid}:*") if first_uid > 1 else ()
        which = () if "UIDPLUS" in self._capabilities else ("UNDELETED",)
        return self.search(*where, *which, "HEADER", name, '""')

    def find_words(self, words: Sequence[str], *, since: datetime | None = None, first_uid: int = 0) -> list[int]:
        """Return the UIDs of messages in which one of some words stands."""
        where = (*(since_day(since) if since else ()), *(("UID", f"{first_uid}:*") if first_uid > 1 else ()))
        any_of_them = [part for word in words[1:] for part in ("OR", "TEXT", word)]
        return self.search(*where, *any_of_them, "TEXT", words[0])

    def search(self, *criteria: str) -> list[int]:
        """Return the UIDs that the server finds. A hint: some servers ignore the criteria."""
        answer = self._ask("command_failed", lambda: self._checked(self._imap.uid("SEARCH", *criteria)))
        words = b" ".join(part for part in answer if isinstance(part, bytes)).split(None, MAX_FOUND)[:MAX_FOUND]
        return [self._read(read_number, word) for word in words if word.isdigit()]

    def headers_from(self, uid: int, fields: Sequence[str]) -> list[Fetched]:
        """Return header fields and arrival time of the messages from a UID on, without marking any as read."""
        return self._headers(f"{uid}:*", fields)

    def headers_of(self, uids: Collection[int], fields: Sequence[str]) -> list[Fetched]:
        """Return the same of certain messages."""
        return self._headers(",".join(map(str, uids)), fields) if uids else []

    def _headers(self, uids: str, fields: Sequence[str]) -> list[Fetched]:
        # Some servers send whole messages although they are asked for fields: no more is kept than fields can be.
        self._imap.keeps_bytes = MAX_HEADER_BYTES
        try:
            return self._fetch(uids, f"(UID INTERNALDATE BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})])")
        finally:
            self._imap.keeps_bytes = MAX_LITERAL_BYTES

    def fetch_start(self, uid: int, size_bytes: int) -> bytes:
        """Return the first bytes of a message, without marking it as read."""
        fetched = self._fetch(str(uid), f"(UID BODY.PEEK[]<0.{size_bytes}>)")
        return fetched[0].text if fetched else b""

    def delete(self, uids: Iterable[int]) -> bool:
        """Delete messages by UID; say whether they are gone.

        Without UIDPLUS they are only flagged: a plain EXPUNGE would take other people's deletions along (RFC 4315
        section 2.1).
        """
        uid_set = ",".join(map(str, uids))
        if GMAIL in self._capabilities and (trash := self._folder_for(rb"\Trash")):
            return self._delete_by_way_of(trash, uid_set)
        return self._delete_here(uid_set)

    def _delete_here(self, uid_set: str) -> bool:
        flags = ("+FLAGS.SILENT", r"(\Deleted)")
        self._ask("command_failed", lambda: self._checked(self._imap.uid("STORE", uid_set, *flags)))
        if "UIDPLUS" not in self._capabilities:
            return False
        self._ask("command_failed", lambda: self._checked(self._imap.uid("EXPUNGE", uid_set)))
        return True

    def _delete_by_way_of(self, trash: str, uid_set: str) -> bool:
        """Delete on Gmail, where a deletion takes but the folder's label away and All Mail keeps the message.

        What is moved to the bin is in no other folder, and there it can be deleted. Where the server does not say what
        it is called there, the bin keeps it until Gmail empties that.
        """
        folder = self._folder
        self._imap.untagged_responses.pop("COPYUID", None)
        move = self._imap._simple_command  # imaplib's uid() does not know MOVE
        self._ask("command_failed", lambda: self._checked(move("UID", "MOVE", uid_set, quoted(trash))))
        copied = [item for item in self._imap.response("COPYUID")[1] if isinstance(item, bytes)]
        there = copied[-1].split()[2:3] if copied else []
        if there and re.fullmatch(rb"[0-9:,]+", there[0]):
            self.select(trash)
            self._wire.begin(Stage.CLEANUP)
            self._delete_here(there[0].decode())
            self.select(folder)
            self._wire.begin(Stage.CLEANUP)
        return True

    def _folder_for(self, use: bytes) -> str | None:
        """Return the folder that has a special use (RFC 6154), None where none is told."""
        listed = self._ask("command_failed", lambda: self._checked(self._imap.list('""', '"*"')))
        names = (read_folder(item, use) for item in listed if isinstance(item, bytes))
        return next((name for name in names if name), None)

    def quota(self) -> Quota | None:
        """Return the tightest quota that holds for the folder (RFC 9208), None where the server tells none."""
        if "QUOTA" not in self._capabilities:
            return None
        self._wire.begin(Stage.SELECT)
        self._imap.untagged_responses.pop("QUOTA", None)
        ask = self._imap._simple_command  # imaplib's getquotaroot() hides a refusal
        self._ask("command_failed", lambda: ask("GETQUOTAROOT", quoted(self._folder)))
        answers = self._imap.response("QUOTA")[1]
        return read_quota(item for item in answers if isinstance(item, bytes))

    def begin_reading(self) -> None:
        """A folder is read as far as is asked for."""

    def rest(self) -> None:
        """An open folder is in nobody's way."""

    def _highest_uid(self) -> int:
        items = self._fetch_items("*", "(UID)") if self.exists else []
        return max((uid for description, _ in items if (uid := self._read(read_uid, description))), default=0)

    def _fetch(self, uids: str, items: str) -> list[Fetched]:
        messages = [self._read(read_message, item) for item in self._fetch_items(uids, items)]
        return [message for message in messages if message]

    def _fetch_items(self, uids: str, items: str) -> list[FetchItem]:
        return pair_literals(self._ask("command_failed", lambda: self._checked(self._imap.uid("FETCH", uids, items))))

"""The IMAP folder in which probes are watched (RFC 3501, UIDPLUS RFC 4315)."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mailmon.clients.imap_session import ImapSession
from mailmon.clients.tls import TlsContexts
from mailmon.clients.wire import MAX_LITERAL_BYTES, Wire
from mailmon.errors import Stage, StageError
from mailmon.mail.caps import MAX_FOUND
from mailmon.mail.imapdata import (
    Fetched,
    FetchItem,
    Quota,
    pair_literals,
    quoted,
    read_message,
    read_number,
    read_quota,
    read_uid,
)
from mailmon.mail.imapdata import since as since_day
from mailmon.text import visible

if TYPE_CHECKING:  # only who has odd names or a missing folder loads it
    from mailmon.mail.folder_names import ListedFolder

# Of a listing that is asked for because a folder is not there: so many are read, and so long it may take.
MAX_FOLDERS, LIST_TIMEOUT_S = 2000, 5.0
# Response codes of refusals that may be over in a moment (RFC 5530 section 3).
_TRANSIENT = ("[UNAVAILABLE]", "[SERVERBUG]", "[INUSE]", "[LIMIT]", "[CONTACTADMIN]")

# So much is kept of the header fields of each message: an answer of some hundred stays within what a command may take.
MAX_HEADER_BYTES = 16384
# https://developers.google.com/workspace/gmail/imap/imap-extensions
GMAIL = "X-GM-EXT-1"


class ImapClient(ImapSession):
    """One IMAP session on one folder. Every method raises StageError with the server's words."""

    poll_interval_s = next_poll_s = 0.0
    is_current, unread, passed_over = True, 0, ""

    def __init__(self, wire: Wire, contexts: TlsContexts) -> None:
        super().__init__(wire, contexts)
        self.exists = 0
        self.uid_next = 1
        self.uid_validity = 0
        self.is_read_only = False
        self._may_ask_to_write = False
        self._folder = ""
        self._fields: Sequence[str] = ()

    def examine(self, folder: str) -> None:
        """Open a folder for reading only, so that nothing in it changes, not even \\Recent (RFC 3501 section 6.3.2)."""
        self._open_folder(folder, lambda: self._checked(self._imap.select(_name(folder), readonly=True)))
        self.is_read_only, self._may_ask_to_write = True, True
        self._folder = folder
        self._note_selected()

    def select(self, folder: str) -> None:
        """Open a folder for reading and deleting; `is_read_only` is set when the server allows only the former."""
        self.is_read_only = self._may_ask_to_write = False

        def select() -> None:
            try:
                self._checked(self._imap.select(_name(folder)))
            except imaplib.IMAP4.readonly:
                self._checked(self._imap.select(_name(folder), readonly=True))
                self.is_read_only = True

        self._open_folder(folder, select)
        self._folder = folder
        self._note_selected()

    def reopen(self) -> None:
        """Open the folder anew, as it was opened before: there are servers that show nothing new until then."""
        (self.examine if self.is_read_only else self.select)(self._folder)

    def open_to_delete(self) -> None:
        """Open the folder for deleting where it was opened for reading only."""
        if not self._may_ask_to_write:
            return
        try:
            self.select(self._folder)
        except StageError as exc:
            if exc.lost or exc.is_silence:
                raise
            self.examine(self._folder)  # without it no folder is open any more
            raise
        self._wire.begin(Stage.CLEANUP)

    def advice_on(self, folder: str) -> str | None:
        """Say what to use instead of a folder that is not there, None where it is."""
        self._wire.begin(Stage.SELECT)
        there = self._list(_name(folder))
        if _is_among(folder, there):
            return None
        self._wire.begin(Stage.SELECT)
        return _advice_on(folder, self._list('"*"'))

    def _open_folder(self, folder: str, command: Callable[[], object]) -> None:
        """Run SELECT or EXAMINE; where it is refused, say of which folder, and which there are."""
        self._wire.begin(Stage.SELECT)
        try:
            self._ask("select_failed", command)
        except StageError as exc:
            if exc.finding_id != "imap.select_failed":
                raise
            said = f'"{visible(folder, 80)}": {exc.said}'
            advice = self._advice_instead_of(folder, exc.said) or exc.advice
            raise self._wire.error("select_failed", said, advice, is_temporary=exc.is_temporary) from exc

    def _advice_instead_of(self, folder: str, said: str) -> str:
        if is_transient(said):
            return ""
        try:
            self._wire.begin(Stage.SELECT, min(LIST_TIMEOUT_S, self._wire.server.timeout_s))
            listed = self._list('"*"')
        except StageError:  # what is told is why the folder was not opened
            return ""
        finally:
            self._wire.begin(Stage.SELECT)
        return "" if _is_among(folder, listed) else _advice_on(folder, listed)

    def _list(self, pattern: str) -> list[ListedFolder]:
        from mailmon.mail.folder_names import read_listed_folder

        answers = self._ask("command_failed", lambda: self._checked(self._imap.list('""', pattern)))
        return [one for answer in answers[:MAX_FOLDERS] if (one := read_listed_folder(answer))]

    def _note_selected(self) -> None:
        self.exists = self._untagged_number("EXISTS", 0)
        self.uid_next = self._untagged_number("UIDNEXT", 0) or self._highest_uid() + 1
        self.uid_validity = self._untagged_number("UIDVALIDITY", 0)

    @property
    def can_expunge(self) -> bool:
        """Return whether our messages alone can be deleted (RFC 4315 section 2.1)."""
        return "UIDPLUS" in self._capabilities or GMAIL in self._capabilities

    def noop(self) -> bool:
        """Let the server report changes; return whether it announced messages since the last call."""
        self._ask("command_failed", lambda: self._checked(self._imap.noop()))
        return self.was_told()

    def was_told(self) -> bool:
        """Return whether any response since the last call had the number of messages; EXISTS may ride on each.

        Not whether there are more than before: after an EXPUNGE a new message leaves the number as it was.
        """
        told = self._untagged_number("EXISTS", -1)
        self.exists = told if told >= 0 else self.exists
        return told >= 0

    def find_field(self, name: str, first_uid: int) -> list[int]:
        """Return the UIDs of messages with a header field, from a UID on, also of those that are flagged as deleted."""
        where = ("UID", f"{first_uid}:*") if first_uid > 1 else ()
        return self.search(*where, "HEADER", name, '""')

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

    def read_again(self, uids: Collection[int], fields: Sequence[str]) -> tuple[list[Fetched], set[int]]:
        """Return header fields of messages that are about to be deleted, and the UIDs of those that are gone."""
        found = [message for message in self.headers_of(sorted(uids), fields) if message.uid in uids]
        return found, set(uids) - {message.uid for message in found}

    def left_of(self, uids: Collection[int], uid_next: int, fields: Sequence[str]) -> list[Fetched]:
        """Return what is still there of messages that were deleted, and what is there from a UID on."""
        return self._headers(",".join([*map(str, uids), f"{uid_next}:*"]), fields)

    def uids_from(self, uid: int) -> list[int]:
        """Return the UIDs of the messages from a UID on."""
        items = self._fetch_items(f"{uid}:*", "(UID)")
        return [one for description, _ in items if (one := self._read(read_uid, description)) and one >= uid]

    def _headers(self, uids: str, fields: Sequence[str]) -> list[Fetched]:
        self._fields = fields
        # Some servers send whole messages although they are asked for fields: no more is kept than fields can be.
        self._imap.keeps_bytes = MAX_HEADER_BYTES
        try:
            return self._fetch(uids, f"(UID FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})])")
        finally:
            self._imap.keeps_bytes = MAX_LITERAL_BYTES

    def fetch_start(self, uid: int, size_bytes: int) -> bytes:
        """Return the first bytes of a message, without marking it as read."""
        fetched = self._fetch(str(uid), f"(UID BODY.PEEK[]<0.{size_bytes}>)")
        return next((message.text[:size_bytes] for message in fetched if message.uid == uid), b"")

    def delete(self, messages: Sequence[Fetched]) -> bool:
        """Delete messages that were just read, by their UIDs; return whether they should be gone now.

        Without UIDPLUS they are only flagged: a plain EXPUNGE would take other people's deletions along (RFC 4315
        section 2.1).
        """
        if GMAIL in self._capabilities and (trash := self._folder_for(rb"\Trash")):
            return self._delete_by_way_of(trash, messages)
        return self._delete_here(messages)

    def _delete_here(self, messages: Sequence[Fetched]) -> bool:
        uid_set = ",".join(str(message.uid) for message in messages)
        flags = ("+FLAGS.SILENT", r"(\Deleted)")
        self._ask("command_failed", lambda: self._checked(self._imap.uid("STORE", uid_set, *flags)))
        if "UIDPLUS" not in self._capabilities:
            return False
        self._ask("command_failed", lambda: self._checked(self._imap.uid("EXPUNGE", uid_set)))
        return True

    def _delete_by_way_of(self, trash: str, messages: Sequence[Fetched]) -> bool:
        """Delete on Gmail, where a deletion takes but the folder's label away and All Mail keeps the message.

        What is moved to the bin is in no other folder, and there it can be deleted. Where the server does not say what
        it is called there, the bin keeps it until Gmail empties that.
        """
        folder, texts = self._folder, {message.text for message in messages}
        uid_set = ",".join(str(message.uid) for message in messages)
        self._imap.untagged_responses.pop("COPYUID", None)
        move = self._imap._simple_command  # imaplib's uid() does not know MOVE
        self._ask("command_failed", lambda: self._checked(move("UID", "MOVE", uid_set, _name(trash))))
        copied = [item for item in self._imap.response("COPYUID")[1] if isinstance(item, bytes)]
        there = copied[-1].split()[2:3] if copied else []
        if there and re.fullmatch(rb"[0-9:,]+", there[0]):
            self.select(trash)
            self._wire.begin(Stage.CLEANUP)
            # Whatever the server says about UIDs: nothing is deleted from the bin that was not moved there.
            ours = [one for one in self._headers(there[0].decode(), self._fields) if one.text in texts]
            if ours:
                self._delete_here(ours)
            self.select(folder)
            self._wire.begin(Stage.CLEANUP)
        return True

    def _folder_for(self, use: bytes) -> str | None:
        """Return the folder that has a special use (RFC 6154), None if the server reports none."""
        return next((one.name for one in self._list('"*"') if use.lower() in one.attributes), None)

    def quota(self) -> Quota | None:
        """Return the tightest quota that holds for the folder (RFC 9208), None if the server reports none."""
        if "QUOTA" not in self._capabilities:
            return None
        self._wire.begin(Stage.SELECT)
        self._imap.untagged_responses.pop("QUOTA", None)
        ask = self._imap._simple_command  # imaplib's getquotaroot() hides a refusal
        self._ask("command_failed", lambda: ask("GETQUOTAROOT", _name(self._folder)))
        answers = self._imap.response("QUOTA")[1]
        return read_quota(item for item in answers if isinstance(item, bytes))

    def begin_reading(self) -> None:
        """A folder is read as far as is asked for."""

    def rest(self) -> None:
        """Do nothing: an open folder blocks no one."""

    def _highest_uid(self) -> int:
        items = self._fetch_items("*", "(UID)") if self.exists else []
        return max((uid for description, _ in items if (uid := self._read(read_uid, description))), default=0)

    def _fetch(self, uids: str, items: str) -> list[Fetched]:
        messages = [self._read(read_message, item) for item in self._fetch_items(uids, items)]
        return [message for message in messages if message]

    def _fetch_items(self, uids: str, items: str) -> list[FetchItem]:
        return pair_literals(self._ask("command_failed", lambda: self._checked(self._imap.uid("FETCH", uids, items))))


def is_transient(said: str) -> bool:
    """Return whether the response code of a refusal says that it may be over in a moment (RFC 5530 section 3)."""
    return any(code in said.upper() for code in _TRANSIENT)


def _name(folder: str) -> str:
    """Return a folder's name as a quoted string, in modified UTF-7."""
    if folder.isascii() and folder.isprintable() and "&" not in folder:
        return quoted(folder)  # as it is; what encodes is loaded only for who needs it
    from mailmon.mail.folder_names import on_wire

    return quoted(on_wire(folder))


def _is_among(folder: str, listed: Iterable[ListedFolder]) -> bool:
    """Return whether a folder is there and can be opened; INBOX in any case (RFC 3501 section 5.1)."""
    from mailmon.mail.folder_names import decode, on_wire

    wanted = decode(on_wire(folder))
    return any(one.can_be_opened and one.name in (wanted, wanted.upper()) for one in listed)


def _advice_on(folder: str, listed: Iterable[ListedFolder]) -> str:
    from mailmon.mail.folder_names import advice_on

    return advice_on(folder, listed)

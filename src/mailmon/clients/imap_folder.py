"""Reading an IMAP folder in batches, and moving messages without losing any.

RFC 3501; MOVE is RFC 6851, COPYUID and UID EXPUNGE are RFC 4315. Nothing here marks a message as read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailmon.clients.imap import ImapClient
from mailmon.errors import MalformedError, Stage, StageError
from mailmon.mail.folder_names import on_wire
from mailmon.mail.imapdata import (
    Fetched,
    FetchItem,
    Listed,
    expand_uids,
    pair_literals,
    quoted,
    read_listed,
    read_message,
    read_uid,
)

_COPYUID = re.compile(rb"\[COPYUID \d+ ([\d:,]+) ([\d:,]+)\]", re.IGNORECASE)
_EXISTS = "ALREADYEXISTS"
_NO_WAY = "Messages cannot be moved here without risk: this server has neither MOVE nor UIDPLUS."
_MAKE_IT = "Create the folder, or set create_folders. The messages stay where they are until then."
_STAY = "The messages stay where they are."
_SORT_ELSEWHERE = (
    "Remove processed, skipped and problem from the account's bounces, or let a rule of the server sort them. "
    "The messages stay where they are."
)


class FolderClient(ImapClient):
    """One IMAP session that reads whole folders. Every method raises StageError with the server's words.

    A command's answer is bounded by the wire (8 MiB), so callers ask for ranges: 1000 sizes, 3 MiB of messages.
    """

    def first_after(self, uid: int) -> int:
        """Return the number of the first message with a higher UID, `exists` + 1 where there is none.

        UIDs ascend with the numbers (RFC 3501 section 2.3.1.1): searched from the end, where what is new lies.
        """
        low, high, step = 0, self.exists + 1, 1
        while uid and high - low > 1:
            middle = max(high - step, low + 1) if low == 0 else (low + high) // 2
            if self._uid_of(middle) > uid:
                high, step = middle, step * 2
            else:
                low = middle
        return high if uid else 1

    def sizes(self, first: int, last: int) -> list[Listed]:
        """Return UID and size of the messages with these numbers."""
        listed = (self._read(read_listed, item) for item in self._by_number(f"{first}:{last}", "(UID RFC822.SIZE)"))
        return [one for one in listed if one]

    def messages(self, first: int, last: int, size_bytes: int) -> list[Fetched]:
        """Return the first `size_bytes` of the messages with these numbers."""
        items = self._by_number(f"{first}:{last}", f"(UID INTERNALDATE BODY.PEEK[]<0.{size_bytes}>)")
        return [one for item in items if (one := self._read(read_message, item))]

    def message(self, uid: int, size_bytes: int) -> Fetched | None:
        """Return the first `size_bytes` of one message, None where the server gives none."""
        self._wire.begin(Stage.SELECT)
        given = self._fetch(str(uid), f"(UID INTERNALDATE BODY.PEEK[]<0.{size_bytes}>)")
        return next((one for one in given if one.uid == uid), None)

    def with_message_id(self, message_id: str) -> list[int]:
        """Return the UIDs of the messages that the server finds to have this Message-ID; a hint, as every search."""
        self._wire.begin(Stage.SELECT)
        return self.search("HEADER", "Message-ID", quoted(message_id))

    def which_exist(self, uids: Sequence[int]) -> set[int]:
        """Return those of some UIDs that are in the folder."""
        self._wire.begin(Stage.SELECT)
        items = self._fetch_items(",".join(map(str, uids)), "(UID)")
        return {uid for description, _ in items if (uid := self._read(read_uid, description))} & set(uids)

    def make_folder(self, folder: str) -> None:
        """Create a folder where it is missing, and subscribe to it, so that mail programs show it."""
        self._wire.begin(Stage.SELECT)
        listed = self._ask("command_failed", lambda: self._checked(self._imap.list('""', quoted(on_wire(folder)))))
        if any(listed):
            return
        try:
            self._ask("create_failed", lambda: self._checked(self._imap.create(quoted(on_wire(folder)))))
        except StageError as exc:
            if _EXISTS not in exc.said.upper():
                raise
        self._imap.subscribe(quoted(on_wire(folder)))

    def move(self, uids: Sequence[int], folder: str) -> None:
        """Move messages of the selected folder; when that fails they are still in it, and not flagged as deleted.

        By MOVE where it is offered. Else by COPY: only what the server says to have copied, by COPYUID, is deleted, and
        by its UID (RFC 4315 section 2.1: a plain EXPUNGE would take other people's deletions along).
        """
        self._wire.begin(Stage.CLEANUP)
        uid_set = ",".join(map(str, uids))
        if "MOVE" in self._capabilities:
            self._into(folder, "MOVE", uid_set)
            left = self.which_exist(uids)
            if left:
                raise self._wire.error("move_failed", f"{len(left)} of {len(uids)} messages were not moved", _STAY)
            return
        if "UIDPLUS" not in self._capabilities:
            raise self._wire.error("move_failed", _NO_WAY, _SORT_ELSEWHERE)
        answer = self._into(folder, "COPY", uid_set)
        self._must_be_copied(uids, answer)
        self._delete_copied(uid_set)

    def _into(self, folder: str, command: str, uid_set: str) -> bytes:
        """Run UID MOVE or UID COPY; return the answer's words and response codes."""
        self._imap.untagged_responses.clear()
        try:
            data = self._ask(
                "move_failed", lambda: self._checked(self._command(command, uid_set, quoted(on_wire(folder))))
            )
        except StageError as exc:
            if "TRYCREATE" in exc.said.upper() or "NONEXISTENT" in exc.said.upper():
                said = f"{folder}: there is no such folder"
                raise self._wire.error("move_failed", said, _MAKE_IT) from exc
            raise
        return b" ".join(part for part in data if isinstance(part, bytes))

    def _command(self, command: str, uid_set: str, folder: str) -> tuple[str, list[bytes | None]]:
        # imaplib's uid() knows COPY but not MOVE, and gives the answer's code only for this way.
        typ, data = self._imap._simple_command("UID", command, uid_set, folder)
        return typ, data

    def _must_be_copied(self, uids: Sequence[int], answer: bytes) -> None:
        """Raise unless COPYUID says that just the messages which are there were copied, each once."""
        match = _COPYUID.search(answer)
        if not match:
            raise self._wire.error("move_failed", "the server does not say what it has copied (no COPYUID)", _STAY)
        there = self.which_exist(uids)
        try:
            sources, copies = expand_uids(match[1], len(uids)), expand_uids(match[2], len(uids))
        except MalformedError as exc:
            raise self._wire.error("move_failed", exc.message, _STAY) from exc
        if not there <= set(sources) <= set(uids) or len(set(sources)) != len(set(copies)):
            said = f"the server copied {len(sources)} of {len(there)} messages into {len(copies)}"
            raise self._wire.error("move_failed", said, _STAY)

    def _delete_copied(self, uid_set: str) -> None:
        self._wire.begin(Stage.CLEANUP)
        try:
            self._ask("move_failed", lambda: self._checked(self._store("+FLAGS.SILENT", uid_set)))
            self._ask("move_failed", lambda: self._checked(self._imap.uid("EXPUNGE", uid_set)))
        except StageError as exc:
            if not exc.lost and not exc.is_silence:
                self._store("-FLAGS.SILENT", uid_set)
            raise

    def _store(self, change: str, uid_set: str) -> tuple[str, list[bytes | None]]:
        return self._imap.uid("STORE", uid_set, change, r"(\Deleted)")

    def _uid_of(self, number: int) -> int:
        uids = (self._read(read_uid, description) for description, _ in self._by_number(str(number), "(UID)"))
        return next((uid for uid in uids if uid), 0)

    def _by_number(self, numbers: str, items: str) -> list[FetchItem]:
        self._wire.begin(Stage.SELECT)
        return pair_literals(self._ask("command_failed", lambda: self._checked(self._imap.fetch(numbers, items))))

"""Scan of one folder with bounces: each message is read once, recorded, and only then moved where that is configured.

Nothing is marked as read. A batch of messages and the position behind it are one transaction (store/bouncelog), so a
scan that is killed anywhere loses none and doubles none.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mailmon.bounces.notices import Sent
from mailmon.bounces.proof import Evidence
from mailmon.clients.account import Account, BounceFolder
from mailmon.clients.imap_folder import FolderClient
from mailmon.errors import StageError, place_of
from mailmon.mail.bounce import Classification, Kind, Original, classify
from mailmon.mail.bounce.original import read_original
from mailmon.mail.bounce.values import Form
from mailmon.mail.imapdata import Fetched, Listed, fits_size, is_near_size
from mailmon.mail.message.header import Headers, read_head, read_headers
from mailmon.mail.message.read import MAX_BYTES
from mailmon.mail.probe.ledger import Ledger
from mailmon.mail.probe.probe import is_signed
from mailmon.mail.probe.returned import read_report, returns_probe
from mailmon.store.bouncelog.log import BounceLog
from mailmon.store.bouncelog.writing import Folder, Outcome, Run, SeenMessage

WINDOW = 500
BATCH_MESSAGES, BATCH_BYTES = 200, 3 * 1024 * 1024
HEAD_BYTES = 65536
# Reading takes a few milliseconds, bounded by the limits on foreign text; messages that take longer are set aside.
MAX_MESSAGE_CPU_S = 1.0
# Reconnects per scan after the connection broke while a message was read.
MAX_REOPENED = 3
MOVE_BATCH = 200
# A refused batch is tried one by one: after so many refusals the cause is not a single message.
MAX_REFUSED = 3
_READ_ONLY = (
    "Give the account the right to delete in this folder (ACL rights t and e), or remove processed, skipped and "
    "problem from its bounces. The messages stay where they are."
)
# Headers of a returned message that are compared with copies in the folder of sent mail, and how many copies at most.
SENT_FIELDS = ("Message-ID", "Subject", "Cc", "To")
MAX_COPIES = 5
_STAYS = "left where it is"
_NOTHING = Classification(Kind.OTHER, Form.NONE)
_NAMES = {Kind.BOUNCE: "bounce", Kind.DELAYED: "delay warning", Kind.FEEDBACK: "complaint", Kind.OTHER: "other"}


@dataclass(slots=True)
class Scanned:
    """Result of a scan. `unread` messages are left for the next one, `own` were our probes and their bounces."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    own: int = 0
    problems: list[str] = field(default_factory=list)
    unread: int = 0
    moved: int = 0
    # Why messages were not moved, each with its advice.
    obstacles: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    notices: Sent = field(default_factory=Sent)

    @property
    def new(self) -> int:
        """Return how many messages are new to the bounce log."""
        return sum(self.kinds.values())

    def words(self) -> str:
        """Return a summary, for example `3 new: 2 bounces, 1 other; 1 moved`."""
        counted = [f"{count} {_plural(_NAMES[kind], count)}" for kind in _NAMES if (count := self.kinds[kind])]
        parts = [f"{self.new} new: {', '.join(counted)}" if counted else "nothing new"]
        parts += [f"{self.moved} moved"] if self.moved else []
        parts += [f"{self.own} of our own probes left out"] if self.own else []
        parts += [f"{self.notices.taken} notices sent"] if self.notices.taken else []
        parts += [f"{self.unread} left for the next run"] if self.unread else []
        return "; ".join(parts)


class ScanContext(NamedTuple):
    """What a scan needs beside the mailbox: bounce log, run, recognition of our own probes, and whom to notify."""

    log: BounceLog
    run: Run
    key: bytes
    ledger: Ledger
    is_over: Callable[[], bool]
    notify: Callable[[Classification, bytes], tuple[str, ...]] = lambda _found, _raw: ()
    evidence: Evidence | None = None


class Understood(NamedTuple):
    """A message to record, and who gets a notice."""

    message: SeenMessage
    readers: tuple[str, ...] = ()
    raw: bytes = b""


class BounceScan:
    """One scan of one folder. `connect` opens a session and logs in; it is called again when a connection breaks."""

    def __init__(
        self, account: Account, place: BounceFolder, connect: Callable[[], FolderClient], context: ScanContext
    ) -> None:
        self._place = place
        self._connect = connect
        self._context = context
        self._reopened = 0
        self._shifts = 0
        self.done = Scanned()
        self.client = connect()
        try:
            self._open()
        except BaseException:
            self.close()
            raise
        self.folder = Folder(account.name, place.name, self.client.uid_validity)

    def read(self) -> None:
        """Read what is new, batch by batch. Raises StageError, StateError; what was recorded stays recorded."""
        position = self._context.log.position(self.folder.account, self.folder.name)
        last_uid = position.last_uid if position and position.uidvalidity == self.folder.uidvalidity else 0
        if not self.client.exists or self.client.uid_next == last_uid + 1:
            return
        number = self.client.first_after(last_uid)
        while number <= self.client.exists:
            if self._context.is_over():
                self.done.unread = self.client.exists - number + 1
                return
            end = min(number + WINDOW - 1, self.client.exists)
            listed = [one for one in self.client.sizes(number, end) if one.uid > last_uid]
            shifts = self._shifts
            for batch in batches(listed):
                last_uid = self._take_in(batch)
                if self._shifts != shifts or self._context.is_over():
                    break
            is_whole = self._shifts == shifts and (not listed or last_uid == listed[-1].uid)
            number = end + 1 if is_whole else self.client.first_after(last_uid)

    def close(self) -> None:
        """End the connection; never raises."""
        self.client.close()

    def _open(self) -> None:
        (self.client.select if self._place.targets else self.client.examine)(self._place.name)

    def _take_in(self, batch: Sequence[Listed]) -> int:
        """Understand and record a batch, or as much of it as there is time for; return the last UID.

        What cannot be read is recorded as a problem and reported.
        """
        context = self._context
        read: list[Understood] = []
        last_uid = batch[-1].uid
        for listed, message, problem in self._fetch(batch):
            understood = self._read_one(listed, message) if message else self._set_aside(listed, problem)
            if understood:
                read.append(understood)
            if context.is_over():
                last_uid = listed.uid
                break
        seen, readers = [one.message for one in read], {one.message.uid: one.readers for one in read}
        recorded = context.log.record(self.folder, last_uid, seen, context.run, readers)
        for one, known in zip(read, recorded, strict=True):
            if context.evidence and known.is_new and one.raw and not one.message.evidence:
                context.evidence.doubt(known.id, one.raw, one.message.classification)
        new = [one for one, known in zip(seen, recorded, strict=True) if known.is_new]
        self.done.kinds.update(one.classification.kind for one in new)
        self.done.problems += [f"UID {one.uid}: {one.problem}" for one in new if one.problem]
        return last_uid

    def _fetch(self, batch: Sequence[Listed]) -> Iterator[tuple[Listed, Fetched | None, str]]:
        """Yield each message, or why the server does not return it; skip messages that are gone."""
        try:
            given = _unmistakable(self.client.messages(batch[0].number, batch[-1].number, MAX_BYTES))
        except StageError as exc:
            self._recover(exc)
            given = {}
        texts: set[bytes] = set()
        for listed in batch:
            message = given.get(listed.uid)
            # A repeated text may be that of another message: fetch such messages alone.
            if message and fits_size(message.text, listed.size_bytes, MAX_BYTES) and message.text not in texts:
                texts.add(message.text)
                yield listed, message._replace(text=message.text[:MAX_BYTES]), ""
                continue
            if message is None:
                # The answer may report deletions (RFC 3501 section 7.4.1): message numbers are not those listed.
                self._shifts += 1
            yield from self._fetch_alone(listed)

    def _fetch_alone(self, listed: Listed) -> Iterator[tuple[Listed, Fetched | None, str]]:
        try:
            message = self.client.message(listed.uid, MAX_BYTES)
            is_there = message is not None or listed.uid in self.client.which_exist([listed.uid])
            problem = "the server does not return it"
        except StageError as exc:
            self._recover(exc)
            message, is_there, problem = None, True, exc.message
        if message and not is_near_size(message.text, listed.size_bytes, MAX_BYTES):
            problem = f"the server returns {len(message.text)} bytes of it, but its size is {listed.size_bytes}"
            message = None
        if is_there:
            yield listed, message._replace(text=message.text[:MAX_BYTES]) if message else None, problem

    def _recover(self, why: StageError) -> None:
        """Reconnect after an error that one message may have caused; raise it otherwise."""
        if why.ours or self._context.is_over():
            raise why
        if not why.lost and not why.is_silence and why.finding_id == "imap.command_failed":
            return
        if self._reopened >= MAX_REOPENED:
            raise why
        self._reopened += 1
        self._shifts += 1
        self.client.close()
        self.client = self._connect()
        self._open()
        if self.client.uid_validity != self.folder.uidvalidity:
            raise why

    def _read_one(self, listed: Listed, message: Fetched) -> Understood | None:
        """Classify a message and find who gets a notice; None for a probe of ours or its bounce."""
        begun_s = time.thread_time()
        problem = evidence = ""
        readers: tuple[str, ...] = ()
        found: Classification | None = _NOTHING
        try:
            found = self._understand(message)
            readers = self._context.notify(found, message.text) if found else ()
            evidence = self._context.evidence.at_once(found, message.text) if found and self._context.evidence else ""
        except Exception as exc:  # one bad message must not block the others
            problem = f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
        took_s = time.thread_time() - begun_s
        if took_s > MAX_MESSAGE_CPU_S:
            problem = problem or f"reading it took {took_s:.1f} s of CPU time"
        if problem:
            found, readers, evidence = _NOTHING, (), ""
        if found is None:
            self.done.own += 1
            return None
        outcome = Outcome.SKIPPED if found.kind is Kind.OTHER else Outcome.PROCESSED
        seen = SeenMessage(
            listed.uid,
            _message_id(message.text),
            digest_of(message.text, listed.size_bytes),
            message.received_at or self._context.run.at,
            found,
            Outcome.PROBLEM if problem else outcome,
            problem,
            evidence=evidence,
        )
        # A message that is longer than what is read of it cannot be verified.
        is_whole = not problem and listed.size_bytes < MAX_BYTES
        return Understood(seen, readers, message.text if is_whole else b"")

    def _understand(self, message: Fetched) -> Classification | None:
        """Classify a message; None for a probe of ours or its bounce."""
        raw = message.text
        return None if is_signed(_head(raw), self._context.key) or self._is_own_bounce(raw, message) else classify(raw)

    def _is_own_bounce(self, raw: bytes, message: Fetched) -> bool:
        """Return whether a message is about a probe of ours; record a returned probe in the ledger."""
        ledger = self._context.ledger
        report = read_report(raw, self._context.key, ledger.recipient_of)
        known = [token for token in report.tokens if ledger.probe(token)] if report else []
        for token in known:
            if report and report.has_failed:
                ledger.bounce(token, at=message.received_at or self._context.run.at, reason=report.reason)
            elif report:
                ledger.delay(token, reason=report.reason)
        return bool(known) or returns_probe(raw, self._context.key)

    def _set_aside(self, listed: Listed, problem: str) -> Understood:
        """Return the record of an unreadable message, identified by its number and size.

        It is never moved, because its content is unknown.
        """
        digest = hashlib.sha256(f"{self.folder.uidvalidity} {listed.uid} {listed.size_bytes}".encode()).digest()
        return Understood(
            SeenMessage(
                listed.uid,
                "",
                digest,
                self._context.run.at,
                _NOTHING,
                Outcome.PROBLEM,
                f"{problem}; {_STAYS}",
                stays=True,
            )
        )


class BounceSort:
    """Moves messages that are recorded and still in their folder, those of earlier runs included."""

    def __init__(
        self, client: FolderClient, place: BounceFolder, folder: Folder, log: BounceLog, is_over: Callable[[], bool]
    ) -> None:
        self._client = client
        self._place = place
        self._folder = folder
        self._log = log
        self._is_over = is_over
        self.moved = 0
        self.obstacles: dict[str, str] = {}

    def sort(self) -> None:
        """Move all messages that have a target folder. Raises StageError if the connection is lost, and StateError."""
        for word, target in self._place.targets.items():
            if self._client.is_read_only:
                self.obstacles = {"the server opens this folder read-only": _READ_ONLY}
                return
            self._sort_one(Outcome(word), target)

    def _sort_one(self, outcome: Outcome, target: str) -> None:
        left: set[int] = set()
        while not self._is_over():
            pending = self._log.pending(self._folder, (outcome,), MOVE_BATCH + len(left))
            uids = [one.uid for one in pending if one.uid not in left]
            if not uids:
                return
            there = self._client.which_exist(uids)
            self._log.release(self._folder, [uid for uid in uids if uid not in there])
            stayed = self._move([uid for uid in uids if uid in there], target)
            left |= set(stayed)
            if len(stayed) >= MAX_REFUSED:
                return

    def _move(self, uids: Sequence[int], target: str) -> Sequence[int]:
        """Move messages; return those that could not be moved, with the reason in `obstacles`."""
        if not uids or self._try(uids, target):
            return ()
        stayed: list[int] = []
        for number, uid in enumerate(uids if len(uids) > 1 else ()):
            if len(stayed) >= MAX_REFUSED:
                return [*stayed, *uids[number:]]
            if not self._try([uid], target):
                stayed.append(uid)
        return stayed if len(uids) > 1 else uids

    def _try(self, uids: Sequence[int], target: str) -> bool:
        try:
            if self._place.may_create:
                self._client.make_folder(target)
            self._client.move(uids, target)
        except StageError as exc:
            if exc.lost or exc.is_silence:
                raise
            self.obstacles.setdefault(exc.message, exc.advice)
            return False
        self._log.release(self._folder, uids)
        self.moved += len(uids)
        return True


class SentFolder:
    """Finds messages in the folder of sent mail, over a connection of its own that is opened when first needed."""

    def __init__(self, folder: str, connect: Callable[[], FolderClient]) -> None:
        self._folder = folder
        self._connect = connect
        self._client: FolderClient | None = None
        self.trouble = ""

    def holds(self, returned: Original, *, with_to: bool = False) -> bool:
        """Return whether a message with this Message-ID, Subject and Cc is there: a forger may know the ID.

        With `with_to` it must have the same To as well.

        A folder that cannot be read proves nothing; `trouble` then has the reason, and it is not tried again.
        """
        if self.trouble or not (returned.message_id.isascii() and returned.message_id.isprintable()):
            return False
        try:
            self._client = self._client or self._open()
            uids = self._client.with_message_id(returned.message_id)[-MAX_COPIES:]
            copies = self._client.headers_of(uids, SENT_FIELDS)
        except StageError as exc:
            self.trouble = f"{self._folder}: sent mail cannot be read: {exc.message}"
            return False
        found = (read_original(_headers(copy.text), {}, "") for copy in copies)
        return any(_key(one) == _key(returned) and (one.to == returned.to or not with_to) for one in found)

    def close(self) -> None:
        """End the connection, if there is one; never raises."""
        if self._client:
            self._client.close()

    def _open(self) -> FolderClient:
        client = self._connect()
        try:
            client.examine(self._folder)
        except BaseException:
            client.close()
            raise
        return client


def _unmistakable(given: Sequence[Fetched]) -> dict[int, Fetched]:
    """Return messages by their UID, without UIDs that were returned twice."""
    counted = Counter(one.uid for one in given)
    return {one.uid: one for one in given if counted[one.uid] == 1}


def _message_id(raw: bytes) -> str:
    return next(iter(_head(raw).get("message-id", ())), "")


def _head(raw: bytes) -> dict[str, list[str]]:
    return read_headers(raw[:HEAD_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0])


def _plural(word: str, count: int) -> str:
    return word if count == 1 or word == "other" else f"{word}s"


def batches(listed: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    """Split messages into batches of bounded number and size; each has at least one message."""
    begin, size_bytes = 0, 0
    for number, one in enumerate(listed):
        own_bytes = min(one.size_bytes, MAX_BYTES)
        if number > begin and (number - begin >= BATCH_MESSAGES or size_bytes + own_bytes > BATCH_BYTES):
            yield listed[begin:number]
            begin, size_bytes = number, 0
        size_bytes += own_bytes
    if begin < len(listed):
        yield listed[begin:]


def digest_of(raw: bytes, size_bytes: int) -> bytes:
    """Return the SHA-256 of a message; beyond 1 MiB that of the first MiB and the size."""
    digest = hashlib.sha256(raw)
    if size_bytes > MAX_BYTES:
        digest.update(b"%d" % size_bytes)
    return digest.digest()


def _headers(raw: bytes) -> Headers:
    return read_head(raw.decode("latin-1").replace("\r\n", "\n") + "\n\n", 0)[0]


def _key(original: Original) -> tuple[str, str, tuple[str, ...]]:
    return original.message_id, original.subject, original.cc

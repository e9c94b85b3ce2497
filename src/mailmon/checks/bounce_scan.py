"""What is new in a folder with bounces? Each message is read once, recorded, and only then moved where that is wanted.

Nothing is marked as read. A batch of messages and the position behind it are one transaction (store/history), so a scan
that is killed anywhere loses none and doubles none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from mailmon.checks.bounce_notices import Sent
from mailmon.clients.account import Account, BounceFolder
from mailmon.clients.imap_folder import FolderClient
from mailmon.errors import StageError, place_of
from mailmon.mail.bounce import Classification, Kind, classify
from mailmon.mail.bounce.message import MAX_BYTES
from mailmon.mail.bounce.values import Form
from mailmon.mail.dsn import read_report, returns_probe
from mailmon.mail.imapdata import Fetched, Listed
from mailmon.mail.ledger import Ledger
from mailmon.mail.probe import is_signed, read_headers
from mailmon.store.history.bounces import Folder, Outcome, Run, SeenMessage
from mailmon.store.history.history import History

WINDOW = 500
BATCH_MESSAGES, BATCH_BYTES = 200, 3 * 1024 * 1024
HEAD_BYTES = 65536
# So often a connection is opened again that broke when a message was read.
MAX_REOPENED = 3

_NOTHING = Classification(Kind.OTHER, Form.NONE)
_NAMES = {Kind.BOUNCE: "bounce", Kind.DELAYED: "delay warning", Kind.FEEDBACK: "complaint", Kind.OTHER: "other"}


@dataclass(slots=True)
class Scanned:
    """What a scan did. `unread` messages are left for the next one, `own` were probes of ours and their bounces."""

    kinds: Counter[Kind] = field(default_factory=Counter)
    own: int = 0
    problems: list[str] = field(default_factory=list)
    unread: int = 0
    moved: int = 0
    obstacles: list[str] = field(default_factory=list)
    warnings: tuple[str, ...] = ()
    notices: Sent = field(default_factory=Sent)

    @property
    def new(self) -> int:
        """Return how many messages the history did not know."""
        return sum(self.kinds.values())

    def words(self) -> str:
        """Say it in a few words, for example `3 new: 2 bounces, 1 other; 1 moved`."""
        counted = [f"{count} {_plural(_NAMES[kind], count)}" for kind in _NAMES if (count := self.kinds[kind])]
        said = [f"{self.new} new: {', '.join(counted)}" if counted else "nothing new"]
        said += [f"{self.moved} moved"] if self.moved else []
        said += [f"{self.own} of our own probes left out"] if self.own else []
        said += [f"{self.notices.taken} notices sent"] if self.notices.taken else []
        said += [f"{self.unread} left for the next run"] if self.unread else []
        return "; ".join(said)


class Desk(NamedTuple):
    """What a scan needs beside the mailbox: the history, this run, what tells our own probes, and whom to notify."""

    history: History
    run: Run
    key: bytes
    ledger: Ledger
    is_over: Callable[[], bool]
    notify: Callable[[Classification, bytes], tuple[str, ...]] = lambda _found, _raw: ()


class BounceScan:
    """One scan of one folder. `connect` opens a session and logs in; it is called again when a connection breaks."""

    def __init__(self, account: Account, place: BounceFolder, connect: Callable[[], FolderClient], desk: Desk) -> None:
        self._place = place
        self._connect = connect
        self._desk = desk
        self._reopened = 0
        self._shifts = 0
        self.done = Scanned()
        self.client = connect()
        self._open()
        self.folder = Folder(account.name, place.name, self.client.uid_validity)

    def read(self) -> None:
        """Read what is new, batch by batch. Raises StageError, StateError; what was recorded stays recorded."""
        position = self._desk.history.position(self.folder.account, self.folder.name)
        last_uid = position.last_uid if position and position.uidvalidity == self.folder.uidvalidity else 0
        if not self.client.exists or self.client.uid_next == last_uid + 1:
            return
        number = self.client.first_after(last_uid)
        while number <= self.client.exists:
            if self._desk.is_over():
                self.done.unread = self.client.exists - number + 1
                return
            end = min(number + WINDOW - 1, self.client.exists)
            listed = [one for one in self.client.sizes(number, end) if one.uid > last_uid]
            shifts = self._shifts
            for batch in batches(listed):
                self._take_in(batch)
                last_uid = batch[-1].uid
                if self._shifts != shifts or self._desk.is_over():
                    break
            is_whole = self._shifts == shifts and (not listed or last_uid == listed[-1].uid)
            number = end + 1 if is_whole else self.client.first_after(last_uid)

    def close(self) -> None:
        """End the connection; never raises."""
        self.client.close()

    def _open(self) -> None:
        (self.client.select if self._place.targets else self.client.examine)(self._place.name)

    def _take_in(self, batch: Sequence[Listed]) -> None:
        """Understand and record a batch; what cannot be read is recorded as a problem and reported."""
        desk, seen = self._desk, []
        readers: dict[int, tuple[str, ...]] = {}
        for listed, message, problem in self._fetch(batch):
            understood = self._understand(listed, message) if message else self._set_aside(listed, problem)
            seen += [understood] if understood else []
            if understood and message:
                readers[listed.uid] = desk.notify(understood.classification, message.text)
        recorded = desk.history.record(self.folder, batch[-1].uid, seen, desk.run, readers)
        new = [one for one, known in zip(seen, recorded, strict=True) if known.is_new]
        self.done.kinds.update(one.classification.kind for one in new)
        self.done.problems += [f"UID {one.uid}: {one.problem}" for one in new if one.problem]

    def _fetch(self, batch: Sequence[Listed]) -> Iterator[tuple[Listed, Fetched | None, str]]:
        """Yield what the server gives of each message, or why it does not; what is gone meanwhile is left out."""
        try:
            given = {one.uid: one for one in self.client.messages(batch[0].number, batch[-1].number, MAX_BYTES)}
        except StageError as exc:
            self._recover(exc)
            given = {}
        for listed in batch:
            if listed.uid in given:
                yield listed, given[listed.uid], ""
                continue
            # The answer may tell of deletions (RFC 3501 section 7.4.1): message numbers are no longer those listed.
            self._shifts += 1
            try:
                message = self.client.message(listed.uid, MAX_BYTES)
                is_there = message is not None or listed.uid in self.client.which_exist([listed.uid])
                problem = "the server does not give it out"
            except StageError as exc:
                self._recover(exc)
                message, is_there, problem = None, True, exc.message
            if is_there:
                yield listed, message, problem

    def _recover(self, why: StageError) -> None:
        """Go on after an error that may be a single message's; raise it when it is more than that."""
        if why.ours or self._desk.is_over():
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

    def _understand(self, listed: Listed, message: Fetched) -> SeenMessage | None:
        """Return what a message says, None where it is a probe of ours or the bounce of one."""
        raw = message.text
        fields = read_headers(raw[:HEAD_BYTES].replace(b"\r\n", b"\n").partition(b"\n\n")[0])
        if is_signed(fields, self._desk.key) or self._is_own_bounce(raw, message):
            self.done.own += 1
            return None
        problem = ""
        try:
            found = classify(raw)
        except Exception as exc:  # one message that trips us up must not keep the others from being read
            found, problem = _NOTHING, f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
        outcome = Outcome.SKIPPED if found.kind is Kind.OTHER else Outcome.PROCESSED
        return SeenMessage(
            listed.uid,
            next(iter(fields.get("message-id", ())), ""),
            digest_of(raw, listed.size_bytes),
            message.received_at or self._desk.run.at,
            found,
            Outcome.PROBLEM if problem else outcome,
            problem,
        )

    def _is_own_bounce(self, raw: bytes, message: Fetched) -> bool:
        """Say whether this is about a probe of ours; that a probe came back is noted in the ledger."""
        ledger = self._desk.ledger
        report = read_report(raw, self._desk.key, ledger.recipient_of)
        known = [token for token in report.tokens if ledger.probe(token)] if report else []
        for token in known:
            if report and report.has_failed:
                ledger.bounce(token, at=message.received_at or self._desk.run.at, reason=report.reason)
            elif report:
                ledger.delay(token, reason=report.reason)
        return bool(known) or returns_probe(raw, self._desk.key)

    def _set_aside(self, listed: Listed, problem: str) -> SeenMessage:
        """Return the record of a message that nobody could read: known by its number and size."""
        digest = hashlib.sha256(f"{self.folder.uidvalidity} {listed.uid} {listed.size_bytes}".encode()).digest()
        return SeenMessage(listed.uid, "", digest, self._desk.run.at, _NOTHING, Outcome.PROBLEM, problem)


def _plural(word: str, count: int) -> str:
    return word if count == 1 or word == "other" else f"{word}s"


def batches(listed: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    """Part messages into batches of bounded number and size, as they are fetched; each has one message at least."""
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
    """Return what a message is known by: the SHA-256 of its bytes, of the first MiB and the size where it has more."""
    digest = hashlib.sha256(raw)
    if size_bytes > MAX_BYTES:
        digest.update(b"%d" % size_bytes)
    return digest.digest()

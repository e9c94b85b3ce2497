"""What of ours is in this mailbox, since when, and can it be taken away again?

One mailbox is shared by all routes that are seen in it: each new message is judged once, by its fetched headers.
What the server finds by SEARCH is only a hint, and EXISTS may ride on any answer; so the wait depends on neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from mailmon.clients.imap import Fetched, ImapClient
from mailmon.errors import Stage, StageError
from mailmon.mail.dsn import MAX_BYTES, read_report
from mailmon.mail.ledger import Arrival, Ledger
from mailmon.mail.probe import MARK_FIELDS, TOKEN_HEADER, Marks, read_marks

SEARCH_INTERVAL_S = 2.0
# A folder larger than this is searched for leftovers of the last week only: SEARCH HEADER may read every message.
LARGE_FOLDER = 10_000
SWEEP_DAYS = 7
MAX_CANDIDATES = 500
MAX_LATE_BOUNCES = 10

_T = TypeVar("_T")


class Cleaned(NamedTuple):
    """What a cleanup did: how many messages are gone, how many had to stay, and why."""

    removed: int = 0
    left: int = 0
    obstacle: str = ""


class WatchedMailbox:
    """The folder of one account during one run. Safe for several threads."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], ImapClient],
        ledger: Ledger,
        key: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self._name = name
        self._connect = connect
        self._ledger = ledger
        self._key = key
        self._now = now
        self._lock = threading.Lock()
        self._client = connect()
        self._was_reopened = False
        self._must_fetch = False
        self._first_uid = self._next_uid = self._client.uid_next
        self._unseen_s = self._searched_s = self._client.now_s()
        self._judged: set[int] = set()
        self._ours: dict[int, Marks] = {}
        self._bounces: set[int] = set()

    @property
    def client(self) -> ImapClient:
        """Return the connection."""
        return self._client

    def sweep(self) -> None:
        """Judge what earlier runs left here, and bounces that came since."""
        with self._lock:
            self._reliably(self._sweep)

    def look(self, token: str, *, thoroughly: bool = False) -> None:
        """Judge what is new, and now and then search for `token`; every sighting goes to the ledger."""
        with self._lock:
            self._reliably(lambda: self._look(token, thoroughly))

    def clean(self) -> Cleaned:
        """Delete every message that carries our signature and that no route waits for; look once more for copies."""
        with self._lock:
            return self._reliably(self._clean)

    def close(self) -> None:
        """End the connection; never raises."""
        self._client.close()

    def _sweep(self) -> None:
        self._client.begin(Stage.SELECT)
        since: tuple[str, ...] = ()
        if self._client.exists > LARGE_FOLDER:
            # SINCE disregards time and zone (RFC 3501 section 6.4.4): a day more than needed.
            day = self._now() - timedelta(days=SWEEP_DAYS + 1)
            since = ("SINCE", f"{day.day}-{day:%b-%Y}")
        uids = self._client.search(*since, "HEADER", TOKEN_HEADER, '""') if self._client.exists else []
        for token in self._ledger.outstanding()[:MAX_LATE_BOUNCES]:
            self._client.begin(Stage.SELECT)
            uids += self._client.search(*since, "TEXT", token)
        self._judge_candidates(uids)
        self._unseen_s = self._client.now_s()

    def _look(self, token: str, thoroughly: bool) -> None:
        client = self._client
        client.begin(Stage.ARRIVAL)
        asked_s = client.now_s()
        has_grown = client.noop() or self._must_fetch
        told_s, told = client.now_s(), client.exists
        for _ in range(3):
            if not has_grown:
                break
            has_grown = self._fetch_new(told, told_s)
        self._must_fetch = has_grown
        if token and (thoroughly or client.now_s() - self._searched_s >= SEARCH_INTERVAL_S):
            self._search(token)
        self._unseen_s = asked_s

    def _fetch_new(self, told: int, told_s: float) -> bool:
        """Judge the messages from the next UID on; say whether the folder has grown meanwhile."""
        fetched = self._client.fetch_headers(f"{self._next_uid}:*", MARK_FIELDS)
        # What EXISTS had told of was visible then; what came after it is first seen now.
        now_s = self._client.now_s()
        for message in fetched:
            self._judge(message, told_s if message.number <= told else now_s)
        self._next_uid = max([self._next_uid, *(message.uid + 1 for message in fetched)])
        return self._client.has_grown()

    def _search(self, token: str) -> None:
        self._client.begin(Stage.ARRIVAL)
        uids = self._client.search("UID", f"{self._first_uid}:*", "TEXT", token)
        self._must_fetch = self._must_fetch or self._client.has_grown()
        self._judge_candidates(uids)
        self._searched_s = self._client.now_s()

    def _judge_candidates(self, uids: list[int]) -> None:
        fresh = sorted(set(uids) - self._judged)[-MAX_CANDIDATES:]
        if fresh:
            for message in self._client.fetch_headers(",".join(map(str, fresh)), MARK_FIELDS):
                self._judge(message, self._client.now_s())

    def _judge(self, message: Fetched, seen_s: float) -> None:
        if message.uid in self._judged:
            return
        self._judged.add(message.uid)
        marks = read_marks(message.text, self._key)
        at = message.received_at or self._now()
        if marks.token:
            if marks.is_signed:
                self._ours[message.uid] = marks
            self._ledger.sight(marks.token, mailbox=self._name, at=at, arrival=Arrival(seen_s, self._unseen_s))
        elif marks.may_be_report:
            self._read_report(message.uid, at)

    def _read_report(self, uid: int, at: datetime) -> None:
        report = read_report(self._client.fetch_start(uid, MAX_BYTES), self._key)
        if report is None or not report.has_failed:
            return
        for token in report.tokens:
            self._ledger.bounce(token, at=at, reason=report.reason)
        if report.may_be_deleted:
            self._bounces.add(uid)

    def _clean(self) -> Cleaned:
        removed = 0
        while doomed := self._doomed():
            if self._client.is_read_only:
                return Cleaned(removed, len(doomed), "the server opens this folder read-only")
            try:
                are_gone = self._delete(doomed)
            except StageError as exc:
                if exc.finding_id != "imap.command_failed":
                    raise
                return Cleaned(removed, len(doomed), f"the server answered {exc.said}")
            if not are_gone:
                return Cleaned(removed, len(doomed), "without UIDPLUS they are only flagged as deleted")
            removed += len(doomed)
            self._look("", thoroughly=False)
        return Cleaned(removed)

    def _doomed(self) -> list[int]:
        ours = [uid for uid, marks in self._ours.items() if not self._ledger.is_awaited(marks.token or "")]
        return sorted([*ours, *self._bounces])

    def _delete(self, uids: list[int]) -> bool:
        self._client.begin(Stage.CLEANUP)
        are_gone = self._client.delete(uids)
        if are_gone:
            self._ledger.removed([self._ours[uid].token or "" for uid in uids if uid in self._ours])
            for uid in uids:
                self._ours.pop(uid, None)
                self._bounces.discard(uid)
        return are_gone

    def _reliably(self, work: Callable[[], _T]) -> _T:
        """Do some work; when the connection breaks, open it once more in this run and do it again."""
        try:
            return work()
        except StageError as exc:
            if not exc.lost or self._was_reopened:
                raise
            self._reopen(exc)
        return work()

    def _reopen(self, why: StageError) -> None:
        self._was_reopened = True
        self._client.close()
        before = self._client.uid_validity
        try:
            self._client = self._connect()
        except StageError as again:
            said = f"{why.said}; opened again: {again.stage}: {again.said}"
            raise StageError(why.finding_id, why.stage, why.target, said, why.advice, lost=True) from again
        if self._client.uid_validity != before:
            self._judged.clear()
            self._ours.clear()
            self._bounces.clear()
            self._first_uid = self._next_uid = 1
        self._must_fetch = True

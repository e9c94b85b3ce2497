"""What of ours is in this mailbox, since when, and can it be taken away again?

One mailbox is shared by all routes that are seen in it: each new message is judged once, by its fetched headers.
What the server finds by SEARCH is only a hint, and EXISTS may ride on any answer; so the wait depends on neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from mailmon.clients.imap import ImapClient
from mailmon.errors import Stage, StageError
from mailmon.mail.dsn import MAX_BYTES, read_report
from mailmon.mail.imapdata import Fetched, since
from mailmon.mail.ledger import Arrival, Ledger
from mailmon.mail.probe import MARK_FIELDS, TOKEN_HEADER, Marks, read_marks

SEARCH_INTERVAL_S = 2.0
# Each search for leftovers may take so long; looking for them must not be taken for a login that fails.
SWEEP_TIMEOUT_S = 5.0
# A folder larger than this is searched for leftovers of the last week only: SEARCH HEADER may read every message.
LARGE_FOLDER = 10_000
SWEEP_DAYS = 7
MAX_CANDIDATES = 500
MAX_LATE_BOUNCES = 5
MAX_PROBE_BYTES = 2 * 1024 * 1024
# A server that delivers twice does so within milliseconds; a copy that comes later is found by the next run.
COPY_GRACE_S = 0.02

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
        *,
        deletes_only_own: bool = False,
    ) -> None:
        self._name = name
        self._connect = connect
        self._ledger = ledger
        self._key = key
        self._now = now
        self._deletes_only_own = deletes_only_own
        self._lock = threading.Lock()
        self._client = connect()
        self._was_reopened = False
        self._must_fetch = False
        self._first_uid = self._next_uid = self._client.uid_next
        self._unseen_s = self._searched_s = self._client.now_s()
        self._judged: set[int] = set()
        self._ours: dict[int, Marks] = {}
        self._bounces: dict[int, tuple[str, ...]] = {}
        self.sweep_error = ""

    @property
    def client(self) -> ImapClient:
        """Return the connection."""
        return self._client

    def sweep(self) -> None:
        """Judge what earlier runs left here, and bounces that came since.

        A server that cannot say keeps nobody from logging in: `sweep_error` tells it, and the connection is opened
        again where the answer is still outstanding. Raises StageError when that fails.
        """
        with self._lock:
            try:
                self._sweep()
            except StageError as exc:
                self.sweep_error = exc.message
                if exc.finding_id != "imap.command_failed":
                    self._reopen(exc)
            else:
                self._ledger.give_up(self._now(), self._name)

    def look(self, token: str, *, thoroughly: bool = False) -> None:
        """Judge what is new, and now and then search for `token`; every sighting goes to the ledger."""
        with self._lock:
            self._reliably(lambda: self._look(token, thoroughly))

    def has(self, token: str) -> bool:
        """Say whether a probe with our signature lies here."""
        return any(marks.token == token for marks in self._ours.values())

    def read(self, token: str) -> bytes:
        """Return a probe that lies here, up to MAX_PROBE_BYTES; nothing where it is gone."""
        with self._lock:
            uids = [uid for uid, marks in self._ours.items() if marks.token == token]
            return self._reliably(lambda: self._client.fetch_start(uids[0], MAX_PROBE_BYTES)) if uids else b""

    def clean(self, sleep: Callable[[float], None]) -> Cleaned:
        """Delete every message that carries our signature and that no route waits for; look once more for copies."""
        with self._lock:
            cleaned = self._reliably(self._clean)
            if not cleaned.removed:
                return cleaned
            sleep(COPY_GRACE_S)
            self._reliably(lambda: self._look("", thoroughly=False))
            again = self._reliably(self._clean)
        return again._replace(removed=cleaned.removed + again.removed)

    def close(self) -> None:
        """End the connection; never raises."""
        self._client.close()

    def _sweep(self) -> None:
        if not self._client.exists:
            return
        self._client.begin(Stage.SELECT, SWEEP_TIMEOUT_S)
        recent = since(self._now() - timedelta(days=SWEEP_DAYS)) if self._client.exists > LARGE_FOLDER else ()
        uids = self._client.search(*recent, "HEADER", TOKEN_HEADER, '""')
        oldest_at, tokens = self._ledger.oldest_outstanding(), self._ledger.outstanding()[:MAX_LATE_BOUNCES]
        if oldest_at and tokens:
            self._client.begin(Stage.SELECT, SWEEP_TIMEOUT_S)
            any_of_them = [word for token in tokens[1:] for word in ("OR", "TEXT", token)]
            uids += self._client.search(*since(oldest_at), *any_of_them, "TEXT", tokens[0])
        self._judge_candidates(uids, self._unseen_s)
        self._unseen_s = self._client.now_s()

    def _look(self, token: str, thoroughly: bool) -> None:
        client = self._client
        client.begin(Stage.ARRIVAL)
        asked_s = client.now_s()
        was_told = client.noop() or self._must_fetch
        told_s, told = client.now_s(), client.exists
        for _ in range(3):
            if not was_told:
                break
            was_told = self._fetch_new(told, told_s)
        self._must_fetch = was_told
        if token and (thoroughly or client.now_s() - self._searched_s >= SEARCH_INTERVAL_S):
            self._search(token)
        self._unseen_s = asked_s

    def _fetch_new(self, told: int, told_s: float) -> bool:
        """Judge the messages from the next UID on; say whether the server told of more meanwhile."""
        fetched = self._client.fetch_headers(f"{self._next_uid}:*", MARK_FIELDS)
        # What EXISTS had told of was visible then; what came after it is first seen now.
        now_s = self._client.now_s()
        for message in fetched:
            self._judge(message, Arrival(told_s if message.number <= told else now_s, self._unseen_s))
        self._next_uid = max([self._next_uid, *(message.uid + 1 for message in fetched)])
        return self._client.was_told()

    def _search(self, token: str) -> None:
        """Search for what the server did not tell of; such a message may be there since the last search."""
        self._client.begin(Stage.ARRIVAL)
        before_s, asked_s = self._searched_s, self._client.now_s()
        uids = self._client.search("UID", f"{self._first_uid}:*", "TEXT", token)
        self._must_fetch = self._client.was_told() or self._must_fetch
        self._judge_candidates(uids, before_s)
        self._searched_s = asked_s

    def _judge_candidates(self, uids: list[int], unseen_s: float) -> None:
        fresh = sorted(set(uids) - self._judged)[-MAX_CANDIDATES:]
        if fresh:
            for message in self._client.fetch_headers(",".join(map(str, fresh)), MARK_FIELDS):
                self._judge(message, Arrival(self._client.now_s(), unseen_s))

    def _judge(self, message: Fetched, arrival: Arrival) -> None:
        if message.uid in self._judged:
            return
        self._judged.add(message.uid)
        marks = read_marks(message.text, self._key)
        at = message.received_at or self._now()
        if marks.token:
            if marks.is_signed:
                self._ours[message.uid] = marks
                self._ledger.learn(marks.signers)
            self._ledger.sight(marks.token, mailbox=self._name, at=at, arrival=arrival, is_signed=marks.is_signed)
        elif marks.may_be_report:
            self._read_report(message.uid, at)

    def _read_report(self, uid: int, at: datetime) -> None:
        report = read_report(self._client.fetch_start(uid, MAX_BYTES), self._key)
        if report is None or not report.has_failed:
            return
        for token in report.tokens:
            self._ledger.bounce(token, at=at, reason=report.reason)
        if report.may_be_deleted:
            self._bounces[uid] = report.tokens

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
        return Cleaned(removed)

    def _doomed(self) -> list[int]:
        ours = [uid for uid, marks in self._ours.items() if self._may_go((marks.token or "",))]
        return sorted([*ours, *(uid for uid, tokens in self._bounces.items() if self._may_go(tokens))])

    def _may_go(self, tokens: Iterable[str]) -> bool:
        """Nobody waits for it; and a dry run, which remembers nothing, leaves what earlier runs must still judge."""
        return all(
            not (self._ledger.is_awaited(token) or self._ledger.is_reserved(token))
            and (self._ledger.is_own(token) or not self._deletes_only_own)
            for token in tokens
        )

    def _delete(self, uids: list[int]) -> bool:
        self._client.begin(Stage.CLEANUP)
        are_gone = self._client.delete(uids)
        if are_gone:
            self._ledger.removed([self._ours[uid].token or "" for uid in uids if uid in self._ours])
            for uid in uids:
                self._ours.pop(uid, None)
                self._bounces.pop(uid, None)
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
            more = {"lost": True, "ours": again.ours, "is_silence": again.is_silence}
            raise StageError(why.finding_id, why.stage, why.target, said, why.advice, **more) from again
        self._must_fetch = True
        if not before or self._client.uid_validity != before:
            # All messages have new numbers: what was known of the old ones could now mean other people's mail.
            for known in (self._judged, self._ours, self._bounces):
                known.clear()
            self._ledger.forget_sightings(self._name)
            self._first_uid = self._next_uid = 1 if self._client.exists <= MAX_CANDIDATES else self._client.uid_next

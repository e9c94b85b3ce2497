"""What of ours is in this mailbox, since when, and can it be taken away again?

One mailbox is shared by all routes that are seen in it. What the server finds by searching is only a hint, and EXISTS
may ride on any answer; so the wait depends on neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar

from mailmon.checks.contents import Contents
from mailmon.clients.folder import Folder
from mailmon.errors import Stage, StageError
from mailmon.mail.ledger import Arrival, Ledger
from mailmon.mail.probe import MARK_FIELDS, TOKEN_HEADER

SEARCH_INTERVAL_S = 2.0
# Each search for leftovers may take so long; looking for them must not be taken for a login that fails.
SWEEP_TIMEOUT_S = 5.0
# Only so many of the newest messages are searched for leftovers: SEARCH HEADER may read every message.
MAX_SWEPT = 1000
MAX_CANDIDATES, MAX_AT_ONCE = 500, 100
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
        connect: Callable[[], Folder],
        ledger: Ledger,
        key: bytes,
        now: Callable[[], datetime],
        *,
        deletes_only_own: bool = False,
    ) -> None:
        self._name = name
        self._connect = connect
        self._ledger = ledger
        self._now = now
        self._contents = Contents(name, ledger, key, now, deletes_only_own=deletes_only_own)
        self._lock = threading.Lock()
        self._client = connect()
        self._was_reopened = False
        self._must_fetch = False
        self._first_uid = self._next_uid = self._client.uid_next
        self._unseen_s = self._searched_s = self._looked_s = self._client.now_s()
        self.sweep_error = ""

    @property
    def client(self) -> Folder:
        """Return the connection."""
        return self._client

    @property
    def next_look_s(self) -> float:
        """Return the monotonic time before which the server lets nobody look again, 0 where it sets none."""
        return self._client.next_look_s

    def was_looked_through(self, since_s: float) -> bool:
        """Say whether all that came in this run was looked at, in a look that began at a monotonic time or later."""
        return self._looked_s >= since_s and not self._client.unread

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
                if not _is_refusal(exc):
                    self._reopen(exc)
            else:
                self._ledger.give_up(self._now(), self._name)
            # Where the next login must wait, this session is the one in which what is ours can be deleted.
            if not (self._client.next_look_s and self._contents.has_ours):
                self._client.rest()

    def look(self, token: str, *, thoroughly: bool = False) -> None:
        """Judge what is new, and now and then search for `token`; every sighting goes to the ledger.

        A session that shows it stays open: the cleanup that follows need not log in again.
        """
        with self._lock:
            now_s = self._client.now_s()
            if now_s < self._client.next_look_s:
                return
            if not thoroughly and now_s < self._unseen_s + self._client.look_interval_s:
                return
            self._reliably(lambda: self._look(token, thoroughly))
            if not (self._contents.related_to(token) or (thoroughly and self._contents.has_ours)):
                self._client.rest()

    def has(self, token: str) -> bool:
        """Say whether a probe with our signature lies here."""
        return bool(self._contents.uids_of(token))

    def read(self, token: str) -> bytes:
        """Return a probe that lies here, up to MAX_PROBE_BYTES; nothing where it is gone."""
        with self._lock:
            uids = self._contents.uids_of(token)
            self._client.begin_reading()
            raw = self._reliably(lambda: self._client.fetch_start(uids[0], MAX_PROBE_BYTES)) if uids else b""
            return raw if token.encode() in raw else b""

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
        client = self._client
        if not client.exists:
            return
        client.begin(Stage.SELECT, SWEEP_TIMEOUT_S)
        first_uid = max(client.uid_next - MAX_SWEPT, 1) if client.exists > MAX_SWEPT else 1
        uids = client.find_field(TOKEN_HEADER, first_uid)
        oldest_at, tokens = self._ledger.oldest_outstanding(), self._ledger.outstanding()[:MAX_LATE_BOUNCES]
        if oldest_at and tokens:
            client.begin(Stage.SELECT, SWEEP_TIMEOUT_S)
            uids += client.find_words(tokens, since=oldest_at, first_uid=first_uid)
        judged = self._contents.judged
        self._judge_candidates(judged.candidates(uids, uids, MAX_CANDIDATES), self._unseen_s, Stage.SELECT)
        self._unseen_s = client.now_s()

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
        if client.is_current:
            self._unseen_s = self._looked_s = asked_s

    def _fetch_new(self, told: int, told_s: float) -> bool:
        """Judge the messages from the next UID on; say whether the server told of more meanwhile."""
        fetched = self._client.headers_from(self._next_uid, MARK_FIELDS)
        # What EXISTS had told of was visible then; what came after it is first seen now.
        now_s = self._client.now_s()
        for message in fetched:
            seen_s = told_s if message.number <= told else now_s
            self._contents.judge(message, Arrival(seen_s, self._unseen_s), self._client.fetch_start)
        self._next_uid = max([self._next_uid, *(message.uid + 1 for message in fetched)])
        return self._client.was_told()

    def _search(self, token: str) -> None:
        """Search for what the server did not tell of; such a message may be there since the last search."""
        self._client.begin(Stage.ARRIVAL)
        before_s, asked_s = self._searched_s, self._client.now_s()
        uids = self._client.find_words([token], first_uid=self._first_uid)
        self._must_fetch = self._client.was_told() or self._must_fetch
        worth = self._contents.judged.candidates(uids, self._contents.related_to(token), MAX_CANDIDATES)
        self._judge_candidates(worth, before_s, Stage.ARRIVAL)
        self._searched_s = asked_s

    def _judge_candidates(self, uids: list[int], unseen_s: float, stage: Stage) -> None:
        for start in range(0, len(uids), MAX_AT_ONCE):
            self._client.begin(stage, SWEEP_TIMEOUT_S if stage is Stage.SELECT else None)
            for message in self._client.headers_of(uids[start : start + MAX_AT_ONCE], MARK_FIELDS):
                arrival = Arrival(self._client.now_s(), unseen_s)
                self._contents.judge(message, arrival, self._client.fetch_start)

    def _clean(self) -> Cleaned:
        removed = 0
        while doomed := self._contents.doomed():
            if self._client.is_read_only:
                return Cleaned(removed, len(doomed), "the server opens this folder read-only")
            if self._contents.judged.uids_shift:
                return Cleaned(removed, len(doomed), "the server's UIDs change their meaning")
            try:
                self._client.begin(Stage.CLEANUP)
                are_gone = self._client.delete(doomed)
            except StageError as exc:
                if not _is_refusal(exc):
                    raise
                return Cleaned(removed, len(doomed), f"the server answered {exc.said}")
            if not are_gone:
                return Cleaned(removed, len(doomed), "without UIDPLUS they are only flagged as deleted")
            self._contents.removed(doomed)
            removed += len(doomed)
        return Cleaned(removed)

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
            # All messages have new numbers.
            self._contents.clear()
            self._first_uid = self._next_uid = 1 if self._client.exists <= MAX_CANDIDATES else self._client.uid_next


def _is_refusal(exc: StageError) -> bool:
    """Say whether the server refused one command, so that the connection can still be used."""
    return exc.finding_id.endswith((".command_failed", ".login_delay"))

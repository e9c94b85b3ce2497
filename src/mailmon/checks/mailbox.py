"""What of ours is in this mailbox, since when, and can it be taken away again?

One mailbox is shared by all routes that are seen in it. What the server finds by searching is only a hint, and EXISTS
may ride on any answer; so the wait depends on neither.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple, TypeVar

from mailmon.checks.contents import Contents
from mailmon.clients.folder import Folder
from mailmon.errors import Stage, StageError
from mailmon.mail.imapdata import Fetched
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
# So often at most messages are deleted in one run, MAX_AT_ONCE each time.
MAX_DELETIONS = 8

_T = TypeVar("_T")


class Cleaned(NamedTuple):
    """What a cleanup did: how many messages are gone, how many had to stay, and why.

    `altered` have our signature, but are not what was signed: they are left alone.
    """

    removed: int = 0
    left: int = 0
    obstacle: str = ""
    altered: int = 0


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
        self._told = self._client.exists
        self._opened_s = self._unseen_s = self._searched_s = self._looked_s = self._client.now_s()
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
                if not is_refusal(exc):
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

    def look_afresh(self, token: str) -> None:
        """Open the folder again and look: there are servers that show nothing new until then.

        Where every look is a session of its own (POP3) there is nothing to open, and no login to spend on it.
        """
        with self._lock:
            if self._client.look_interval_s:
                return
            self._reliably(lambda: self._look_afresh(token))
            self._client.rest()

    def try_to_look(self, token: str, *, thoroughly: bool = False, afresh: bool = False) -> StageError | None:
        """Look; return why the server did not let us. Raises StageError when the connection is gone."""
        try:
            if afresh:
                self.look_afresh(token)
            else:
                self.look(token, thoroughly=thoroughly)
        except StageError as exc:
            if not is_refusal(exc):
                raise
            return exc
        return None

    def advice_on(self, folder: str) -> str | None:
        """Say what to use instead of a folder of the same account that is not there, None where it is."""
        with self._lock:
            return self._client.advice_on(folder)

    def take_problems(self) -> list[str]:
        """Return which messages were not read, and why, if that was not told yet."""
        with self._lock:
            return self._contents.take_problems()

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
            self._reliably(self._read_suspects)
            return self._reliably(lambda: self._clean(sleep))

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
        self._read_suspects(named=uids)
        self._unseen_s = client.now_s()

    def _look(self, token: str, thoroughly: bool) -> None:
        client = self._client
        client.begin(Stage.ARRIVAL)
        asked_s = client.now_s()
        self._take_in(client.noop())
        # One message a look: the next look, where it follows at once, must not wait for what others have sent.
        self._read_suspects(most=MAX_CANDIDATES if thoroughly or client.look_interval_s else 1)
        if token and (thoroughly or client.now_s() - self._searched_s >= SEARCH_INTERVAL_S):
            self._search(token)
        if client.is_current:
            self._unseen_s = self._looked_s = asked_s

    def _look_afresh(self, token: str) -> None:
        client, before = self._client, self._client.uid_validity
        asked_s = client.now_s()
        client.reopen()
        # Whatever shows only now may have been there since the folder was last opened.
        self._unseen_s, self._opened_s = self._opened_s, asked_s
        self._note_opened(before)
        client.begin(Stage.ARRIVAL)
        self._take_in(True)
        self._read_suspects()
        self._search(token)
        self._unseen_s = self._looked_s = asked_s

    def _take_in(self, was_told: bool) -> None:
        """Judge new messages as long as the server tells of more."""
        client = self._client
        was_told = was_told or self._must_fetch
        told_s, told = client.now_s(), client.exists
        for _ in range(3):
            if not was_told:
                break
            was_told = self._fetch_new(told, told_s)
        self._must_fetch = was_told

    def _fetch_new(self, told: int, told_s: float) -> bool:
        """Judge the messages from the next UID on; say whether the server told of more meanwhile."""
        client = self._client
        if told - self._told > MAX_CANDIDATES:
            fetched = self._newest_of_many()
        else:
            fetched = client.headers_from(self._next_uid, MARK_FIELDS)
        self._told = told
        self._judge_new(fetched, told, told_s)
        return client.was_told()

    def _judge_new(self, fetched: list[Fetched], told: int, told_s: float) -> None:
        # What EXISTS had told of was visible then; what came after it is first seen now.
        now_s = self._client.now_s()
        for message in fetched:
            seen_s = told_s if message.number <= told else now_s
            self._contents.judge(message, Arrival(seen_s, self._unseen_s))
        self._next_uid = max([self._next_uid, *(message.uid + 1 for message in fetched)])

    def _newest_of_many(self) -> list[Fetched]:
        """Fetch no more headers of a flood of new mail than are judged in one go."""
        uids = sorted(self._client.uids_from(self._next_uid))
        self._contents.skip(max(len(uids) - MAX_CANDIDATES, 0))
        newest = uids[-MAX_CANDIDATES:]
        fetched = []
        for start in range(0, len(newest), MAX_AT_ONCE):
            fetched += self._client.headers_of(newest[start : start + MAX_AT_ONCE], MARK_FIELDS)
        return fetched

    def _search(self, token: str) -> None:
        """Search for what the server did not tell of; such a message may be there since the last search."""
        self._client.begin(Stage.ARRIVAL)
        before_s, asked_s = self._searched_s, self._client.now_s()
        uids = self._client.find_words([token], first_uid=self._first_uid)
        self._must_fetch = self._client.was_told() or self._must_fetch
        rightly = self._contents.related_to(token) | set(self._contents.suspects)
        worth = self._contents.judged.candidates(uids, rightly, MAX_CANDIDATES)
        self._judge_candidates(worth, before_s, Stage.ARRIVAL)
        self._read_suspects(named=uids)
        self._searched_s = asked_s

    def _judge_candidates(self, uids: list[int], unseen_s: float, stage: Stage) -> None:
        client, budget = self._client, self._contents.found
        for start in range(0, len(uids), MAX_AT_ONCE):
            if budget.is_spent:
                self._contents.skip(len(uids) - start)
                return
            client.begin(stage, SWEEP_TIMEOUT_S if stage is Stage.SELECT else None)
            for message in client.headers_of(uids[start : start + MAX_AT_ONCE], MARK_FIELDS):
                begun_s = client.now_s()
                self._contents.judge(message, Arrival(begun_s, unseen_s))
                budget.spend(client.now_s() - begun_s)

    def _read_suspects(self, *, named: Collection[int] = (), most: int = MAX_CANDIDATES) -> None:
        """Read what may be bounces, within what others' mail may take of a run."""
        client, contents = self._client, self._contents

        def read(uid: int, size_bytes: int) -> bytes:
            client.begin(Stage.ARRIVAL, SWEEP_TIMEOUT_S)
            return client.fetch_start(uid, size_bytes)

        if contents.suspects:
            contents.read_suspects(read, client.now_s, named=named, most=most)

    def _clean(self, sleep: Callable[[float], None]) -> Cleaned:
        removed, obstacle, tried = 0, "", set[int]()
        for _ in range(MAX_DELETIONS):
            doomed = self._next_doomed(tried)
            if not doomed or obstacle:
                break
            tried.update(doomed)
            count, obstacle = self._delete(doomed, sleep)
            removed += count
        left = self._contents.doomed()
        obstacle = obstacle or (_CHANGED if set(left) <= tried else _TOO_MANY)
        return Cleaned(removed, len(left), obstacle, self._contents.altered)

    def _next_doomed(self, tried: Collection[int]) -> list[int]:
        """Return what is deleted next: probes, and one bounce, which is read again as a whole."""
        contents = self._contents
        doomed = [uid for uid in contents.doomed() if uid not in tried]
        bounces = [uid for uid in doomed if uid in contents.bounces]
        return [*[uid for uid in doomed if uid not in contents.bounces][-MAX_AT_ONCE:], *bounces[-1:]]

    def _delete(self, doomed: list[int], sleep: Callable[[float], None]) -> tuple[int, str]:
        """Delete messages after they were read again; return how many are gone, and what kept the others."""
        client, contents = self._client, self._contents
        if not client.can_expunge:
            doomed = [uid for uid in doomed if uid not in contents.struck]
            if not doomed:
                return 0, _ONLY_FLAGGED
        try:
            client.begin(Stage.CLEANUP)
            before = client.uid_validity
            client.open_to_delete()
            if self._note_opened(before):
                return 0, ""
            if client.is_read_only:
                return 0, "the server opens this folder read-only"
            again = self._read_again(doomed)
            if contents.judged.uids_shift:
                return 0, "the server's UIDs change their meaning"
            if not again:
                return 0, ""
            are_gone = client.delete(again)
            contents.strike(message.uid for message in again)
            if not are_gone:
                return 0, _ONLY_FLAGGED
            sleep(COPY_GRACE_S)
            return self._look_again([message.uid for message in again])
        except StageError as exc:
            if not is_refusal(exc):
                raise
            return 0, exc.said if exc.finding_id == "pop3.login_delay" else f"the server answered {exc.said}"

    def _read_again(self, doomed: list[int]) -> list[Fetched]:
        """Read messages again by UID, in the session that will delete them; return those that are still ours.

        The headers come last: between them and the deletion there is no other command.
        """
        client, contents = self._client, self._contents
        starts = {}
        for uid in (uid for uid in doomed if uid in contents.bounces):
            from mailmon.mail.dsn import MAX_BYTES  # the classifier: a quiet run does not load it

            starts[uid] = client.fetch_start(uid, MAX_BYTES)
        again, gone = client.read_again(doomed, MARK_FIELDS)
        # Somebody else was faster, or an earlier attempt whose answer was lost.
        contents.removed(gone)
        return contents.confirmed(again, starts)

    def _look_again(self, deleted: list[int]) -> tuple[int, str]:
        """Find out which of the deleted messages are really gone, and what has come meanwhile."""
        client, contents = self._client, self._contents
        client.begin(Stage.CLEANUP)
        asked_s = client.now_s()
        shown = client.left_of(deleted, self._next_uid, MARK_FIELDS)
        left = {message.uid for message in shown if message.uid in deleted and contents.judged.is_same(message)}
        contents.removed(set(deleted) - left)
        self._judge_new([message for message in shown if message.uid not in deleted], client.exists, client.now_s())
        self._take_in(client.was_told())
        if client.is_current:
            self._unseen_s = asked_s
        return len(deleted) - len(left), _STILL_THERE if left else ""

    def _note_opened(self, validity_before: int) -> bool:
        """Take up a folder that was opened again; say whether its messages have new numbers."""
        client = self._client
        self._must_fetch = self._must_fetch or client.uid_next > self._next_uid
        if client.uid_validity == validity_before:
            return False
        self._contents.clear()
        self._must_fetch = True
        self._first_uid = self._next_uid = 1 if client.exists <= MAX_CANDIDATES else client.uid_next
        return True

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
        # Without a UIDVALIDITY the numbers of one connection mean nothing in the next.
        self._note_opened(before or -1)


def is_refusal(exc: StageError) -> bool:
    """Say whether the server refused one command, so that the connection can still be used."""
    return exc.finding_id.endswith((".command_failed", ".select_failed", ".login_delay")) and not exc.lost


_CHANGED = "they are not what they were when they were found"
_TOO_MANY = "they are more than are deleted in one run"
_ONLY_FLAGGED = "without UIDPLUS they are only flagged as deleted"
_STILL_THERE = (
    "the server answered OK to EXPUNGE, and they are still there; with access rights (ACL) the account needs t and e"
)

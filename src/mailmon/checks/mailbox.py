"""The watched mailbox: arrival of our probes and their bounces, and their removal.

All routes that read a mailbox share one `WatchedMailbox`. What the server's SEARCH returns is only a hint, and EXISTS
may ride on any reply, so waiting relies on neither. `MailboxIndex` knows the messages of the folder, `SeenMessages`
which of them were examined already.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from mailmon.clients.folder import Folder
from mailmon.errors import Stage, StageError, place_of
from mailmon.mail.imapdata import Fetched
from mailmon.mail.probe.ledger import Arrival, Ledger
from mailmon.mail.probe.probe import MARK_FIELDS, TOKEN_HEADER, Marks, Seal, read_marks

SEARCH_INTERVAL_S = 2.0
# Time limit of each search for leftovers, so that a slow search is not reported as a failed login.
SWEEP_TIMEOUT_S = 5.0
# Newest messages that are searched for leftovers: SEARCH HEADER may read every message.
MAX_SWEPT = 1000
MAX_CANDIDATES, MAX_AT_ONCE = 500, 100
MAX_LATE_BOUNCES = 5
MAX_PROBE_BYTES = 2 * 1024 * 1024
# A server that delivers twice does so within milliseconds; a copy that comes later is found by the next run.
COPY_GRACE_S = 0.02
# Rounds of deletion per run, of MAX_AT_ONCE messages each.
MAX_DELETIONS = 8

# Time per mailbox and run that other people's mail may take, measured between messages: reading the headers of what
# a search found, reading the messages that a search named, reading what only looks like a bounce. Each has its own
# budget, so that slow messages never keep a probe from being recognised by its headers.
EXAMINED_S, NAMED_S, SUSPECTED_S = 0.3, 0.4, 0.3
# Suspected bounces read per folder and run: each may be large, and anybody can send them.
MAX_REPORTS = 200
# An older version, which did not seal its probes, may have sent one shortly before the upgrade.
UNSEALED_FOR = timedelta(days=5)

# Messages that a doubtful server names and that are examined again, half of them from either end.
MAX_DOUBTFUL = 40

_T = TypeVar("_T")
# Returns the first bytes of a message, by its UID.
Read = Callable[[int, int], bytes]


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
        self._index = MailboxIndex(name, ledger, key, now, deletes_only_own=deletes_only_own)
        self._lock = threading.Lock()
        self._client = connect()
        self._was_reopened = False
        self._must_fetch = False
        self._first_uid = self._next_uid = self._client.uid_next
        self._known_exists = self._client.exists
        self._opened_s = self._unseen_s = self._searched_s = self._polled_s = self._client.now_s()
        self.sweep_error = ""

    @property
    def client(self) -> Folder:
        """Return the connection."""
        return self._client

    @property
    def next_poll_s(self) -> float:
        """Return the monotonic time before which the server allows no poll, 0 for none."""
        return self._client.next_poll_s

    def was_polled(self, since_s: float) -> bool:
        """Say whether a poll that began at `since_s` (monotonic) or later has examined all that arrived in this run."""
        return self._polled_s >= since_s and not self._client.unread

    def sweep(self) -> None:
        """Examine what earlier runs left here, and bounces that came since.

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
            if not (self._client.next_poll_s and self._index.has_ours):
                self._client.rest()

    def poll(self, token: str, *, thoroughly: bool = False) -> None:
        """Examine what is new, and now and then search for `token`; every probe found goes to the ledger.

        A session that shows it stays open: the cleanup that follows need not log in again.
        """
        with self._lock:
            now_s = self._client.now_s()
            if now_s < self._client.next_poll_s:
                return
            if not thoroughly and now_s < self._unseen_s + self._client.poll_interval_s:
                return
            self._reliably(lambda: self._poll(token, thoroughly))
            if not (self._index.related_to(token) or (thoroughly and self._index.has_ours)):
                self._client.rest()

    def poll_afresh(self, token: str) -> None:
        """Open the folder again and look: there are servers that show nothing new until then.

        Where every look is a session of its own (POP3) there is nothing to open, and no login to spend on it.
        """
        with self._lock:
            if self._client.poll_interval_s:
                return
            self._reliably(lambda: self._poll_afresh(token))
            self._client.rest()

    def try_poll(self, token: str, *, thoroughly: bool = False, afresh: bool = False) -> StageError | None:
        """Poll; return why the server refused. Raises StageError when the connection is gone."""
        try:
            if afresh:
                self.poll_afresh(token)
            else:
                self.poll(token, thoroughly=thoroughly)
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
        """Return which messages were not read, and why, if that was not reported yet."""
        with self._lock:
            return self._index.take_problems()

    def has(self, token: str) -> bool:
        """Return whether a probe with our signature lies here."""
        return bool(self._index.uids_of(token))

    def read(self, token: str) -> bytes:
        """Return a probe that lies here, up to MAX_PROBE_BYTES; nothing where it is gone."""
        with self._lock:
            uids = self._index.uids_of(token)
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
        seen = self._index.seen
        self._examine_candidates(seen.candidates(uids, uids, MAX_CANDIDATES), self._unseen_s, Stage.SELECT)
        self._read_suspects(named=uids)
        self._unseen_s = client.now_s()

    def _poll(self, token: str, thoroughly: bool) -> None:
        client = self._client
        client.begin(Stage.ARRIVAL)
        asked_s = client.now_s()
        self._take_in(client.noop())
        # One message a look: the next look, where it follows at once, must not wait for what others have sent.
        self._read_suspects(most=MAX_CANDIDATES if thoroughly or client.poll_interval_s else 1)
        if token and (thoroughly or client.now_s() - self._searched_s >= SEARCH_INTERVAL_S):
            self._search(token)
        if client.is_current:
            self._unseen_s = self._polled_s = asked_s

    def _poll_afresh(self, token: str) -> None:
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
        self._unseen_s = self._polled_s = asked_s

    def _take_in(self, has_changes: bool) -> None:
        """Examine new messages as long as the server announces more."""
        client = self._client
        has_changes = has_changes or self._must_fetch
        exists_s, exists = client.now_s(), client.exists
        for _ in range(3):
            if not has_changes:
                break
            has_changes = self._fetch_new(exists, exists_s)
        self._must_fetch = has_changes

    def _fetch_new(self, exists: int, exists_s: float) -> bool:
        """Examine the messages from the next UID on; return whether the server announced more meanwhile."""
        client = self._client
        if exists - self._known_exists > MAX_CANDIDATES:
            fetched = self._newest_of_many()
        else:
            fetched = client.headers_from(self._next_uid, MARK_FIELDS)
        self._known_exists = exists
        self._examine_new(fetched, exists, exists_s)
        return client.was_told()

    def _examine_new(self, fetched: list[Fetched], exists: int, exists_s: float) -> None:
        # What EXISTS counted was visible then; what came after it is first seen now.
        now_s = self._client.now_s()
        for message in fetched:
            seen_s = exists_s if message.number <= exists else now_s
            self._index.examine(message, Arrival(seen_s, self._unseen_s))
        self._next_uid = max([self._next_uid, *(message.uid + 1 for message in fetched)])

    def _newest_of_many(self) -> list[Fetched]:
        """Fetch no more headers of a flood of new mail than are examined in one go."""
        uids = sorted(self._client.uids_from(self._next_uid))
        self._index.skip(max(len(uids) - MAX_CANDIDATES, 0))
        newest = uids[-MAX_CANDIDATES:]
        fetched = []
        for start in range(0, len(newest), MAX_AT_ONCE):
            fetched += self._client.headers_of(newest[start : start + MAX_AT_ONCE], MARK_FIELDS)
        return fetched

    def _search(self, token: str) -> None:
        """Search for messages that the server did not announce since the last search."""
        self._client.begin(Stage.ARRIVAL)
        before_s, asked_s = self._searched_s, self._client.now_s()
        uids = self._client.find_words([token], first_uid=self._first_uid)
        self._must_fetch = self._client.was_told() or self._must_fetch
        rightly = self._index.related_to(token) | set(self._index.suspects)
        worth = self._index.seen.candidates(uids, rightly, MAX_CANDIDATES)
        self._examine_candidates(worth, before_s, Stage.ARRIVAL)
        self._read_suspects(named=uids)
        self._searched_s = asked_s

    def _examine_candidates(self, uids: list[int], unseen_s: float, stage: Stage) -> None:
        client, budget = self._client, self._index.found
        for start in range(0, len(uids), MAX_AT_ONCE):
            if budget.is_spent:
                self._index.skip(len(uids) - start)
                return
            client.begin(stage, SWEEP_TIMEOUT_S if stage is Stage.SELECT else None)
            for message in client.headers_of(uids[start : start + MAX_AT_ONCE], MARK_FIELDS):
                begun_s = client.now_s()
                self._index.examine(message, Arrival(begun_s, unseen_s))
                budget.spend(client.now_s() - begun_s)

    def _read_suspects(self, *, named: Collection[int] = (), most: int = MAX_CANDIDATES) -> None:
        """Read what may be bounces, within what others' mail may take of a run."""
        client, index = self._client, self._index

        def read(uid: int, size_bytes: int) -> bytes:
            client.begin(Stage.ARRIVAL, SWEEP_TIMEOUT_S)
            return client.fetch_start(uid, size_bytes)

        if index.suspects:
            index.read_suspects(read, client.now_s, named=named, most=most)

    def _clean(self, sleep: Callable[[float], None]) -> Cleaned:
        removed, obstacle, tried = 0, "", set[int]()
        for _ in range(MAX_DELETIONS):
            deletable = self._next_deletable(tried)
            if not deletable or obstacle:
                break
            tried.update(deletable)
            count, obstacle = self._delete(deletable, sleep)
            removed += count
        left = self._index.deletable()
        obstacle = obstacle or (_CHANGED if set(left) <= tried else _TOO_MANY)
        return Cleaned(removed, len(left), obstacle, self._index.altered)

    def _next_deletable(self, tried: Collection[int]) -> list[int]:
        """Return what is deleted next: probes, and one bounce, which is read again as a whole."""
        index = self._index
        deletable = [uid for uid in index.deletable() if uid not in tried]
        bounces = [uid for uid in deletable if uid in index.bounces]
        return [*[uid for uid in deletable if uid not in index.bounces][-MAX_AT_ONCE:], *bounces[-1:]]

    def _delete(self, deletable: list[int], sleep: Callable[[float], None]) -> tuple[int, str]:
        """Delete messages after they were read again; return how many are gone, and what kept the others."""
        client, index = self._client, self._index
        if not client.can_expunge:
            deletable = [uid for uid in deletable if uid not in index.flagged]
            if not deletable:
                return 0, _ONLY_FLAGGED
        try:
            client.begin(Stage.CLEANUP)
            before = client.uid_validity
            client.open_to_delete()
            if self._note_opened(before):
                return 0, ""
            if client.is_read_only:
                return 0, "the server opens this folder read-only"
            again = self._read_again(deletable)
            if index.seen.uids_shift:
                return 0, "the server's UIDs change their meaning"
            if not again:
                return 0, ""
            are_gone = client.delete(again)
            index.flag(message.uid for message in again)
            if not are_gone:
                return 0, _ONLY_FLAGGED
            sleep(COPY_GRACE_S)
            return self._poll_again([message.uid for message in again])
        except StageError as exc:
            if not is_refusal(exc):
                raise
            return 0, exc.said if exc.finding_id == "pop3.login_delay" else f"the server answered {exc.said}"

    def _read_again(self, deletable: list[int]) -> list[Fetched]:
        """Read messages again by UID, in the session that will delete them; return those that are still ours.

        The headers come last: between them and the deletion there is no other command.
        """
        client, index = self._client, self._index
        starts = {}
        for uid in (uid for uid in deletable if uid in index.bounces):
            from mailmon.mail.probe.returned import MAX_BYTES  # the classifier: a quiet run does not load it

            starts[uid] = client.fetch_start(uid, MAX_BYTES)
        again, gone = client.read_again(deletable, MARK_FIELDS)
        # Somebody else was faster, or an earlier attempt whose answer was lost.
        index.removed(gone)
        return index.confirmed(again, starts)

    def _poll_again(self, deleted: list[int]) -> tuple[int, str]:
        """Find out which of the deleted messages are really gone, and what has come meanwhile."""
        client, index = self._client, self._index
        client.begin(Stage.CLEANUP)
        asked_s = client.now_s()
        shown = client.left_of(deleted, self._next_uid, MARK_FIELDS)
        left = {message.uid for message in shown if message.uid in deleted and index.seen.is_same(message)}
        index.removed(set(deleted) - left)
        self._examine_new([message for message in shown if message.uid not in deleted], client.exists, client.now_s())
        self._take_in(client.was_told())
        if client.is_current:
            self._unseen_s = asked_s
        return len(deleted) - len(left), _STILL_THERE if left else ""

    def _note_opened(self, validity_before: int) -> bool:
        """Take up a folder that was opened again; return whether its messages have new numbers."""
        client = self._client
        self._must_fetch = self._must_fetch or client.uid_next > self._next_uid
        if client.uid_validity == validity_before:
            return False
        self._index.clear()
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
    """Return whether the server refused one command, so that the connection can still be used."""
    return exc.finding_id.endswith((".command_failed", ".select_failed", ".login_delay")) and not exc.lost


class Budget:
    """So many seconds, spent on one message after the other."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    @property
    def is_spent(self) -> bool:
        """Return whether nothing is left for one more message."""
        return self._left_s <= 0

    def spend(self, seconds: float) -> None:
        """Note what a message has taken."""
        self._left_s -= seconds


class MailboxIndex:
    """What is known of the messages in one folder during one run; every probe found goes to the ledger."""

    def __init__(
        self, name: str, ledger: Ledger, key: bytes, now: Callable[[], datetime], *, deletes_only_own: bool
    ) -> None:
        self._name = name
        self._ledger = ledger
        self._key = key
        self._now = now
        self._deletes_only_own = deletes_only_own
        self._ours: dict[int, Marks] = {}
        self._bounces: dict[int, tuple[str, ...]] = {}
        self._reports_left = MAX_REPORTS
        self._flagged: set[int] = set()
        # Signed, but not what was signed: a copy of old headers on another message.
        self._altered: set[int] = set()
        self._suspects: dict[int, datetime] = {}
        self._reported: set[int] = set()
        self._problems: list[str] = []
        self._unexamined = 0
        self.found, self._named, self._suspected = Budget(EXAMINED_S), Budget(NAMED_S), Budget(SUSPECTED_S)
        self.seen = SeenMessages()

    def examine(self, message: Fetched, arrival: Arrival) -> None:
        """Examine a message's headers; whether it is a bounce is read later, by `read_suspects`."""
        if not self.seen.is_new(message):
            return
        try:
            marks = read_marks(message.text, self._key)
        except Exception as exc:  # one message that trips us up must not keep the others from being examined
            self._set_aside(message.uid, exc)
            return
        at = message.received_at or self._now()
        if marks.token:
            is_ours = self._is_ours(marks)
            if is_ours:
                self._ours[message.uid] = marks
                self._ledger.learn(marks.signers)
                self._flagged |= {message.uid} if message.is_struck else set()
            elif marks.is_signed:
                self._altered.add(message.uid)
            self._ledger.see(
                marks.token,
                mailbox=self._name,
                at=at,
                arrival=arrival,
                is_signed=is_ours,
                was_struck=message.is_struck,
            )
        elif marks.may_be_report:
            self._suspects[message.uid] = at

    def read_suspects(
        self, read: Read, now_s: Callable[[], float], *, named: Collection[int] = (), most: int = 10_000
    ) -> None:
        """Read what may be a bounce, the newest first, as long as there is time for it.

        What a search for a token has `named` has time of its own: other people's mail cannot use that up. Raises
        StageError when the connection breaks.
        """
        waiting = {uid: uid in named for uid in sorted(self._suspects, reverse=True)}
        for uid in sorted(waiting, key=lambda uid: not waiting[uid])[:most]:
            budget = self._named if waiting[uid] else self._suspected
            if budget.is_spent:
                continue
            begun_s, at = now_s(), self._suspects.pop(uid)
            try:
                self._read_suspect(uid, at, read)
            except StageError as exc:
                if exc.lost or exc.is_silence:
                    self._suspects[uid] = at
                    raise
                self._set_aside(uid, exc)
            except Exception as exc:  # the same as for a header
                self._set_aside(uid, exc)
            finally:
                budget.spend(now_s() - begun_s)

    def skip(self, count: int) -> None:
        """Note messages for which no time was left."""
        self._unexamined += count

    def take_problems(self) -> list[str]:
        """Return which messages were not read, and why, if that was not reported yet."""
        problems, self._problems = self._problems, []
        unread = self._unexamined + len(self._suspects.keys() - self._reported)
        if unread:
            problems.append(f"{unread} for which there was no time in this run")
        self._unexamined = 0
        self._reported |= self._suspects.keys()
        return problems

    @property
    def has_ours(self) -> bool:
        """Return whether probes with our signature, or their bounces, lie here."""
        return bool(self._ours or self._bounces)

    def uids_of(self, token: str) -> list[int]:
        """Return where a probe with our signature lies."""
        return [uid for uid, marks in self._ours.items() if marks.token == token]

    def related_to(self, token: str) -> set[int]:
        """Return the messages that a search for a token rightly finds: the probe, and its bounces."""
        return {*self.uids_of(token), *(uid for uid, tokens in self._bounces.items() if token in tokens)}

    @property
    def suspects(self) -> Collection[int]:
        """Return what may be a bounce and was not read yet."""
        return self._suspects.keys()

    @property
    def bounces(self) -> Collection[int]:
        """Return what was read and is a bounce of a probe."""
        return self._bounces.keys()

    @property
    def flagged(self) -> AbstractSet[int]:
        """Return which of our probes are flagged as deleted."""
        return self._flagged

    def flag(self, uids: Iterable[int]) -> None:
        """Note messages that were flagged as deleted and are still there."""
        self._flagged.update(uids)

    @property
    def altered(self) -> int:
        """Return how many messages have the signature of a settled probe, but not its From, To, Date and Subject."""
        return 0 if self._deletes_only_own else len(self._altered)

    def deletable(self) -> list[int]:
        """Return what may be deleted: our probes, and their bounces, that no route waits for."""
        ours = [uid for uid, marks in self._ours.items() if self._may_go((marks.token or "",))]
        return sorted([*ours, *(uid for uid, tokens in self._bounces.items() if self._may_go(tokens))])

    def confirmed(self, again: Iterable[Fetched], starts: Mapping[int, bytes]) -> list[Fetched]:
        """Return which of the deletable messages that were just read again are still what they were found to be.

        `starts` are the first bytes of those that are bounces: the signature is in what they return.
        """
        return [message for message in again if self.seen.is_same(message) and self._is_confirmed(message, starts)]

    def removed(self, uids: Iterable[int]) -> None:
        """Note what was deleted."""
        gone = [(uid, self._ours.pop(uid, None)) for uid in uids]
        self._ledger.removed([marks.token or "" for _, marks in gone if marks])
        for uid, _ in gone:
            self._bounces.pop(uid, None)
            self._flagged.discard(uid)

    def clear(self) -> None:
        """Forget all: what was known of the old numbers could now mean other people's mail."""
        for known in (self._ours, self._bounces, self._suspects, self._flagged, self._altered, self._reported):
            known.clear()
        self.seen.clear()
        self._ledger.forget_sightings(self._name)

    def _read_suspect(self, uid: int, at: datetime, read: Read) -> None:
        starts: dict[int, bytes] = {}

        def note(number: int, size_bytes: int) -> bytes:
            starts[number] = read(number, size_bytes)
            return starts[number]

        self._read_report(uid, at, note)
        if uid in self._bounces and not self._returns_ours(starts.get(uid, b"")):
            del self._bounces[uid]
            self._altered.add(uid)

    def _read_report(self, uid: int, at: datetime, read: Read) -> None:
        """Note what a suspected bounce says of probes; one of a probe that is settled changes nothing (the ledger)."""
        if not self._reports_left:
            return
        from mailmon.mail.probe.returned import MAX_BYTES, read_report  # the classifier: a quiet run does not load it

        raw = read(uid, MAX_BYTES)
        if not raw:
            self.seen.forget(uid)  # where there was no time to read it, the next look does
            return
        self._reports_left -= 1
        report = read_report(raw, self._key, self._ledger.recipient_of)
        if report is None:
            return
        for token in report.tokens:
            if report.has_failed:
                self._ledger.bounce(token, at=at, reason=report.reason)
            else:
                self._ledger.delay(token, reason=report.reason)
        if report.may_be_deleted:
            self._bounces[uid] = report.tokens

    def _is_ours(self, marks: Marks) -> bool:
        """Return whether a message is a probe and not only its headers on another one (decisions/0016).

        One that was outstanding may have been changed on its way: filters tag Subjects, lists rewrite From.
        """
        if not marks.is_signed or marks.seal is Seal.GOOD:
            return marks.is_signed
        planned_at = self._ledger.fresh_since(marks.token or "")
        if planned_at is None:
            return False
        return marks.seal is Seal.BROKEN or self._now() - planned_at <= UNSEALED_FOR

    def _returns_ours(self, raw: bytes) -> bool:
        from mailmon.mail.probe.returned import returned_marks

        return self._is_ours(returned_marks(raw, self._key))

    def _is_confirmed(self, message: Fetched, starts: Mapping[int, bytes]) -> bool:
        if message.uid in self._bounces:
            return self._returns_ours(starts.get(message.uid, b""))
        marks = self._ours.get(message.uid)
        return marks is not None and read_marks(message.text, self._key) == marks

    def _set_aside(self, uid: int, exc: Exception) -> None:
        why = exc.said if isinstance(exc, StageError) else f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}"
        self._problems.append(f"UID {uid}: {why}")

    def _may_go(self, tokens: Iterable[str]) -> bool:
        """Return whether no route waits for it; a dry run keeps no state and leaves what later runs must examine."""
        return all(
            not (self._ledger.is_awaited(token) or self._ledger.is_reserved(token))
            and (self._ledger.is_own(token) or not self._deletes_only_own)
            for token in tokens
        )


class SeenMessages:
    """The messages that were examined in one run.

    By their UIDs, which never change their meaning (RFC 3501 section 2.3.1.1). There are servers on which they do,
    where the newest message is always the first: as soon as that shows, by what the messages say.
    """

    def __init__(self) -> None:
        self.uids_shift = False
        self._by_uid: dict[int, int] = {}
        self._texts: set[int] = set()

    def is_new(self, message: Fetched) -> bool:
        """Return whether a message was not examined yet, and note it."""
        text = hash(message.text)
        known = self._by_uid.get(message.uid)
        if known == text:
            return False
        self._by_uid[message.uid] = text
        self.uids_shift = self.uids_shift or known is not None
        if self.uids_shift and text in self._texts:
            return False
        self._texts.add(text)
        return True

    def candidates(self, found: Iterable[int], known: Collection[int], limit: int) -> list[int]:
        """Return which of the messages that a search found are worth a look.

        `known` are those that are rightly found. An examined one that is not among them should not have been found:
        either the server ignores what it is asked, or that UID is another message now.
        """
        uids = sorted(set(found))
        fresh = [uid for uid in uids if uid not in self._by_uid]
        doubtful = [uid for uid in uids if uid in self._by_uid and uid not in known]
        if self.uids_shift:
            return ends(uids, MAX_DOUBTFUL)
        # The doubtful first: whether UIDs shift must be known before a message is met again under another one. Then the
        # newest: a bounce of today must not wait behind old mail.
        return [*ends(doubtful, MAX_DOUBTFUL), *reversed(ends(fresh, limit))]

    def forget(self, uid: int) -> None:
        """Examine a message again when it is met again."""
        text = self._by_uid.pop(uid, None)
        if text is not None:
            self._texts.discard(text)

    def clear(self) -> None:
        """Forget all: the messages have new numbers."""
        self._by_uid.clear()

    def is_same(self, message: Fetched) -> bool:
        """Say whether a message that is read again is what was examined under its UID; where it is not, UIDs shift."""
        known = self._by_uid.get(message.uid)
        is_same = known == hash(message.text)
        self.uids_shift = self.uids_shift or not is_same
        return is_same


def ends(uids: list[int], limit: int) -> list[int]:
    """Return at most `limit` of some UIDs, from both ends: the newest are at the one or at the other.

    >>> ends([1, 2, 3, 4, 5, 6], 4)
    [1, 2, 5, 6]
    """
    if len(uids) <= limit:
        return uids
    half = limit // 2
    return [*uids[:half], *uids[len(uids) - (limit - half) :]]


_CHANGED = "they are not what they were when they were found"
_TOO_MANY = "they are more than are deleted in one run"
_ONLY_FLAGGED = "without UIDPLUS they are only flagged as deleted"
_STILL_THERE = (
    "the server answered OK to EXPUNGE, and they are still there; with access rights (ACL) the account needs t and e"
)

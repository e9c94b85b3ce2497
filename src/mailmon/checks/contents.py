"""What of ours lies in this folder? Each message is judged once, by its fetched headers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

from mailmon.errors import StageError, place_of
from mailmon.mail.imapdata import Fetched
from mailmon.mail.judged import SeenMessages
from mailmon.mail.ledger import Arrival, Ledger
from mailmon.mail.probe import Marks, Seal, read_marks

# Foreign mail may take so much of a run, for each mailbox: judging by its headers what a search found, reading what a
# search named, and reading what only looks like a bounce. Each has time of its own: what is slow to read must not keep
# a probe from being known by its headers. The clock is looked at between messages.
JUDGED_S, NAMED_S, SUSPECTED_S = 0.3, 0.4, 0.3
# So many suspected bounces are read in a folder and run: each may be large, and anybody can send them.
MAX_REPORTS = 200
# A version that did not seal its probes may have sent one before it was replaced.
UNSEALED_FOR = timedelta(days=5)

# Returns the first bytes of a message, by its UID.
Read = Callable[[int, int], bytes]


class Budget:
    """So many seconds, spent on one message after the other."""

    def __init__(self, seconds: float) -> None:
        self._left_s = seconds

    @property
    def is_spent(self) -> bool:
        """Say whether nothing is left for one more message."""
        return self._left_s <= 0

    def spend(self, seconds: float) -> None:
        """Note what a message has taken."""
        self._left_s -= seconds


class Contents:
    """What is known of the messages in one folder during one run; every sighting goes to the ledger."""

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
        self._struck: set[int] = set()
        # Signed, but not what was signed: a copy of old headers on another message.
        self._altered: set[int] = set()
        self._suspects: dict[int, datetime] = {}
        self._told: set[int] = set()
        self._problems: list[str] = []
        self._unjudged = 0
        self.found, self._named, self._suspected = Budget(JUDGED_S), Budget(NAMED_S), Budget(SUSPECTED_S)
        self.judged = SeenMessages()

    def judge(self, message: Fetched, arrival: Arrival) -> None:
        """Judge a message by its headers; whether it is a bounce is read later, by `read_suspects`."""
        if not self.judged.is_new(message):
            return
        try:
            marks = read_marks(message.text, self._key)
        except Exception as exc:  # one message that trips us up must not keep the others from being judged
            self._set_aside(message.uid, exc)
            return
        at = message.received_at or self._now()
        if marks.token:
            is_ours = self._is_ours(marks)
            if is_ours:
                self._ours[message.uid] = marks
                self._ledger.learn(marks.signers)
                self._struck |= {message.uid} if message.is_struck else set()
            elif marks.is_signed:
                self._altered.add(message.uid)
            self._ledger.sight(
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
        self._unjudged += count

    def take_problems(self) -> list[str]:
        """Return which messages were not read, and why, if that was not told yet."""
        problems, self._problems = self._problems, []
        unread = self._unjudged + len(self._suspects.keys() - self._told)
        if unread:
            problems.append(f"{unread} for which there was no time in this run")
        self._unjudged = 0
        self._told |= self._suspects.keys()
        return problems

    @property
    def has_ours(self) -> bool:
        """Say whether probes with our signature, or their bounces, lie here."""
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
    def struck(self) -> AbstractSet[int]:
        """Return which of our probes are flagged as deleted."""
        return self._struck

    def strike(self, uids: Iterable[int]) -> None:
        """Note messages that were flagged as deleted and are still there."""
        self._struck.update(uids)

    @property
    def altered(self) -> int:
        """Return how many messages have the signature of a settled probe, but not its From, To, Date and Subject."""
        return 0 if self._deletes_only_own else len(self._altered)

    def doomed(self) -> list[int]:
        """Return what may be deleted: our probes, and their bounces, that no route waits for."""
        ours = [uid for uid, marks in self._ours.items() if self._may_go((marks.token or "",))]
        return sorted([*ours, *(uid for uid, tokens in self._bounces.items() if self._may_go(tokens))])

    def confirmed(self, again: Iterable[Fetched], starts: Mapping[int, bytes]) -> list[Fetched]:
        """Return which of the doomed messages that were just read again are still what they were judged to be.

        `starts` are the first bytes of those that are bounces: the signature is in what they return.
        """
        return [message for message in again if self.judged.is_same(message) and self._is_confirmed(message, starts)]

    def removed(self, uids: Iterable[int]) -> None:
        """Note what was deleted."""
        gone = [(uid, self._ours.pop(uid, None)) for uid in uids]
        self._ledger.removed([marks.token or "" for _, marks in gone if marks])
        for uid, _ in gone:
            self._bounces.pop(uid, None)
            self._struck.discard(uid)

    def clear(self) -> None:
        """Forget all: what was known of the old numbers could now mean other people's mail."""
        for known in (self._ours, self._bounces, self._suspects, self._struck, self._altered, self._told):
            known.clear()
        self.judged.clear()
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
        from mailmon.mail.dsn import MAX_BYTES, read_report  # the classifier: a quiet run does not load it

        raw = read(uid, MAX_BYTES)
        if not raw:
            self.judged.forget(uid)  # where there was no time to read it, the next look does
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
        """Say whether a message is a probe and not only its headers on another one (decisions/0016).

        One that was outstanding may have been changed on its way: filters tag Subjects, lists rewrite From.
        """
        if not marks.is_signed or marks.seal is Seal.GOOD:
            return marks.is_signed
        planned_at = self._ledger.fresh_since(marks.token or "")
        if planned_at is None:
            return False
        return marks.seal is Seal.BROKEN or self._now() - planned_at <= UNSEALED_FOR

    def _returns_ours(self, raw: bytes) -> bool:
        from mailmon.mail.dsn import returned_marks

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
        """Nobody waits for it; and a dry run, which remembers nothing, leaves what earlier runs must still judge."""
        return all(
            not (self._ledger.is_awaited(token) or self._ledger.is_reserved(token))
            and (self._ledger.is_own(token) or not self._deletes_only_own)
            for token in tokens
        )

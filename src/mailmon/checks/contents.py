"""What of ours lies in this folder? Each message is judged once, by its fetched headers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from mailmon.mail.imapdata import Fetched
from mailmon.mail.judged import Judged
from mailmon.mail.ledger import Arrival, Ledger
from mailmon.mail.probe import Marks, read_marks

# So many suspected bounces are read in a folder and run: each may be large, and anybody can send them.
MAX_REPORTS = 200


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
        self.judged = Judged()

    def judge(self, message: Fetched, arrival: Arrival, read: Callable[[int, int], bytes]) -> None:
        """Judge a message by its headers; `read` gives the first bytes of one, by its UID, where more is needed."""
        if not self.judged.is_new(message):
            return
        marks = read_marks(message.text, self._key)
        at = message.received_at or self._now()
        if marks.token:
            if marks.is_signed:
                self._ours[message.uid] = marks
                self._ledger.learn(marks.signers)
            self._ledger.sight(marks.token, mailbox=self._name, at=at, arrival=arrival, is_signed=marks.is_signed)
        elif marks.may_be_report:
            self._read_report(message.uid, at, read)

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

    def doomed(self) -> list[int]:
        """Return what may be deleted: our probes, and their bounces, that no route waits for."""
        ours = [uid for uid, marks in self._ours.items() if self._may_go((marks.token or "",))]
        return sorted([*ours, *(uid for uid, tokens in self._bounces.items() if self._may_go(tokens))])

    def removed(self, uids: Iterable[int]) -> None:
        """Note what was deleted."""
        gone = [(uid, self._ours.pop(uid, None)) for uid in uids]
        self._ledger.removed([marks.token or "" for _, marks in gone if marks])
        for uid, _ in gone:
            self._bounces.pop(uid, None)

    def clear(self) -> None:
        """Forget all: what was known of the old numbers could now mean other people's mail."""
        self._ours.clear()
        self._bounces.clear()
        self.judged.clear()
        self._ledger.forget_sightings(self._name)

    def _read_report(self, uid: int, at: datetime, read: Callable[[int, int], bytes]) -> None:
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

    def _may_go(self, tokens: Iterable[str]) -> bool:
        """Nobody waits for it; and a dry run, which remembers nothing, leaves what earlier runs must still judge."""
        return all(
            not (self._ledger.is_awaited(token) or self._ledger.is_reserved(token))
            and (self._ledger.is_own(token) or not self._deletes_only_own)
            for token in tokens
        )

"""Whatever a mailbox goes through, and wherever a run is killed: each message is recorded once, and none is lost."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog import writing
from mailmon.store.bouncelog.log import BounceLog
from mailmon.store.bouncelog.reading import rows
from mailmon.store.bouncelog.writing import Folder
from tests.store.bouncelog.samples import BOB, NOON, RUN, seen


class Mailbox(RuleBasedStateMachine):
    """A folder that messages come to and go from, and scans of it; some messages have the same bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="mailmon-test-"))
        self.state_file = self.directory / "state.json"
        self.uidvalidity, self.next_uid = 1, 1
        self.folder: dict[int, str] = {}
        self.numbers: dict[int, int] = {}  # which delivery has this UID now
        self.delivered: list[str] = []
        self.scanned: set[int] = set()
        self.log = BounceLog(self.state_file, NOON)

    def teardown(self) -> None:
        self.log.close()
        shutil.rmtree(self.directory)

    @rule(raws=st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=4))
    def deliver(self, raws: list[str]) -> None:
        for raw in raws:
            self.folder[self.next_uid] = raw
            self.numbers[self.next_uid] = len(self.delivered)
            self.delivered.append(raw)
            self.next_uid += 1

    @precondition(lambda self: self.folder)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        uid = data.draw(st.sampled_from(sorted(self.folder)))
        if self.numbers[uid] in self.scanned:  # what goes before it was seen nobody can know
            del self.folder[uid], self.numbers[uid]

    @rule()
    def number_anew(self) -> None:
        """Give all messages new UIDs in the same order, under a new UIDVALIDITY."""
        self.uidvalidity += 1
        pairs = list(enumerate(sorted(self.folder), 1))
        self.numbers = {new: self.numbers[old] for new, old in pairs}
        self.folder = {new: self.folder[old] for new, old in pairs}
        self.next_uid = len(self.folder) + 1

    @rule(batch=st.integers(1, 3), batches=st.integers(1, 4), is_killed=st.booleans(), forgets=st.booleans())
    def scan(self, batch: int, batches: int, is_killed: bool, forgets: bool) -> None:
        """Read on from the position, or from the beginning; the last batch may be cut off before its commit."""
        place = Folder("main", "INBOX", self.uidvalidity)
        position = self.log.position("main", "INBOX")
        begin = position.last_uid if position and position.uidvalidity == self.uidvalidity and not forgets else 0
        uids = [uid for uid in sorted(self.folder) if uid > begin]
        parts = [uids[start : start + batch] for start in range(0, len(uids), batch)][:batches]
        for number, part in enumerate(parts):
            messages = [seen(uid, BOB, raw=self.folder[uid]) for uid in part]
            if is_killed and number == len(parts) - 1:
                self.kill_in_the_middle_of(place, messages)
                return
            self.log.record(place, part[-1], messages, RUN)
            self.scanned |= {self.numbers[uid] for uid in part}

    def kill_in_the_middle_of(self, place: Folder, messages: list[writing.SeenMessage]) -> None:
        connection = self.log._connection
        connection.execute("BEGIN IMMEDIATE")
        folder_id = connection.execute("SELECT max(id) FROM folders").fetchone()[0]
        if folder_id is not None:
            for message in messages:
                writing._record_one(connection, folder_id, place.uidvalidity, message, RUN)
        connection.close()
        self.log.close()
        self.log = BounceLog(self.state_file, NOON)

    @invariant()
    def each_message_that_was_read_is_recorded_once(self) -> None:
        found = list(rows(self.log._connection, BounceFilter()))
        raws = self.log._connection.execute("SELECT message_id FROM messages ORDER BY 1").fetchall()
        assert len(found) == len(raws)
        # Of equal messages nobody can say which one came back; as many as were read at once are counted, never more.
        seen_raws = sorted(self.delivered[number] for number in self.scanned)
        recorded = sorted(raw.strip("<").partition("@")[0] for (raw,) in raws)
        assert set(recorded) == set(seen_raws)
        assert len(recorded) <= len(seen_raws)
        for raw in set(self.folder.values()):
            now = sum(self.folder[uid] == raw and self.numbers[uid] in self.scanned for uid in self.folder)
            assert recorded.count(raw) >= now


TestMailbox = Mailbox.TestCase
TestMailbox.settings = settings(
    max_examples=25, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

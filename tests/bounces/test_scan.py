"""A message that cannot be read does not stop the scan of others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.bounces.scan import BATCH_BYTES, BATCH_MESSAGES, MAX_MESSAGE_CPU_S, BounceScan, ScanContext, batches
from mailmon.clients.account import Account, BounceFolder
from mailmon.clients.imap_folder import FolderClient
from mailmon.errors import Stage, StageError
from mailmon.mail.bounce import Classification, Kind
from mailmon.mail.imapdata import Fetched, Listed
from mailmon.mail.probe.ledger import Ledger
from mailmon.model import Secret
from mailmon.model.bounces import BounceFilter
from mailmon.store.bouncelog.log import BounceLog, Reader
from mailmon.store.bouncelog.writing import Run
from tests.mail.bounce.letters import LETTERS
from tests.mail.samples import KEY

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = Account("main", "a@example.org", "a", Secret("x"))
REFUSED = StageError("imap.command_failed", Stage.SELECT, "mail:993", "NO [SERVERBUG] internal error")
BROKEN = StageError("imap.connection_lost", Stage.SELECT, "mail:993", "closed", lost=True)


class Folder:
    """What a server holds; `poison` says how it answers when a certain message is asked for."""

    def __init__(self, count: int, poison: dict[int, StageError | None]) -> None:
        self.mails = {uid * 3: LETTERS[0].raw + b"%d" % uid for uid in range(1, count + 1)}
        self.poison = poison
        self.connections = 0

    def connect(self) -> FolderClient:
        self.connections += 1
        return cast(FolderClient, Session(self))


class Session:
    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self.exists, self.uid_next, self.uid_validity = len(folder.mails), max(folder.mails) + 1, 7

    def examine(self, name: str) -> None:
        self.exists = len(self._folder.mails)

    def close(self) -> None:
        pass

    def first_after(self, uid: int) -> int:
        return next((n for n, one in enumerate(sorted(self._folder.mails), 1) if one > uid), self.exists + 1)

    def sizes(self, first: int, last: int) -> list[Listed]:
        numbered = list(enumerate(sorted(self._folder.mails), 1))[first - 1 : last]
        return [Listed(number, uid, len(self._folder.mails[uid])) for number, uid in numbered]

    def messages(self, first: int, last: int, size_bytes: int) -> list[Fetched]:
        return [one for listed in self.sizes(first, last) if (one := self.message(listed.uid, size_bytes))]

    def message(self, uid: int, size_bytes: int) -> Fetched | None:
        if uid in self._folder.poison:
            answer = self._folder.poison[uid]
            if answer is None:
                return None
            raise answer
        return Fetched(0, uid, self._folder.mails[uid][:size_bytes], NOW)

    def which_exist(self, uids: Sequence[int]) -> set[int]:
        return {uid for uid in uids if uid in self._folder.mails}


def scan(folder: Folder, state_file: Path, is_over: Callable[[], bool] = lambda: False) -> BounceScan:
    with BounceLog(state_file, NOW) as log:
        context = ScanContext(log, Run("run", NOW), KEY, Ledger(), is_over)
        work = BounceScan(ACCOUNT, BounceFolder("Bounces"), folder.connect, context)
        work.read()
    return work


def ids(state_file: Path) -> list[int]:
    with Reader(state_file, NOW) as reader:
        return sorted({row.id for row in reader.rows(BounceFilter(kinds=()))})


@pytest.mark.parametrize("answer", [REFUSED, BROKEN, None], ids=["refused", "broken", "kept"])
def test_a_poisonous_message_is_set_aside_and_all_others_are_read(answer: StageError | None, tmp_path: Path) -> None:
    state_file = tmp_path / "state.json"
    folder = Folder(450, {300: answer})
    done = scan(folder, state_file).done
    assert (done.new, done.kinds[Kind.BOUNCE], len(done.problems)) == (450, 449, 1)
    assert done.problems[0].startswith("UID 300: ")
    assert len(ids(state_file)) == 450
    assert scan(folder, state_file).done.new == 0


def test_what_is_deleted_meanwhile_is_no_problem(tmp_path: Path) -> None:
    folder = Folder(10, {})
    del folder.mails[9]
    done = scan(folder, tmp_path / "state.json").done
    assert (done.new, done.problems) == (9, [])


def test_a_server_that_breaks_every_connection_ends_the_scan_and_not_the_log(tmp_path: Path) -> None:
    folder = Folder(10, dict.fromkeys(range(3, 31, 3), BROKEN))
    with pytest.raises(StageError):
        scan(folder, tmp_path / "state.json")
    assert folder.connections <= 5
    folder.poison.clear()
    assert scan(folder, tmp_path / "state.json").done.new == 10


def test_what_there_was_no_time_for_is_read_by_the_next_scan(tmp_path: Path) -> None:
    folder, looks = Folder(900, {}), iter([False, False, *[True] * 100])
    first = scan(folder, tmp_path / "state.json", lambda: next(looks)).done
    assert first.new + first.unread == 900
    assert 0 < first.new < 900
    assert scan(folder, tmp_path / "state.json").done.new == first.unread
    assert len(ids(tmp_path / "state.json")) == 900


def test_what_trips_the_reader_up_is_set_aside_and_the_position_moves_beyond_it(tmp_path: Path) -> None:
    folder, state_file = Folder(10, {}), tmp_path / "state.json"

    def notify(_found: Classification, raw: bytes) -> tuple[str, ...]:
        if raw.endswith(b"\n5"):
            raise RecursionError
        if raw.endswith(b"\n6"):
            until_s = time.thread_time() + MAX_MESSAGE_CPU_S + 0.1
            while time.thread_time() < until_s:
                pass
        return ()

    with BounceLog(state_file, NOW) as log:
        context = ScanContext(log, Run("run", NOW), KEY, Ledger(), lambda: False, notify)
        work = BounceScan(ACCOUNT, BounceFolder("Bounces"), folder.connect, context)
        work.read()
    assert (work.done.new, work.done.kinds[Kind.BOUNCE]) == (10, 8)
    trip, slow = work.done.problems
    assert trip.startswith("UID 15: a bug in mailmon: RecursionError")
    assert slow.startswith("UID 18: reading it took 1.")
    assert scan(folder, state_file).done.new == 0


def test_a_scan_whose_time_is_over_ends_behind_the_message_it_is_at(tmp_path: Path) -> None:
    folder, looks = Folder(100, {}), iter([False] * 8)
    first = scan(folder, tmp_path / "state.json", lambda: next(looks, True)).done
    assert 0 < first.new < 10
    assert first.new + first.unread == 100
    assert scan(folder, tmp_path / "state.json").done.new == first.unread


@given(st.lists(st.integers(0, 60_000_000), max_size=700))
def test_batches_hold_every_message_once_and_are_bounded(sizes: list[int]) -> None:
    listed = [Listed(number, number + 5, size) for number, size in enumerate(sizes, 1)]
    parted = list(batches(listed))
    assert [one for batch in parted for one in batch] == listed
    for batch in parted:
        assert 1 <= len(batch) <= BATCH_MESSAGES
        assert len(batch) == 1 or sum(min(one.size_bytes, 2**20) for one in batch) <= BATCH_BYTES

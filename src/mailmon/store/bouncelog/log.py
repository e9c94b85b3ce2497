"""The bounce log: opened, written batch by batch, read, and pruned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType

from mailmon.model.bounces import BounceFilter, BounceRow, BounceWindow, Figures, LoggedMessage, Notice
from mailmon.store.bouncelog import notices, reading, writing
from mailmon.store.bouncelog.schema import SCHEMA
from mailmon.store.bouncelog.writing import Folder, Outcome, Position, Recorded, Run, SeenMessage
from mailmon.store.files import beside
from mailmon.store.sqlite.database import Database, ReadOnlyDatabase
from mailmon.store.sqlite.files import DatabaseFile

NAME = "bounces.sqlite"
# Results of scans in test mode, which must not count in the figures.
TEST_NAME = "bounces-test.sqlite"
_EARLIER_NAMES = {NAME: "history.sqlite", TEST_NAME: "history-test.sqlite"}
KEEP_DAYS = 400


def file_of(state_file: Path, name: str = NAME) -> DatabaseFile:
    """Return where the bounce log lies: beside the state file."""
    return DatabaseFile(beside(state_file, name), beside(state_file, _EARLIER_NAMES[name]))


def is_there(state_file: Path) -> bool:
    """Return whether there is a bounce log, also under its earlier name."""
    return any(path.exists() for path in file_of(state_file) if path)


class BounceLog:
    """The bounce log for a run that records; a context manager, for one thread. Each thread opens its own.

    Raises StateError; LockHeldError when another process keeps it longer than ten seconds. `warnings` are about how it
    was found. What `record` returned from is on the disk, whatever happens then.
    """

    def __init__(self, state_file: Path, now: datetime, name: str = NAME) -> None:
        self._database = Database(file_of(state_file, name), SCHEMA, now)
        self.warnings = self._database.warnings
        self._connection = self._database.connection

    def __enter__(self) -> BounceLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; all that was recorded is in it."""
        self._database.close()

    def position(self, account: str, folder: str) -> Position | None:
        """Return the position in a folder, None if it was never read."""
        with self._database.guard():
            return writing.position(self._connection, account, folder)

    def record(
        self,
        folder: Folder,
        last_uid: int,
        messages: Iterable[SeenMessage],
        run: Run,
        readers: Mapping[int, Iterable[str]] = MappingProxyType({}),
    ) -> tuple[Recorded, ...]:
        """Write messages and that the folder was read up to `last_uid` in one transaction; return what is new.

        A notice about a new message is queued with it for each of its `readers`, by UID.
        """
        with self._database.guard():
            return writing.record(self._connection, folder, last_uid, messages, run, readers)

    def known(self, folder: Folder, uids: Iterable[int]) -> dict[int, Recorded]:
        """Return the records of these UIDs: a killed run may have recorded and not moved them."""
        with self._database.guard():
            return writing.known(self._connection, folder, uids)

    def pending(self, folder: Folder, outcomes: Sequence[Outcome], limit: int) -> tuple[Recorded, ...]:
        """Return recorded messages that may still be in the folder, at most `limit`."""
        with self._database.guard():
            return writing.pending(self._connection, folder, outcomes, limit)

    def release(self, folder: Folder, uids: Iterable[int]) -> None:
        """Note that messages have left the folder."""
        with self._database.guard():
            writing.release(self._connection, folder, uids)

    def set_evidence(self, number: int, evidence: str) -> None:
        """Record evidence that a message is genuine, which is collected after the message was recorded."""
        with self._database.guard():
            writing.set_evidence(self._connection, number, evidence)

    def window(self, account: str, since: datetime, reasons: Sequence[str]) -> BounceWindow:
        """Return the bounces of an account since a time, with permanent refusals for these reasons.

        Those with and without evidence are separate.
        """
        with self._database.guard():
            return reading.window(self._connection, account, since, reasons)

    def message(self, number: int) -> LoggedMessage | None:
        """Return one message, None if the id is unknown."""
        with self._database.guard():
            return reading.message(self._connection, number)

    def notices_due(self, now: datetime, limit: int) -> list[Notice]:
        """Return the notices that are due."""
        with self._database.guard():
            return notices.due(self._connection, now, limit)

    def notices_sent_since(self, since: datetime) -> int:
        """Return how many notices were sent since then."""
        with self._database.guard():
            return notices.sent_since(self._connection, since)

    def begin_notice(self, notice: Notice, now: datetime) -> None:
        """Note an attempt before it is made."""
        with self._database.guard():
            notices.begin(self._connection, notice, now)

    def end_notice(self, notice: Notice, now: datetime, error: str = "", *, is_final: bool = False) -> None:
        """Note the result of an attempt."""
        with self._database.guard():
            notices.end(self._connection, notice, now, error, is_final=is_final)

    def retry_notices(self, ids: Sequence[int], now: datetime) -> int:
        """Make notices due at once, with a new set of attempts; return how many."""
        with self._database.guard():
            return notices.retry(self._connection, ids, now)

    def prune(self, keep_days: int = KEEP_DAYS) -> int:
        """Delete messages that were recorded more than so many days ago, a bounded number; return how many."""
        return self._database.prune(keep_days)


class Reader:
    """The bounce log for reading, which changes nothing in it; a context manager. Empty where there is none yet."""

    def __init__(self, state_file: Path, now: datetime) -> None:
        self._database = ReadOnlyDatabase(file_of(state_file), SCHEMA, now)
        self.warnings = self._database.warnings
        self._connection = self._database.connection

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.__exit__(kind, value, trace)

    def rows(self, wanted: BounceFilter) -> Iterator[BounceRow]:
        """Yield matching rows, oldest first, as they are at this moment. Raises StateError on the way."""
        with self._database.guard():
            if self._connection is not None:
                yield from reading.rows(self._connection, wanted)

    def latest(self, wanted: BounceFilter, limit: int) -> list[BounceRow]:
        """Return the last `limit` matching rows, oldest first."""
        with self._database.guard():
            return reading.latest(self._connection, wanted, limit) if self._connection is not None else []

    def message(self, number: int) -> LoggedMessage | None:
        """Return one message, None if the id is unknown."""
        with self._database.guard():
            return reading.message(self._connection, number) if self._connection is not None else None

    def notices(self, limit: int) -> list[Notice]:
        """Return the latest notices, those that were not sent first."""
        with self._database.guard():
            return notices.listed(self._connection, limit) if self._connection is not None else []

    def figures(self, since: datetime, until: datetime) -> Figures:
        """Return the figures of a period: from `since` on, before `until`."""
        with self._database.guard():
            return reading.figures(self._connection, since, until) if self._connection is not None else Figures()

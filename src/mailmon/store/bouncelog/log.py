"""The history of what was seen in the folders with bounces: opened, written by batch, read, and pruned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType, TracebackType

from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter, BounceRow, BounceWindow, Figures, LoggedMessage, Notice
from mailmon.store.bouncelog import notices, reading, retention, writing
from mailmon.store.bouncelog.writing import Folder, Outcome, Position, Recorded, Run, SeenMessage
from mailmon.store.files import beside
from mailmon.store.sqlite.connect import DamagedError, told
from mailmon.store.sqlite.opening import open_to_read, open_to_write, set_aside

NAME = "history.sqlite"
# What a scan in test mode saw: it must not show in the figures.
TEST_NAME = "history-test.sqlite"


class BounceLog:
    """The history for a run that records; a context manager, for one thread. A thread each opens its own.

    Raises StateError from all it does; LockHeldError when another process keeps it longer than ten seconds. `warnings`
    say what was found when it was opened. What `record` returned from is on the disk, whatever happens then.
    """

    def __init__(self, state_file: Path, now: datetime, name: str = NAME) -> None:
        self._path = beside(state_file, name)
        self._now = now
        self._connection, self._lock, self.warnings = open_to_write(self._path, now)

    def __enter__(self) -> BounceLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; all that was recorded is in it."""
        try:
            with told(self._path):
                self._connection.close()
        finally:
            self._lock.release()

    def position(self, account: str, folder: str) -> Position | None:
        """Return how far a folder was read, None where it never was."""
        with self._told():
            return writing.position(self._connection, account, folder)

    def record(
        self,
        folder: Folder,
        last_uid: int,
        messages: Iterable[SeenMessage],
        run: Run,
        readers: Mapping[int, Iterable[str]] = MappingProxyType({}),
    ) -> tuple[Recorded, ...]:
        """Write messages, and that the folder was read up to `last_uid`, at once; tell of each whether it is new.

        A notice about a new message is queued with it for each of its `readers`, by UID.
        """
        with self._told():
            return writing.record(self._connection, folder, last_uid, messages, run, readers)

    def known(self, folder: Folder, uids: Iterable[int]) -> dict[int, Recorded]:
        """Return what is recorded under these UIDs: a run that was killed may have recorded and not moved them."""
        with self._told():
            return writing.known(self._connection, folder, uids)

    def pending(self, folder: Folder, outcomes: Sequence[Outcome], limit: int) -> tuple[Recorded, ...]:
        """Return messages that were recorded and are not known to have left the folder, `limit` at most."""
        with self._told():
            return writing.pending(self._connection, folder, outcomes, limit)

    def release(self, folder: Folder, uids: Iterable[int]) -> None:
        """Note that messages have left the folder."""
        with self._told():
            writing.release(self._connection, folder, uids)

    def set_evidence(self, number: int, evidence: str) -> None:
        """Note what shows that a message is genuine: what takes long to find out is found out after it is recorded."""
        with self._told():
            writing.set_evidence(self._connection, number, evidence)

    def window(self, account: str, since: datetime, reasons: Sequence[str]) -> BounceWindow:
        """Return what was received for an account since then, with permanent refusals for these reasons.

        With evidence and without it apart.
        """
        with self._told():
            return reading.window(self._connection, account, since, reasons)

    def message(self, number: int) -> LoggedMessage | None:
        """Return one message, None where there is no such id."""
        with self._told():
            return reading.message(self._connection, number)

    def notices_due(self, now: datetime, limit: int) -> list[Notice]:
        """Return the notices that may be tried now."""
        with self._told():
            return notices.due(self._connection, now, limit)

    def notices_sent_since(self, since: datetime) -> int:
        """Return how many notices were sent since then."""
        with self._told():
            return notices.sent_since(self._connection, since)

    def begin_notice(self, notice: Notice, now: datetime) -> None:
        """Note an attempt before it is made."""
        with self._told():
            notices.begin(self._connection, notice, now)

    def end_notice(self, notice: Notice, now: datetime, error: str = "", *, is_final: bool = False) -> None:
        """Note what became of an attempt."""
        with self._told():
            notices.end(self._connection, notice, now, error, is_final=is_final)

    def retry_notices(self, ids: Sequence[int], now: datetime) -> int:
        """Let notices be tried anew at once; return how many."""
        with self._told():
            return notices.retry(self._connection, ids, now)

    def prune(self, keep_days: int = retention.KEEP_DAYS) -> int:
        """Remove what was recorded more than so many days ago, a bounded number; return how many messages."""
        with self._told():
            return retention.prune(self._connection, self._now, keep_days)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn errors into ours; a file that turns out damaged is set aside, so that the next run begins a new one."""
        try:
            with told(self._path):
                yield
        except DamagedError as exc:
            self._connection.close()
            if not self._lock.take(alone=True):
                raise StateError(exc.message, "Another process uses it; the next run sets it aside.") from exc
            name = set_aside(self._path, self._now)
            raise StateError(f"{exc.message}; set aside as {name}", "The next run begins a new one.") from exc


class Reader:
    """The history for those who look at it: nothing is changed; a context manager. Empty where there is none yet."""

    def __init__(self, state_file: Path, now: datetime) -> None:
        self._path = history_file(state_file)
        with self._told():
            self._connection = open_to_read(self._path, now)

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()

    def rows(self, wanted: BounceFilter) -> Iterator[BounceRow]:
        """Yield the rows that are wanted, oldest first, as they are at this moment. Raises StateError on the way."""
        with self._told():
            if self._connection is not None:
                yield from reading.rows(self._connection, wanted)

    def latest(self, wanted: BounceFilter, limit: int) -> list[BounceRow]:
        """Return the last `limit` rows that are wanted, oldest first."""
        with self._told():
            return reading.latest(self._connection, wanted, limit) if self._connection is not None else []

    def message(self, number: int) -> LoggedMessage | None:
        """Return one message, None where there is no such id."""
        with self._told():
            return reading.message(self._connection, number) if self._connection is not None else None

    def notices(self, limit: int) -> list[Notice]:
        """Return the latest notices, those that were not sent first."""
        with self._told():
            return notices.listed(self._connection, limit) if self._connection is not None else []

    def figures(self, since: datetime, until: datetime) -> Figures:
        """Return what a period brought: from `since` on, before `until`."""
        with self._told():
            return reading.figures(self._connection, since, until) if self._connection is not None else Figures()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            with told(self._path):
                yield
        except DamagedError as exc:
            raise StateError(exc.message, "The next scan sets it aside and begins a new one.") from exc
        except (ValueError, TypeError, AttributeError) as exc:
            raise StateError(f"{self._path}: its contents make no sense ({type(exc).__name__})") from exc


def history_file(state_file: Path) -> Path:
    """Return the file, which lies beside the state file."""
    return beside(state_file, NAME)

"""The lock on a state, held by one run at a time. The kernel frees the lock of a run that died."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from datetime import datetime
from pathlib import Path

from mailmon import safe
from mailmon.errors import LockHeldError, StateError, StuckLockError
from mailmon.store.files import NOT_WRITABLE, real_place
from mailmon.text import format_duration, visible

# Twice its deadline is more than any run needs that is still alive.
STUCK_FACTOR = 2.0
_MAX_BYTES = 400
# Compiled where somebody holds the lock, and not at every start.
_SPAN = r"deadline (\d{1,9}) s, boot ([0-9a-f]{1,64}|-) (\d{1,12})\.\d{3}"
_SINCE = r"process (\d{1,10}) since (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"


class Lock:
    """An exclusive lock beside the state file; a context manager.

    With a `deadline_s` one that is held for longer than twice that is told from one that is just held: the holder's own
    deadline counts, where it wrote one. `boot_id` is that of the machine's start, "" where it is not known.
    """

    def __init__(self, state_file: Path, now: datetime, deadline_s: float | None = None, boot_id: str = "") -> None:
        self._state_file = state_file
        self._path = state_file.with_name(f"{state_file.name}.lock")
        self._is_own = True
        self._now = now
        self._deadline_s = deadline_s
        self._boot_id = boot_id
        self._descriptor = -1

    def __enter__(self) -> Lock:
        return self if self._descriptor >= 0 else self.take()

    def take(self) -> Lock:
        """Take the lock. Raises LockHeldError at once when another run has it, StateError when it cannot be made.

        Raises StuckLockError when the other run has it for longer than it can need it.

        Where nothing can be written it is taken on the file that is there, or not at all: people must be told all the
        same, and that the state cannot be written is said when it is tried.
        """
        try:
            self._descriptor = self._open()
        except OSError as exc:
            raise StateError(
                f"{self._path}: cannot be opened: {exc.strerror}",
                "Run as the user that owns the state directory, or set state_file.",
            ) from exc
        if self._descriptor < 0:
            return self
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            error = self._held()
            self.release()
            raise error from exc
        # Who holds it is a courtesy to the second run: a full disk must not end the first one.
        with contextlib.suppress(OSError):
            if not self._is_own:
                return self
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, self._who().encode())
        return self

    def _who(self) -> str:
        """Return what is written for the others. The monotonic clock is the same for all processes of one start."""
        who = f"process {os.getpid()} since {self._now:%Y-%m-%dT%H:%M:%SZ}\n"
        if self._deadline_s is None:
            return who
        return f"{who}deadline {self._deadline_s:.0f} s, boot {self._boot_id or '-'} {time.monotonic():.3f}\n"

    def _held(self) -> LockHeldError | StuckLockError:
        """Return an error with the holder of the lock, and whether that run is still active."""
        said = os.read(self._descriptor, _MAX_BYTES).decode("utf-8", "replace") if self._is_own else ""
        first, _, second = said.strip().partition("\n")
        holder = visible(first) or "unknown process"
        held_s, deadline_s = self._held_for(first, second)
        if self._deadline_s is None or held_s <= STUCK_FACTOR * deadline_s:
            return LockHeldError(f"another run holds {self._path}: {holder}", "Wait for it; runs never overlap.")
        pid = match[1] if (match := re.match(_SINCE, first, re.ASCII)) else ""
        return StuckLockError(
            f"another run hangs and holds {self._path}: {holder}, for {format_duration(held_s)} now; "
            f"its deadline was {format_duration(deadline_s)}",
            f"No check runs until it ends: `kill -9 {pid}`." if pid else "End that process: no check runs until then.",
            holder=visible(said.strip().replace("\n", ", ")),
        )

    def _held_for(self, first: str, second: str) -> tuple[float, float]:
        """Return for how many seconds the lock has been held, and the deadline of its holder.

        By the clock that nobody sets and that stands still while the machine sleeps, where both runs are of the same
        start of the machine; else by the wall clock.
        """
        span, since = re.fullmatch(_SPAN, second, re.ASCII), re.match(_SINCE, first, re.ASCII)
        deadline_s = max(float(span[1]) if span else 0.0, 1.0) if span else self._deadline_s or 0.0
        if span and span[2] == self._boot_id:
            return time.monotonic() - float(span[3]), deadline_s
        try:
            begun_at = datetime.fromisoformat(since[2]) if since else None
        except ValueError:
            begun_at = None
        begun_s = begun_at.timestamp() if begun_at else os.fstat(self._descriptor).st_mtime
        return self._now.timestamp() - begun_s, deadline_s

    def _open(self) -> int:
        try:
            return safe.open_regular(self._path, os.O_RDWR, 0o600)
        except OSError as exc:
            # In a directory that only others may write a state file is written in place: it can be locked itself.
            if not os.access(self._path.parent, os.W_OK):
                with contextlib.suppress(OSError):
                    descriptor = safe.open_regular(real_place(self._state_file), os.O_RDWR)
                    self._is_own = False
                    return descriptor
            if exc.errno not in NOT_WRITABLE and self._path.parent.exists():
                raise
            with contextlib.suppress(OSError):
                return safe.open_regular(self._path)
            return -1

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Release the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

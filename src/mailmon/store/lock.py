"""Is another run at work on this state? The kernel frees the lock of a run that died."""

from __future__ import annotations

import contextlib
import fcntl
import os
from datetime import datetime
from pathlib import Path

from mailmon import safe
from mailmon.errors import LockHeldError, StateError
from mailmon.mail.text import visible
from mailmon.store.files import NOT_WRITABLE


class Lock:
    """An exclusive lock beside the state file; a context manager."""

    def __init__(self, state_file: Path, now: datetime) -> None:
        self._path = state_file.with_name(f"{state_file.name}.lock")
        self._now = now
        self._descriptor = -1

    def __enter__(self) -> Lock:
        return self if self._descriptor >= 0 else self.take()

    def take(self) -> Lock:
        """Take the lock. Raises LockHeldError at once when another run has it, StateError when it cannot be made.

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
            holder = visible(os.read(self._descriptor, 200).strip())
            self.release()
            raise LockHeldError(
                f"another run holds {self._path}: {holder or 'unknown process'}", "Wait for it; runs never overlap."
            ) from exc
        # Who holds it is a courtesy to the second run: a full disk must not end the first one.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"process {os.getpid()} since {self._now:%Y-%m-%dT%H:%M:%SZ}\n".encode())
        return self

    def _open(self) -> int:
        try:
            return safe.open_regular(self._path, os.O_RDWR, 0o600)
        except OSError as exc:
            if exc.errno not in NOT_WRITABLE and self._path.parent.exists():
                raise
            with contextlib.suppress(OSError):
                return safe.open_regular(self._path)
            return -1

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give the lock up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

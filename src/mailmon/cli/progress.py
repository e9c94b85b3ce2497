"""How far is a long run? One line on a terminal, beside what is printed, and gone at the end."""

from __future__ import annotations

import shutil
import sys
import time

from mailmon.run.workers import Progress
from mailmon.text import format_duration

# A run that is done by then needs no line; and nobody reads more than a few in a second.
QUIET_S, INTERVAL_S = 2.0, 0.2
_ERASE = "\r\x1b[K"


class ProgressLine:
    """The line, on stderr. For one thread."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._shown_s = 0.0

    def show(self, progress: Progress) -> None:
        """Draw the line anew, unless it was drawn just now."""
        now_s = time.monotonic()
        if now_s - self._began_s < QUIET_S or now_s - self._shown_s < INTERVAL_S:
            return
        self._shown_s = now_s
        _write(_ERASE + words_of(progress)[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Take the line away, so that something else can be printed; it comes back with the next second."""
        if self._shown_s:
            _write(_ERASE)
            self._shown_s = 0.0


def progress_line(is_quiet: bool) -> ProgressLine | None:
    """Return the line, None where nobody would see it."""
    return None if is_quiet or not sys.stderr.isatty() else ProgressLine()


def words_of(progress: Progress) -> str:
    """Return how far a run is.

    >>> words_of(Progress(3, 8, 1, None, 0.0))
    '3 of 8 steps, 1 failed'
    """
    failed = f", {progress.failed} failed" if progress.failed else ""
    for_s = time.monotonic() - progress.oldest_since_s
    oldest = f"; {progress.oldest.id} for {format_duration(for_s)}" if progress.oldest and for_s >= 1 else ""
    return f"{progress.done} of {progress.planned} steps{failed}{oldest}"


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return

"""The heartbeat file: when the last complete run ended, and how, in a small file whose age anything can watch."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from mailmon import safe
from mailmon.errors import StateError
from mailmon.model.run import RunResult
from mailmon.outputs.output import Output

# Always of the same length and written in place: that works on a full disk, too.
LINE_BYTES = 64


class Heartbeat(Output):
    """Writes the heartbeat file at the end of a run."""

    name, called = "heartbeat", "heartbeat_file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def end(self, result: RunResult) -> None:
        beat(self._path, result.finished_at, result.status, result.exit_code)


def beat(path: Path, at: datetime, status: str, exit_code: int) -> None:
    """Write when a run ended, and how. Raises StateError."""
    line = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {status} exit {exit_code}".ljust(LINE_BYTES - 1) + "\n"
    try:
        descriptor = safe.open_regular(path, os.O_WRONLY, 0o644)
        try:
            os.pwrite(descriptor, line.encode(), 0)
            os.ftruncate(descriptor, LINE_BYTES)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise StateError(f"heartbeat_file: {path}: {exc.strerror}", "Set heartbeat_file to a writable place.") from exc

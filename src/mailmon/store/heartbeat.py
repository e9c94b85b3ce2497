"""When did the last complete run end? A small file whose age anything can watch."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from mailmon import safe
from mailmon.errors import StateError

# Always the same length, written in place: that works on a full disk too.
LINE_BYTES = 64


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

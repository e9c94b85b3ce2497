"""When did the last complete run end? A small file whose age anything can watch."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from mailmon.errors import StateError
from mailmon.store.files import give_to_owner_of

# Always the same length, written in place: that works on a full disk too.
LINE_BYTES = 64


def beat(path: Path, at: datetime, status: str, exit_code: int) -> None:
    """Write when a run ended, and how. Raises StateError."""
    line = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {status} exit {exit_code}".ljust(LINE_BYTES - 1) + "\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            give_to_owner_of(path.parent, descriptor)
            file.write(line.encode())
        os.truncate(path, LINE_BYTES)
    except OSError as exc:
        raise StateError(f"heartbeat_file: {path}: {exc.strerror}", "Set heartbeat_file to a writable place.") from exc

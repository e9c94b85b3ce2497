"""The clock of a run, which nobody can set while it goes on, and jumps of the wall clock between two runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from mailmon.model import Anchor

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Slewing (at most 500 ppm) and reading two clocks one after the other are no jumps.
TOLERANCE = timedelta(seconds=30)
TOLERATED_SHARE = 0.001


def steady(started_at: datetime, monotonic: Callable[[], float] = time.monotonic) -> Callable[[], datetime]:
    """Return a clock that goes on from a wall clock's time by the monotonic clock."""
    started_s = monotonic()
    return lambda: started_at + timedelta(seconds=monotonic() - started_s)


def read_anchor(at: datetime) -> Anchor:
    """Return the time since the machine's start that belongs to a time of the wall clock."""
    try:
        # A hardened unit does not see the file, and says it by the environment (systemd's %b, without dashes).
        boot_id = os.environ.get("MAILMON_BOOT_ID") or _BOOT_ID.read_text("ascii").strip()
        return Anchor(boot_id.replace("-", ""), time.clock_gettime(time.CLOCK_BOOTTIME), at)
    except (OSError, AttributeError):  # not on every system: then only a step back is noticed
        return Anchor("", 0.0, at)


def jump(before: Anchor | None, now: Anchor) -> timedelta:
    """Return by how much the wall clock was moved between two runs, zero where nothing shows that it was.

    Since the same start of the machine its uptime tells, sleep included. Across a restart nothing can be told but that
    time does not run backwards.
    """
    if before is None:
        return timedelta()
    if before.boot_id == now.boot_id and now.boot_id:
        passed = timedelta(seconds=now.boottime_s - before.boottime_s)
        moved = now.at - before.at - passed
        return moved if abs(moved) > max(TOLERANCE, TOLERATED_SHARE * passed) else timedelta()
    return now.at - before.at if now.at < before.at - TOLERANCE else timedelta()

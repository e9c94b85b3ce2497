"""Has somebody set the clock since the last run?"""

from __future__ import annotations

from datetime import timedelta

from mailmon.model import Anchor

# Slewing (at most 500 ppm) and reading two clocks one after the other are no jumps.
TOLERANCE = timedelta(seconds=30)
TOLERATED_SHARE = 0.001


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

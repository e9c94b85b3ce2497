"""What time is it for this run? One clock that nobody can set while it goes on."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from mailmon.model import Anchor

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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

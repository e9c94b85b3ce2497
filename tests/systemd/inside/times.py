"""Starts by the timer, and runs that systemd ends."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from .environment import FAILURE, SERVICE, TIMER, Environment, call, eventually, journal, show

# What the page says, made quick; a random delay would only make the trial longer.
_QUICK = {"OnBootSec=2min": "OnBootSec=1s", "OnUnitActiveSec=5min": "OnUnitActiveSec=2s"}
_QUICK_CALENDAR = {"OnCalendar=*:0/30": "OnCalendar=*:*:0/2"}
_NO_DELAY = "RandomizedDelaySec=0\n"


def killed(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """A run takes longer than systemd lets it."""
    del seen
    environment.reset()
    environment.drop_in(SERVICE, "[Service]\nTimeoutStartSec=2\n")
    environment.inject(delivery_delay_s=15)
    started_s = time.monotonic()
    first = environment.run()
    took_s = time.monotonic() - started_s
    second = environment.run()
    environment.inject()
    return {"first": first, "run_s": took_s, "second": second, "recovered": environment.run(), "said": journal(SERVICE)}


def interval(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The timer fires by itself, run after run, also after one that has failed."""
    del seen
    environment.reset()
    environment.drop_in(TIMER, _quick(environment.page["drop_ins"]["interval"], _QUICK))
    invocations = _invocations_by_timer(4, environment)
    return {**invocations, "timer": show(TIMER, "ActiveState", "TimersMonotonic", "Result")}


def calendar(environment: Environment, seen: dict[str, Any]) -> dict[str, Any]:
    """The timer fires by the calendar, and state when it last did."""
    del seen
    environment.reset()
    environment.drop_in(TIMER, _quick(environment.page["drop_ins"]["calendar"], _QUICK_CALENDAR))
    invocations = _invocations_by_timer(2, environment)
    stamp = Path(f"/var/lib/systemd/timers/stamp-{TIMER}")
    shown = show(TIMER, "Persistent", "TimersCalendar", "TimersMonotonic")
    return {**invocations, "timer": shown, "has_stamp": stamp.exists()}


def _quick(text: str, changes: dict[str, str]) -> str:
    for slow, quick in changes.items():
        assert slow in text, f"the page no longer says {slow}"
        text = text.replace(slow, quick)
    return text + _NO_DELAY


def _invocations_by_timer(count: int, environment: Environment) -> dict[str, Any]:
    """Let the timer start some runs, the second of them with a broken configuration."""
    starts: dict[str, float] = {}
    old = show(SERVICE)["InvocationID"]

    def look() -> bool:
        now = show(SERVICE)["InvocationID"]
        if now not in (old, *starts):
            starts[now] = time.monotonic()
            environment.write(environment.config(**({"deadline_s": "many"} if len(starts) == 1 else {})))
        return len(starts) >= count

    call("systemctl", "enable", "--now", TIMER)
    eventually(look, f"{count} runs by the timer")
    eventually(lambda: show(SERVICE)["ActiveState"] in ("inactive", "failed"), "the last run ends")
    call("systemctl", "disable", "--now", TIMER)
    eventually(lambda: show(FAILURE)["ActiveState"] in ("inactive", "failed"), "the failure unit ends")
    times = list(starts.values())
    return {
        "runs": len(starts),
        "apart_s": [round(later - earlier, 2) for earlier, later in pairwise(times)],
        "alerts": environment.new_alerts(),
    }

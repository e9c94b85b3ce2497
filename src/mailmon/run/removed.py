"""What is forgotten because it is no longer configured, and what is kept although it was not asked? Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from mailmon.alerting import without
from mailmon.model import CheckState, Health
from mailmon.run.certificates import CERTIFICATE
from mailmon.run.delivery import KEEP_GONE
from mailmon.run.dispatch import Taken
from mailmon.run.subjects import CHANNEL, UNIT

KEEP_UNSEEN = timedelta(days=7)


def without_removed(taken: Taken, configured: Collection[str], now: datetime) -> Taken:
    """Forget the steps that are no longer configured, and what waits to be told of them."""

    def is_kept(step_id: str, memory: CheckState) -> bool:
        if step_id.startswith(CERTIFICATE):
            # It is seen by whoever logs in, and not every run does.
            return memory.checked_at is not None and now - memory.checked_at < KEEP_UNSEEN
        if step_id in configured or memory.told.health is Health.UP:
            return step_id in configured
        # A channel may be missing from one run only: its trouble must not be told anew when it is back.
        is_recent = now - (memory.told.at or now) < KEEP_GONE
        return step_id.startswith(UNIT) or (step_id.startswith(CHANNEL) and is_recent)

    checks = {key: memory for key, memory in taken.state.checks.items() if is_kept(key, memory)}
    gone = {key for key in taken.state.checks if key not in checks and not key.startswith(UNIT)}
    outbox = without(taken.state.outbox, lambda flip: flip.id in gone)
    return taken._replace(state=taken.state._replace(checks=checks, outbox=tuple(outbox)))

"""The alerts that were sent or dropped, and those that are pending."""

from __future__ import annotations

from datetime import datetime

from mailmon.config import Setup
from mailmon.model.status import AlertLog
from mailmon.store.keeper import look_up


def alerts(setup: Setup, now: datetime) -> AlertLog:
    """Return the latest alerts. Reads only. Raises StateError."""
    loaded = look_up(setup.state_file, now)
    return AlertLog(loaded.state.deliveries, loaded.state.outbox, loaded.warnings)

"""Notices about bounces: listed, and queued again."""

from __future__ import annotations

from collections.abc import Collection

from mailmon.app.bounces.log import Warn, ignore, open_log
from mailmon.app.setup import now
from mailmon.config import Setup
from mailmon.model.bounces import Notice


def notices(setup: Setup, limit: int, *, is_masked: bool = False, warn: Warn = ignore) -> list[Notice]:
    """Return notices, those that are queued or failed first. Raises StateError."""
    with open_log(setup, warn) as reader:
        found = reader.notices(limit)
    if not is_masked:
        return found
    from mailmon.mail.masking import mask_address, mask_text

    return [
        one._replace(recipient=mask_address(one.recipient), error=mask_text(one.error, [one.recipient]))
        for one in found
    ]


def retry(setup: Setup, ids: Collection[int] = (), warn: Warn = ignore) -> int:
    """Queue notices again: those with these ids, all where none is given. Return how many. Raises StateError."""
    from mailmon.store.bouncelog.log import BounceLog

    at = now()
    with BounceLog(setup.state_file, at) as log:
        for warning in log.warnings:
            warn(warning)
        return log.retry_notices(tuple(ids), at)

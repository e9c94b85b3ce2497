"""How is a time written in the history? ISO 8601 in UTC, always as long, so that text compares as time does."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(at: datetime) -> str:
    """Return an aware time as `2026-03-01T12:00:00.000Z`; what is beyond year 1 or 9999 in UTC becomes the limit."""
    try:
        there = at.astimezone(UTC)
    except OverflowError:
        there = datetime(1, 1, 1, tzinfo=UTC) if at.year == 1 else datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
    return there.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_text(text: str) -> datetime:
    """Return the aware time that `to_text` wrote. Raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at

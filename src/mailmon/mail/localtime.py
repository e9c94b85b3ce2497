"""Local time for people. Pure, but for the zone that the environment names."""

from __future__ import annotations

from datetime import datetime


def local(at: datetime) -> datetime:
    """Return an aware time in the local zone, as it is where there is no usable one: no zone may keep an alert back.

    The C library takes any TZ, also offsets of a day and more, which Python refuses; and a time near the first or the
    last year has no local form in every zone.
    """
    try:
        return at.astimezone()
    except (ValueError, OverflowError, OSError):
        return at


def short_time(at: datetime, now: datetime) -> str:
    """Return local time with its offset, as a person at night wants it; the date where it was another day."""
    here = local(at)
    is_today = here.date() == local(now).date()
    return f"{here:%H:%M %z}" if is_today else f"{here:%Y-%m-%d %H:%M %z}"

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

"""When is a message that was not taken tried again? Pure."""

from __future__ import annotations

FIRST_S, LONGEST_S = 300.0, 21600.0
# Some two days in all: who has not answered by then will not.
MAX_ATTEMPTS = 13


def pause_s(attempts: int) -> float | None:
    """Return the seconds until the next attempt after so many, None when there is none any more.

    >>> [pause_s(number) for number in (1, 2, 3, 8, 12, 13)]
    [300.0, 600.0, 1200.0, 21600.0, 21600.0, None]
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return float(min(FIRST_S * 2 ** min(max(attempts, 1) - 1, 20), LONGEST_S))

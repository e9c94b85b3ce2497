"""How much time is left?"""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """A moment on the monotonic clock after which nothing may still be waited for."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self.at_s = monotonic() + seconds

    def remaining_s(self) -> float:
        """Return the seconds that are left, 0 when it has passed."""
        return max(self.at_s - self.monotonic(), 0.0)

    def bound_s(self, seconds: float) -> float:
        """Return `seconds`, or what is left if that is less."""
        return min(seconds, self.remaining_s())

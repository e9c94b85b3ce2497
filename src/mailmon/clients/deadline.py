"""Deadlines: the time that is left, and work that must not exceed it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


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


def within(timeout_s: float, work: Callable[[], T]) -> T:
    """Return what some foreign code returns, or raise what it raises.

    Raises TimeoutError when it has not ended in time; its thread is left to itself.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as exc:  # raised again by the caller's thread
            errors.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout_s)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {timeout_s:.3g} s")
    return results[0]

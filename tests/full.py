"""Samples of long tests: `make test` runs a sample, `make soak` and `make faults` (MAILMON_TESTS_FULL=1) everything."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")
FULL = bool(os.environ.get("MAILMON_TESTS_FULL"))


def sample(items: Iterable[T], count: int) -> list[T]:
    """Return `count` of the items, evenly spaced from the first to the last; all of them in a full run."""
    everything = list(items)
    if FULL or count >= len(everything):
        return everything
    steps = max(count - 1, 1)
    return [everything[number * (len(everything) - 1) // steps] for number in range(count)]


def size(ordinary: int, full: int) -> int:
    """Return a number of rows, lines or examples: `full` in a full run."""
    return full if FULL else ordinary

"""Sleep under libfaketime, whose clock_nanosleep (0.9.10) refuses what time.sleep asks for."""

import select
import time
from typing import SupportsIndex


def _sleep(seconds: float | SupportsIndex, /) -> None:
    select.select([], [], [], float(seconds))


time.sleep = _sleep

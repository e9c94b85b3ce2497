"""The wall clock of a run, moved by libfaketime; the monotonic clock stays."""

from __future__ import annotations

import os
from pathlib import Path

from tests.faults.dsl import Need

_PLACES = (
    "/usr/lib/*/faketime/libfaketime.so.1",
    "/usr/lib*/faketime/libfaketime.so.1",
    "/usr/local/lib/faketime/*.so.1",
)


def _library() -> str:
    return next((str(path) for pattern in _PLACES for path in sorted(Path("/").glob(pattern[1:]))), "")


def faked(offset_s: float) -> dict[str, str]:
    """Return the environment in which the wall clock is so many seconds ahead."""
    if not offset_s:
        return {}
    library = {"LD_PRELOAD": _library(), "FAKETIME": f"{offset_s:+.0f}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    places = [str(Path(__file__).with_name("unfaked")), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**library, "PYTHONPATH": os.pathsep.join(places)}


FAKETIME = Need("needs libfaketime to set the clock (apt-get install libfaketime)", lambda: bool(_library()))

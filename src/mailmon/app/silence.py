"""Silences: begin, list and end them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import UnknownNameError, UsageError
from mailmon.model import Silence
from mailmon.model.status import SilenceList
from mailmon.run.subjects import silenceable_names
from mailmon.store.files import make_directory
from mailmon.store.lock import Lock
from mailmon.store.silences import active, read_silences, silences_file, write_silences
from mailmon.store.state import RENAMED_STEPS
from mailmon.text import visible

MAX_WHY = 200
MAX_FOR_S = 366 * 86400


def list_silences(setup: Setup, now: datetime) -> SilenceList:
    """Return the active silences."""
    silences, problem = read_silences(setup.state_file, read_anchor(now))
    return SilenceList(tuple(active(silences, now)), (problem,) if problem else ())


def begin_silence(setup: Setup, names: Collection[str], for_s: float, why: str, now: datetime) -> SilenceList:
    """Silence the alerts for some names for `for_s` seconds from now; return all active silences.

    Raises UnknownNameError, UsageError for a duration out of bounds, StateError.
    """
    known = silenceable_names(setup)
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(sorted(known))
        raise UnknownNameError("\n".join(f"unknown name {name!r} (known: {there})" for name in unknown))
    if not 1 <= for_s <= MAX_FOR_S:
        raise UsageError("must be between 1 second and 1 year")
    until = now + timedelta(seconds=for_s)
    return _replace(setup, names, [Silence(name, now, until, visible(why, MAX_WHY)) for name in names], now)


def end_silence(setup: Setup, names: Collection[str], now: datetime) -> SilenceList:
    """End the silences of some names; return those that are left. Raises UnknownNameError, StateError.

    A step may be given by the name that earlier versions had for it.
    """
    names = [RENAMED_STEPS.get(name, name) for name in names]
    held = {silence.name for silence in list_silences(setup, now).silences}
    unknown = [name for name in names if name not in held]
    if unknown:
        there = f" (active: {', '.join(sorted(held))})" if held else ""
        raise UnknownNameError("\n".join(f"no active silence for {name!r}{there}" for name in unknown))
    return _replace(setup, names, [], now)


def _replace(setup: Setup, names: Collection[str], fresh: list[Silence], now: datetime) -> SilenceList:
    """Replace the silences of these names under a lock of their own file, which a run does not hold."""
    make_directory(setup.state_file.parent)
    with Lock(silences_file(setup.state_file), now):
        silences, problem = read_silences(setup.state_file, read_anchor(now))
        kept = (*(s for s in active(silences, now) if s.name not in names), *fresh)
        write_silences(setup.state_file, kept, read_anchor(now))
    return SilenceList(kept, (problem,) if problem else ())

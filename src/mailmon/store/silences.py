"""Silences, in a separate file, so that one can be added during a run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.clock import jump
from mailmon.model import Anchor, Silence
from mailmon.store.files import write_atomically
from mailmon.store.state import RENAMED_STEPS
from mailmon.typedjson.convert import build_strictly, shifted, to_plain

SCHEMA = "mailmon/silences/1"
MAX_BYTES = 1024 * 1024
# A clock that was set back must not make a silence longer: one that has not begun yet counts as none.
EARLY = timedelta(minutes=5)


class _File(NamedTuple):
    schema: str = SCHEMA
    silences: tuple[Silence, ...] = ()
    anchor: Anchor | None = None


def read_silences(state_file: Path, now: Anchor) -> tuple[tuple[Silence, ...], str]:
    """Return the silences, and a warning where the file cannot be used: then no silence is active. Never raises.

    They have moved along with a clock that was set since they were written: they last as long as was asked for.
    """
    path = silences_file(state_file)
    try:
        document = json.loads(safe.read_file(path, MAX_BYTES))
        if document["schema"] != SCHEMA:
            raise ValueError("another schema")
        found = build_strictly(_File, document, any_year=True)
        silences: tuple[Silence, ...] = shifted(found.silences, jump(found.anchor, now))
        return tuple(one._replace(name=RENAMED_STEPS.get(one.name, one.name)) for one in silences), ""
    except FileNotFoundError:
        return (), ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as exc:
        return (), f"{path}: cannot be used ({type(exc).__name__}), so no silence is active: delete it"


def write_silences(state_file: Path, silences: Iterable[Silence], now: Anchor) -> None:
    """Write the silences. Raises StateError."""
    document = to_plain(_File(silences=tuple(silences), anchor=now))
    write_atomically(silences_file(state_file), json.dumps(document).encode() + b"\n")


def active(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    """Return the silences that hold now."""
    return [silence for silence in silences if silence.since <= now + EARLY and now < silence.until]


def silenced_until(silences: Iterable[Silence]) -> dict[str, datetime]:
    """Return the names that silences are for, each with the end of its last one."""
    return {silence.name: silence.until for silence in sorted(silences, key=lambda silence: silence.until)}


def silences_file(state_file: Path) -> Path:
    """Return the file, which lies beside the state file."""
    return state_file.with_name(f"{state_file.name}.silences")

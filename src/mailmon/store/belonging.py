"""The configuration that a state belongs to, noted in a small file beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.errors import StateError
from mailmon.store.files import write_atomically

SCHEMA = "mailmon/configuration/1"
NAME = "configuration"
MAX_BYTES = 4 * 1024 * 1024


class Belonging(NamedTuple):
    """The configuration file as given, absolute, and what it watches: `monitor@example.org at mail.example.org`."""

    file: str = ""
    watches: frozenset[str] = frozenset()


class Place(NamedTuple):
    """Where the state of a configuration lies.

    `shared` is the state that all configurations of a user once had in common, None where somebody said where the state
    is. `file` is the configuration as given, absolute. `is_settled` says that the state is known to be its own.
    """

    state_file: Path
    shared: Path | None = None
    file: str = ""
    watches: frozenset[str] = frozenset()
    is_settled: bool = True


def read_belonging(directory: Path) -> Belonging | None:
    """Return whose state lies in a directory, None where nothing says it. Never raises."""
    try:
        document = json.loads(safe.read_file(directory / NAME, MAX_BYTES))
        if document["schema"] != SCHEMA:
            return None
        return Belonging(str(document["file"]), frozenset(map(str, document["watches"])))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def settle(place: Place) -> bool:
    """Note whose state it is, and return True; False where it cannot be written, which the next run tries again."""
    document = {"schema": SCHEMA, "file": place.file, "watches": sorted(place.watches)}
    try:
        write_atomically(place.state_file.with_name(NAME), json.dumps(document, indent=1).encode() + b"\n")
    except StateError:
        return False
    return True

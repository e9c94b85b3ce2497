"""The state that all configurations of a user once shared, and what is left of it to take over.

What is left lies beside it as `shared.json`: each configuration takes its own part once, and leaves the others'.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.errors import StateError
from mailmon.store.belonging import read_belonging
from mailmon.store.bouncelog.log import is_there as has_bounce_log
from mailmon.store.checked import known_digest
from mailmon.store.files import write_atomically
from mailmon.store.keeper import look_up
from mailmon.store.state import MAX_BYTES, State, rename_keys
from mailmon.typedjson.convert import build_strictly, to_plain

SCHEMA = "mailmon/shared/1"
NAME = "shared.json"
# What a state consists of; where none of it is there, there is nothing to take over.
_PARTS = ("", ".journal", ".silences")


class Shared(NamedTuple):
    """What is left. `checked` is the digest of the configuration of the last run, `taken_by` who had their part."""

    schema: str = SCHEMA
    checked: str = ""
    taken_by: tuple[str, ...] = ()
    state: State = State()


def rest_file(shared: Path) -> Path:
    """Return the file that holds what is left."""
    return shared.with_name(NAME)


def is_there(shared: Path) -> bool:
    """Return whether there may be anything to take over."""
    if rest_file(shared).exists():
        return True
    parts = [shared.with_name(f"{shared.name}{ending}") for ending in _PARTS]
    is_anything = any(part.exists() for part in parts) or has_bounce_log(shared)
    return is_anything and read_belonging(shared.parent) is None


def read_shared(shared: Path, now: datetime) -> Shared:
    """Return what is left, all of the old state where nobody took a part yet. Raises StateError."""
    path = rest_file(shared)
    try:
        raw = safe.read_file(path, 2 * MAX_BYTES)
    except FileNotFoundError:
        return Shared(checked=known_digest(shared), state=look_up(shared, now).state)
    except OSError as exc:
        raise StateError(f"{path}: cannot be read: {exc.strerror}", "Run as the user that owns it.") from exc
    try:
        document = json.loads(raw)
        rename_keys(document["state"])
        found = build_strictly(Shared, document)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return Shared()
    return found if found.schema == SCHEMA else Shared()


def write_shared(shared: Path, rest: Shared) -> None:
    """Write what is left. Raises StateError."""
    write_atomically(rest_file(shared), json.dumps(to_plain(rest)).encode() + b"\n")

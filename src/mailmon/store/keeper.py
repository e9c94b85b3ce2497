"""Holds the state of one run: read once, written at fixed points, and honest when it cannot be written."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from mailmon.errors import StateError
from mailmon.store import key as keys
from mailmon.store import state as states
from mailmon.store.checked import remember_checked


class Keeper:
    """The state file and the signing key of one run. A dry run reads both and writes neither."""

    def __init__(self, path: Path, now: datetime, *, is_dry: bool) -> None:
        self._path = path
        self._is_dry = is_dry
        self.error = ""
        loaded = states.peek_or_empty(path) if is_dry else states.load(path, now)
        self.state = loaded.state
        self.warnings = loaded.warnings

    def signing_key(self) -> bytes:
        """Return the key that signs our probes, a new one where there is none."""
        key = keys.read_key(self._path)
        if key is None and self._is_dry:
            return keys.new_key()
        if key is None:
            try:
                return keys.make_key(self._path)
            except StateError as exc:
                self.error = exc.message
                return keys.new_key()
        return key

    def remember_checked(self, document: dict[str, Any], key: bytes) -> None:
        """Note that this configuration is right, so that the next run need not check it."""
        if not self._is_dry and not self.error:
            try:
                remember_checked(self._path, document, key)
            except StateError as exc:
                self.error = exc.message

    def save(self, **changes: Any) -> None:
        """Change the state and write it. A failure does not end the run: it is told by `error` (exit 74)."""
        self.state = self.state._replace(**changes)
        if self._is_dry:
            return
        try:
            states.save(self._path, self.state)
            self.error = ""
        except StateError as exc:
            self.error = exc.message

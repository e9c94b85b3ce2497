"""Holds the state of one run: read once, written at fixed points, with errors reported by `error`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from mailmon.errors import StateError
from mailmon.store import journal
from mailmon.store import key as keys
from mailmon.store import state as states
from mailmon.store.checked import remember_checked
from mailmon.store.state import State


class Keeper:
    """The state file, its journal and the signing key of one run. A dry run reads them and writes none.

    The journal is the second copy of what people know and wait for. It can be overwritten where the state file cannot
    be written, and it tells what was announced when the state file is lost.
    """

    def __init__(self, path: Path, now: datetime, *, is_dry: bool) -> None:
        self._path = path
        self._is_dry = is_dry
        self.error = ""
        self.may_repeat = False
        self._is_in_place = False
        loaded = states.peek_or_empty(path) if is_dry else states.load(path, now)
        self.state, self.warnings, self._journalled = _with_journal(path, loaded)

    def signing_key(self) -> bytes:
        """Return the key that signs our probes, a new one where there is none."""
        key = keys.read_signing_key(self._path, self.state.probes)
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
        """Change the state and write it. A failure does not end the run: `error` has it (exit 74).

        `may_repeat` says that the journal could not be written either, so that what is sent now may be sent again.
        """
        state = self.state._replace(**changes)
        known, serial = states.known(state), state.serial + 1
        is_news = known != self._journalled
        self.state = state._replace(serial=serial, journal_serial=serial if is_news else state.journal_serial)
        if self._is_dry:
            return
        if is_news and self._is_in_place:  # what is torn by a crash must have been written down before
            self._write_journal(known)
        try:
            self._is_in_place = states.save(self._path, self.state)
            self.error = ""
        except StateError as exc:
            self.error = exc.message
        if known != self._journalled or self.error:
            self._write_journal(known)

    def _write_journal(self, known: object) -> None:
        self.may_repeat = False
        payload = states.journal_payload(self.state)
        try:
            if not self.error:
                journal.allocate(self._path, len(payload))
            journal.write(self._path, journal.Record(self.state.serial, payload))
            self._journalled = known
        except StateError:
            self.may_repeat = bool(self.error)


def look_up(path: Path, now: datetime) -> states.Loaded:
    """Return the state without changing anything. Raises StateError where it cannot be read."""
    keeper = Keeper(path, now, is_dry=True)
    return states.Loaded(keeper.state, keeper.warnings)


def _with_journal(path: Path, loaded: states.Loaded) -> tuple[State, tuple[str, ...], object]:
    """Return the state, the warnings, and the content of the journal.

    What people know is taken from the journal where it is newer than the state file, or where that is gone.
    """
    record = journal.read(path)
    if record is None:
        return loaded.state, loaded.warnings, None
    if loaded.is_usable and record.serial <= loaded.state.serial:
        is_current = record.serial == loaded.state.journal_serial
        return loaded.state, loaded.warnings, states.known(loaded.state) if is_current else None
    kept = states.from_journal(record.payload)
    if kept is None:  # of another version: what is written from now on must still be newer
        warning = f"{path}: invalid contents of its journal, which is written anew"
        return loaded.state._replace(serial=record.serial), (*loaded.warnings, warning), None
    announced = {name: getattr(kept, name) for name in states.IN_JOURNAL}
    state = loaded.state._replace(serial=record.serial, **announced)
    if loaded.is_usable:
        return state, loaded.warnings, states.known(state)
    warning = f"{path}: alert history restored from the journal; delete both files to start over"
    return state, (*loaded.warnings, warning), states.known(state)

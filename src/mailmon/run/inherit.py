"""A configuration takes its part of a state that several once had in common, before anything else uses the state.

All configurations of a user had one state (decisions/0018). Each takes its own part once: the memories of its steps,
its probes, the alerts that wait for its channels, its silences and its record of bounces. What is left stays for the
others. A crash at any moment leaves a state from which it can be done again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import LockHeldError, StateError
from mailmon.run.shares import Share, claim_of, joined, share_of
from mailmon.run.stuck import with_told
from mailmon.run.subjects import silenceable_names
from mailmon.store import key as keys
from mailmon.store.belonging import Place, read_belonging, settle
from mailmon.store.checked import is_digest_of
from mailmon.store.files import make_directory
from mailmon.store.keeper import Keeper
from mailmon.store.lock import Lock
from mailmon.store.shared import Shared, is_there, read_shared, rest_file, write_shared
from mailmon.store.silences import active, read_silences, silences_file, write_silences
from mailmon.store.state import State

PATIENCE_S = 5.0
_POLL_S = 0.1


def take_over(setup: Setup, now: datetime) -> bool:
    """Take this configuration's part of the old state, once; return False where that has to wait for another time.

    Raises LockHeldError while another configuration takes its own.
    """
    place = setup.place
    if place is None or place.shared is None or _is_settled(place) or not is_there(place.shared):
        return True
    try:
        with _patient_lock(rest_file(place.shared), now):
            if not _is_settled(place):
                _take(setup, place, place.shared, now)
    except StateError:
        return False
    except LockHeldError:
        if place.state_file != place.shared:
            raise  # what waits to be told must not be taken twice
        return False
    return True


def preview(setup: Setup, own: State, now: datetime) -> State:
    """Return the state that a run would have after it took its part, without writing anything. Raises StateError."""
    place = setup.place
    if place is None or place.shared is None or _is_settled(place) or not is_there(place.shared):
        return own
    old = _old(place.shared, now)
    if place.file in old.taken_by:
        return own
    share = _share(setup, place.shared, old)
    return joined(share.mine, State(serial=own.serial) if _is_unparted(place) else own)


def _take(setup: Setup, place: Place, shared: Path, now: datetime) -> None:
    old = _old(shared, now)
    make_directory(place.state_file.parent)
    if place.file not in old.taken_by:
        share = _share(setup, shared, old)
        if not rest_file(shared).exists():  # all of it, before the state itself may lose what is the others'
            write_shared(shared, old)
        _write_own(setup, place, share, now)
        write_shared(shared, old._replace(state=share.rest, taken_by=(*old.taken_by, place.file)))
    settle(place)


def _write_own(setup: Setup, place: Place, share: Share, now: datetime) -> None:
    """Write the state, its key, silences and record of bounces. Raises StateError."""
    shared, own = place.shared, place.state_file
    assert shared is not None
    if own != shared:
        keys.hand_down(shared, own, now)
        _take_silences(setup, shared, own, now)
        accounts = [account.name for account in setup.accounts.values() if account.bounces]
        if accounts:
            from mailmon.store.bouncelog.heirs import hand_down

            hand_down(shared, own, accounts, now)
    with Lock(own, now):
        keeper = Keeper(own, now, is_dry=False)
        beneath = keeper.state
        if _is_unparted(place):
            beneath = State(serial=keeper.state.serial, journal_serial=keeper.state.journal_serial)
        keeper.save(**joined(share.mine, beneath)._asdict())
        if keeper.error:
            raise StateError(keeper.error)


def _is_settled(place: Place) -> bool:
    known = read_belonging(place.state_file.parent)
    return place.is_settled or (known is not None and known.file == place.file)


def _is_unparted(place: Place) -> bool:
    """Say whether a state in the old place is still that of all."""
    return place.state_file == place.shared and read_belonging(place.state_file.parent) is None


def _old(shared: Path, now: datetime) -> Shared:
    old = read_shared(shared, now)
    return old if rest_file(shared).exists() else old._replace(state=with_told(shared, old.state))


def _share(setup: Setup, shared: Path, old: Shared) -> Share:
    key = keys.read_key(shared)
    written = [setup.document, {**setup.document, "state_file": str(shared)}]
    ran_last = key is not None and any(is_digest_of(old.checked, document, key) for document in written)
    claim = claim_of(setup, ran_last=ran_last, is_known=key is not None and bool(old.checked))
    return share_of(old.state, claim)


def _take_silences(setup: Setup, shared: Path, own: Path, now: datetime) -> None:
    anchor = read_anchor(now)
    silences, _ = read_silences(shared, anchor)
    names = silenceable_names(setup)
    mine = [silence for silence in active(silences, now) if silence.name in names]
    if mine and not silences_file(own).exists():
        write_silences(own, mine, anchor)


@contextlib.contextmanager
def _patient_lock(path: Path, now: datetime) -> Iterator[None]:
    until_s = time.monotonic() + PATIENCE_S
    while True:
        lock = Lock(path, now)
        try:
            lock.take()
            break
        except LockHeldError:
            if time.monotonic() > until_s:
                raise
            time.sleep(_POLL_S)
    try:
        yield
    finally:
        lock.release()

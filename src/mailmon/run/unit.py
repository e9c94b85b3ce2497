"""How do people hear that mailmon itself has failed? By what systemd starts then: it needs no mail server."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from mailmon.clients.deadline import Deadline
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import LockHeldError, StateError, StuckLockError
from mailmon.model import AlertSubject, Outcome
from mailmon.model.run import AlertLine
from mailmon.run.delivery import DeliveryContext, deliver
from mailmon.run.dispatch import Telling
from mailmon.run.stuck import was_told
from mailmon.run.subjects import topics_of, unit_outcome
from mailmon.store.files import make_directory, must_be_a_state_file
from mailmon.store.keeper import Keeper
from mailmon.store.lock import Lock
from mailmon.store.silences import active, read_silences
from mailmon.store.state import State

DEADLINE_S = 60.0
# A run that is at work ends soon, or the unit would not have failed; without its lock nothing is remembered.
LOCK_PATIENCE_S = 5.0
_POLL_S = 0.2


def tell_unit_failed(setup: Setup, unit: str, said: str, now: Callable[[], datetime]) -> list[AlertLine]:
    """Tell all channels that a unit has failed, once until it runs to its end again; return what became of that alert.

    Where the state cannot be read or written it is told all the same, and may be told again.
    """
    at = now()
    silences, _ = read_silences(setup.state_file, read_anchor(at))
    silenced = frozenset(silence.name for silence in active(silences, at))
    desk = DeliveryContext(setup.channels, Deadline(DEADLINE_S), time.sleep, at)
    telling = Telling(f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}", at, desk, silenced)
    outcome = unit_outcome(unit, said, is_failed=True)
    try:
        must_be_a_state_file(setup.state_file)
        make_directory(setup.state_file.parent)
        with _patient_lock(setup.state_file, at, setup.deadline_s):
            return _tell(telling, Keeper(setup.state_file, at, is_dry=False), outcome)
    except (LockHeldError, StateError) as exc:
        if isinstance(exc, StuckLockError) and was_told(setup.state_file, exc):
            return []
        taken = telling.take_in(State(), [outcome], _topics(outcome))
        return deliver(taken.state.outbox, desk, lambda _: None)[1]


def _tell(telling: Telling, keeper: Keeper, outcome: Outcome) -> list[AlertLine]:
    taken = telling.take_in(keeper.state, [outcome], _topics(outcome))
    keeper.save(checks=taken.state.checks, outbox=taken.state.outbox)
    about = {e.alert.id for e in keeper.state.outbox if any(flip.id == outcome.id for flip in e.alert.flips)}
    return [line for line in telling.send(keeper)[0] if line.id in about]


def _topics(outcome: Outcome) -> dict[str, AlertSubject]:
    return topics_of((), (), {}, [outcome.id])


def _patient_lock(state_file: Path, at: datetime, deadline_s: float) -> Lock:
    """Return a lock that can be had. Raises LockHeldError after a while, StateError when it cannot be made."""
    patience = Deadline(LOCK_PATIENCE_S)
    while True:
        lock = Lock(state_file, at, max(DEADLINE_S, deadline_s), read_anchor(at).boot_id)
        try:
            return lock.take()
        except LockHeldError:
            if patience.remaining_s() <= 0:
                raise
            time.sleep(_POLL_S)

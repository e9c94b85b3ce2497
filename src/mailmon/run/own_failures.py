"""Alerts about mailmon itself: a unit that failed, and a run that hangs and keeps the lock.

Neither needs a mail server. A run that hangs keeps the state to itself, so a small file beside the lock holds which run
people were alerted about; the next run that gets the lock takes that over into the state, and its end is announced as
that of a failed unit.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from mailmon import safe
from mailmon.clients.deadline import Deadline
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import LockHeldError, StateError, StuckLockError
from mailmon.model import EVERYBODY, AlertSubject, Announced, CheckState, Health, Outcome, Severity
from mailmon.model.run import AlertLine
from mailmon.run.delivery import DeliveryContext, deliver
from mailmon.run.dispatch import Dispatch
from mailmon.run.subjects import UNIT, subjects_of, unit_outcome
from mailmon.store.files import make_directory, must_be_a_state_file
from mailmon.store.keeper import Keeper
from mailmon.store.lock import Lock
from mailmon.store.silences import active, read_silences, silenced_until
from mailmon.store.state import State

DEADLINE_S, STUCK_DEADLINE_S = 60.0, 30.0
# A run that is at work ends soon, or the unit would not have failed; without its lock nothing can be saved.
LOCK_PATIENCE_S = 5.0
STEP = f"{UNIT}mailmon check"
_POLL_S = 0.2
_MAX_BYTES = 2000


def alert_unit_failed(setup: Setup, unit: str, said: str, now: Callable[[], datetime]) -> list[AlertLine]:
    """Alert on all channels that a unit has failed, once until it completes again; return what became of the alert.

    Where the state cannot be read or written the alert is sent all the same, and may be repeated.
    """
    at = now()
    dispatch = _dispatch(setup, at, DEADLINE_S)
    outcome = unit_outcome(unit, said, is_failed=True)
    try:
        must_be_a_state_file(setup.state_file)
        make_directory(setup.state_file.parent)
        with _patient_lock(setup.state_file, at, setup.deadline_s):
            return _announce(dispatch, Keeper(setup.state_file, at, is_dry=False), outcome)
    except (LockHeldError, StateError) as exc:
        if isinstance(exc, StuckLockError) and was_announced(setup.state_file, exc):
            return []
        return _send_without_state(dispatch, outcome)


def alert_stuck(setup: Setup, error: StuckLockError, at: datetime) -> list[AlertLine]:
    """Alert on all channels that a run hangs, once as long as it does; return what became of the alert.

    Where the file that remembers it cannot be written the alert is sent all the same, and may be repeated.
    """
    descriptor = -1
    with contextlib.suppress(OSError):
        descriptor = safe.open_regular(_marker(setup.state_file), os.O_RDWR, 0o600)
    try:
        if descriptor >= 0:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _holder_in(os.pread(descriptor, _MAX_BYTES, 0)) == error.holder:
                return []
        failed = unit_outcome(STEP.removeprefix(UNIT), error.message, is_failed=True)
        lines = _send_without_state(_dispatch(setup, at, STUCK_DEADLINE_S), failed._replace(advice=error.advice))
        if descriptor >= 0 and any(line.status == "sent" for line in lines):
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{error.holder}\n{at:%Y-%m-%dT%H:%M:%SZ}\n{error.message}\n".encode(), 0)
        return lines
    except BlockingIOError:  # another run is alerting just now
        return []
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def was_announced(state_file: Path, error: StuckLockError) -> bool:
    """Return whether people were alerted about this holder of the lock."""
    try:
        return _holder_in(safe.read_file(_marker(state_file), _MAX_BYTES)) == error.holder
    except OSError:
        return False


def with_announced(state_file: Path, state: State) -> State:
    """Return the state with what was announced while it could not be used."""
    try:
        raw = safe.read_file(_marker(state_file), _MAX_BYTES)
    except OSError:
        return state
    _, _, rest = raw.decode("utf-8", "replace").partition("\n")
    since, _, reason = rest.strip().partition("\n")
    try:
        at = datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return state
    announced = Announced(Health.DOWN, at, at, reason, severity=Severity.ERROR, channels=(EVERYBODY,))
    check_state = CheckState(Health.DOWN, at, reason, severity=Severity.ERROR, checked_at=at, announced=announced)
    return state._replace(checks={STEP: check_state, **state.checks})


def forget_announced(state_file: Path) -> None:
    """Remove the file, once the state says the same."""
    with contextlib.suppress(OSError):
        _marker(state_file).unlink()


def _dispatch(setup: Setup, at: datetime, deadline_s: float) -> Dispatch:
    silences, _ = read_silences(setup.state_file, read_anchor(at))
    silenced = silenced_until(active(silences, at))
    context = DeliveryContext(setup.channels, Deadline(deadline_s), time.sleep, at)
    return Dispatch(f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}", at, context, silenced)


def _announce(dispatch: Dispatch, keeper: Keeper, outcome: Outcome) -> list[AlertLine]:
    evaluated = dispatch.evaluate(keeper.state, [outcome], _subjects(outcome))
    keeper.save(checks=evaluated.state.checks, outbox=evaluated.state.outbox)
    about = {e.alert.id for e in keeper.state.outbox if any(change.id == outcome.id for change in e.alert.changes)}
    return [line for line in dispatch.send(keeper)[0] if line.id in about]


def _send_without_state(dispatch: Dispatch, outcome: Outcome) -> list[AlertLine]:
    evaluated = dispatch.evaluate(State(), [outcome], _subjects(outcome))
    return deliver(evaluated.state.outbox, dispatch.context, lambda _: None)[1]


def _subjects(outcome: Outcome) -> dict[str, AlertSubject]:
    return subjects_of((), (), {}, [outcome.id])


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


def _holder_in(raw: bytes) -> str:
    return raw.partition(b"\n")[0].decode("utf-8", "replace")


def _marker(state_file: Path) -> Path:
    return state_file.with_name(f"{state_file.name}.stuck")

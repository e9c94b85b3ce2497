"""A run that hangs and holds the lock: people are told once, without the state, which nobody else may touch meanwhile.

A small file beside the lock holds who was told of, so that the next runs do not tell it again; the first run that gets
the lock takes that over into the state, and its end is told as that of a failed unit.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from mailmon import safe
from mailmon.clients.deadline import Deadline
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.errors import StuckLockError
from mailmon.model import EVERYBODY, Announced, CheckState, Health, Severity
from mailmon.model.run import AlertLine
from mailmon.run.delivery import DeliveryContext, deliver
from mailmon.run.dispatch import Telling
from mailmon.run.subjects import UNIT, topics_of, unit_outcome
from mailmon.store.silences import active, read_silences
from mailmon.store.state import State

STEP = f"{UNIT}mailmon check"
DEADLINE_S = 30.0
_MAX_BYTES = 2000


def tell_stuck(setup: Setup, error: StuckLockError, at: datetime) -> list[AlertLine]:
    """Tell all channels that a run hangs, once as long as it does; return what became of that alert.

    Where the file that remembers it cannot be written it is told all the same, and may be told again.
    """
    descriptor = -1
    with contextlib.suppress(OSError):
        descriptor = safe.open_regular(_marker(setup.state_file), os.O_RDWR, 0o600)
    try:
        if descriptor >= 0:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _holder_in(os.pread(descriptor, _MAX_BYTES, 0)) == error.holder:
                return []
        lines = _tell(setup, error, at)
        if descriptor >= 0 and any(line.status == "sent" for line in lines):
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, f"{error.holder}\n{at:%Y-%m-%dT%H:%M:%SZ}\n{error.message}\n".encode(), 0)
        return lines
    except BlockingIOError:  # another run is telling it just now
        return []
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def was_told(state_file: Path, error: StuckLockError) -> bool:
    """Say whether people know of this holder."""
    try:
        return _holder_in(safe.read_file(_marker(state_file), _MAX_BYTES)) == error.holder
    except OSError:
        return False


def with_told(state_file: Path, state: State) -> State:
    """Return the state with what people were told while it could not be used."""
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
    told = Announced(Health.DOWN, at, at, reason, severity=Severity.ERROR, channels=(EVERYBODY,))
    memory = CheckState(Health.DOWN, at, reason, severity=Severity.ERROR, checked_at=at, told=told)
    return state._replace(checks={STEP: memory, **state.checks})


def forget_told(state_file: Path) -> None:
    """Remove the file, once the state says the same."""
    with contextlib.suppress(OSError):
        _marker(state_file).unlink()


def _tell(setup: Setup, error: StuckLockError, at: datetime) -> list[AlertLine]:
    silences, _ = read_silences(setup.state_file, read_anchor(at))
    silenced = frozenset(silence.name for silence in active(silences, at))
    desk = DeliveryContext(setup.channels, Deadline(DEADLINE_S), time.sleep, at)
    telling = Telling(f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}", at, desk, silenced)
    outcome = unit_outcome(STEP.removeprefix(UNIT), error.message, is_failed=True)._replace(advice=error.advice)
    taken = telling.take_in(State(), [outcome], topics_of((), (), {}, [STEP]))
    return deliver(taken.state.outbox, desk, lambda _: None)[1]


def _holder_in(raw: bytes) -> str:
    return raw.partition(b"\n")[0].decode("utf-8", "replace")


def _marker(state_file: Path) -> Path:
    return state_file.with_name(f"{state_file.name}.stuck")

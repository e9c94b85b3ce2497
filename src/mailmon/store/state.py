"""What does mailmon remember? One JSON file; pydantic checks what is read, nothing foreign is ever overwritten."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mailmon.errors import StateError
from mailmon.model import Health, Memory, OutboxEntry, Probe, Status, require_aware
from mailmon.store.files import write_atomically

SCHEMA = "mailmon/state/1"
MAX_BYTES = 16 * 1024 * 1024

# The words by which the small monitor's failures tell which of its steps failed, and what the step is called here.
_SMALL_MONITOR_STEPS = {
    "IMAP auth failed": "imap_auth:main",
    "SMTP auth failed": "smtp_auth:main",
    "Failed to send": "send:main",
    "Email not received": "receive:main",
}


@dataclass(frozen=True, slots=True)
class LastRun:
    """The last complete run."""

    run_id: str
    started_at: datetime
    finished_at: datetime
    status: Status

    def __post_init__(self) -> None:
        require_aware(self.started_at, self.finished_at)


@dataclass(frozen=True, slots=True)
class State:
    """All that is kept between runs."""

    schema: str = SCHEMA
    checks: dict[str, Memory] = field(default_factory=dict)
    probes: tuple[Probe, ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    last_run: LastRun | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A state and what had to be said while it was read."""

    state: State
    warnings: tuple[str, ...] = ()


_ADAPTER = TypeAdapter(State)


def peek(path: Path) -> Loaded:
    """Read the state file without touching it. Raises StateError when it cannot be read or makes no sense."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Loaded(State())
    except OSError as exc:
        raise StateError(f"{path}: cannot be read: {exc.strerror}", "Run as the user that owns it.") from exc
    if len(raw) > MAX_BYTES:
        raise _Foreign(f"larger than {MAX_BYTES} bytes")
    return _parse(raw)


def peek_or_empty(path: Path) -> Loaded:
    """Read the state file without touching it, whatever is in it; for a dry run. Raises StateError on no permission."""
    try:
        return peek(path)
    except _Foreign as exc:
        return Loaded(State(), (f"{path}: {exc}; a real run would set it aside",))


def load(path: Path, now: datetime) -> Loaded:
    """Read the state file; set aside under another name what is corrupt or foreign. Raises StateError.

    The small monitor's state file is taken over: what was unhealthy is down since its timestamp.
    """
    try:
        return peek(path)
    except _Foreign as exc:
        aside = path.with_name(f"{path.name}.set-aside-{now:%Y%m%dT%H%M%SZ}")
        try:
            path.rename(aside)
        except OSError as failure:
            raise StateError(f"{path}: {exc}; it cannot be set aside: {failure.strerror}") from failure
        warning = f"{path}: {exc}; set aside as {aside.name}, starting with an empty memory"
        return Loaded(State(), (warning,))


def save(path: Path, state: State) -> None:
    """Write the state file, whole or not at all. Raises StateError."""
    write_atomically(path, _ADAPTER.dump_json(state, indent=1) + b"\n")


class _Foreign(StateError):
    """Not a state file of this version of mailmon."""


def _parse(raw: bytes) -> Loaded:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise _Foreign("this is not JSON, or only the beginning of it") from exc
    if isinstance(document, dict) and "last_status" in document and "schema" not in document:
        return _taken_over(document)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        schema = document.get("schema") if isinstance(document, dict) else None
        raise _Foreign(f"its schema is {str(schema)[:60]!r}, not {SCHEMA!r}")
    try:
        return Loaded(_ADAPTER.validate_python(document))
    except ValidationError as exc:
        error = exc.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, error["loc"]))
        raise _Foreign(f"{where or 'document'}: {error['msg']}") from exc


def _taken_over(document: dict[str, Any]) -> Loaded:
    """Return the state that a small monitor's file amounts to: {"last_status": ..., "last_failure": {...}}."""
    failure = document.get("last_failure")
    if document["last_status"] != "unhealthy" or not isinstance(failure, dict):
        return Loaded(State())
    failures = failure.get("failures")
    words = [str(text) for text in failures] if isinstance(failures, list) else []
    since = _local_time(failure.get("timestamp"))
    if since is None:
        return Loaded(State(), ("the earlier monitor's state has no usable timestamp; starting with an empty memory",))
    steps = {step: text for text in words for start, step in _SMALL_MONITOR_STEPS.items() if text.startswith(start)}
    reasons = steps or {"receive:main": "; ".join(words)}
    return Loaded(State(checks={step: Memory(Health.DOWN, since, text[:400]) for step, text in reasons.items()}))


def _local_time(text: object) -> datetime | None:
    """Return a timestamp in UTC; the small monitor wrote local time without a zone."""
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

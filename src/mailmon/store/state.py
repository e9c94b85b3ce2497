"""The state file: one JSON file. What others changed in it is checked; foreign files are not overwritten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from mailmon import safe
from mailmon.errors import StateError
from mailmon.model import EVERYBODY, Anchor, Announced, CheckState, Delivery, Health, OutboxEntry, Probe
from mailmon.model.dns import Remembered
from mailmon.model.run import LastRun
from mailmon.store.files import real_place, write_atomically, write_through
from mailmon.text import visible
from mailmon.typedjson.convert import FIRST_YEAR, LAST_YEAR, build_strictly, to_plain

SCHEMA = "mailmon/state/1"
MAX_BYTES = 16 * 1024 * 1024
# With this a file begins that mailmon has written.
_BEGINNING = f'{{"schema": "{SCHEMA}"'.encode()
KEPT_IN_JOURNAL = 20
IN_JOURNAL = ("checks", "outbox", "deliveries", "last_run", "anchor")
MAX_SERIAL = 2**53

# Steps that earlier versions called otherwise, by their old names.
RENAMED_STEPS = {"mailmon:sight": "mailmon:network"}
# The words by which the small monitor's failures tell which of its steps failed, and what the step is called here.
_SMALL_MONITOR_STEPS = {
    "IMAP auth failed": "imap_auth:main",
    "SMTP auth failed": "smtp_auth:main",
    "Failed to send": "send:main",
    "Email not received": "receive:main",
}


class State(NamedTuple):
    """The state between runs.

    `serial` grows with every save, `journal_serial` is that of the journal's record; `deliveries` are the latest,
    oldest first. `anchor` ties the wall clock to the time since the machine's start, `addresses` are those that each
    host had last, `records` what each domain publishes, `selectors` those by which its probes were signed.
    """

    schema: str = SCHEMA
    serial: int = 0
    journal_serial: int = 0
    checks: Mapping[str, CheckState] = {}
    probes: tuple[Probe, ...] = ()
    outbox: tuple[OutboxEntry, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    last_run: LastRun | None = None
    anchor: Anchor | None = None
    addresses: Mapping[str, tuple[str, ...]] = {}
    records: Mapping[str, Mapping[str, Remembered]] = {}
    selectors: Mapping[str, tuple[str, ...]] = {}


class Loaded(NamedTuple):
    """A state, the warnings from reading it, and whether it was there and valid."""

    state: State
    warnings: tuple[str, ...] = ()
    is_usable: bool = True


def peek(path: Path) -> Loaded:
    """Read the state file without touching it. Raises StateError when it cannot be read or is invalid."""
    try:
        raw = safe.read_file(real_place(path), MAX_BYTES)
    except FileNotFoundError:
        return Loaded(State(), is_usable=False)
    except safe.NotRegularError as exc:
        advice = "Move it away, or set state_file to another place."
        raise StateError(f"{path}: cannot be read: {exc.strerror}", advice) from exc
    except OSError as exc:
        advice = safe.who_may_read(path) if isinstance(exc, PermissionError) else ""
        raise StateError(f"{path}: cannot be read: {exc.strerror}", advice or "Run as the user that owns it.") from exc
    if len(raw) > MAX_BYTES:
        raise _Foreign(f"larger than {MAX_BYTES} bytes")
    return _parse(raw)


def peek_or_empty(path: Path) -> Loaded:
    """Read the state file without touching it, whatever is in it; for a dry run. Raises StateError on no permission."""
    try:
        return peek(path)
    except _Foreign as exc:
        return Loaded(State(), (f"{path}: {exc}; a real run would set it aside",), is_usable=False)


def load(path: Path, now: datetime) -> Loaded:
    """Read the state file; set aside under another name what is corrupt or foreign. Raises StateError.

    The small monitor's state file is taken over: what was unhealthy is down since its timestamp.
    """
    try:
        return peek(path)
    except _Foreign as exc:
        aside = _free_name(path.with_name(f"{path.name}.set-aside-{now:%Y%m%dT%H%M%SZ}"))
        try:
            said = _set_aside(real_place(path), aside)
        except OSError as failure:
            raise StateError(f"{path}: {exc}; it cannot be set aside: {failure.strerror}") from failure
        return Loaded(State(), (f"{path}: {exc}; {said}",), is_usable=False)


def _set_aside(path: Path, aside: Path) -> str:
    """Move a file away, or copy it where it cannot be moved. What is ours and torn is given up where neither can be."""
    try:
        path.rename(aside)
    except OSError as exc:
        raw = safe.read_file(path, MAX_BYTES + 1)
        try:
            write_atomically(aside, raw)
        except StateError:
            if raw and not raw.startswith(_BEGINNING):
                raise exc from None
            return "nothing can be put beside it, so it is written over"
        return f"copied to {aside.name}"
    return f"set aside as {aside.name}"


def save(path: Path, state: State) -> bool:
    """Write the state file, whole or not at all, and return False; True where it could only be written in place.

    Then a crash may tear it. A link is followed. Raises StateError.
    """
    document = to_plain(state)
    head = {"schema": document.pop("schema")}
    contents = _text(document)
    head["digest"] = _digest(contents)
    # One object, put together from two texts: what the digest was taken of need not be written down twice.
    try:
        place = real_place(path)
    except OSError as exc:
        raise StateError(f"{path}: cannot be written: {exc.strerror}", "Set state_file to another place.") from exc
    return write_through(place, f"{json.dumps(head)[:-1]}, {contents[1:]}\n".encode())


def known(state: State) -> tuple[object, ...]:
    """Return the part of a state that its journal keeps too: announced health, pending alerts, deliveries."""
    announced = {
        key: one._replace(checked_at=None, value="", quiet=None, skipped="") for key, one in state.checks.items()
    }
    return announced, state.outbox, state.deliveries[-KEPT_IN_JOURNAL:]


def journal_payload(state: State) -> bytes:
    """Return what the journal keeps of a state."""
    kept = State(**{name: getattr(state, name) for name in IN_JOURNAL})
    return json.dumps(to_plain(kept._replace(deliveries=state.deliveries[-KEPT_IN_JOURNAL:]))).encode()


def from_journal(payload: bytes) -> State | None:
    """Return the content of a journal, None where it is invalid."""
    try:
        document = json.loads(payload)
        rename_keys(document)
        return build_strictly(State, document) if document["schema"] == SCHEMA else None
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return None


def _free_name(path: Path) -> Path:
    """Return the path, or the first one with a number behind it that does not exist."""
    names = (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, 1000)))
    return next(name for name in names if not name.exists())


class _Foreign(StateError):
    """Not a state file of this version of mailmon."""


def _parse(raw: bytes) -> Loaded:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise _Foreign("invalid or truncated JSON") from exc
    try:
        return _read(document)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError, OverflowError) as exc:
        raise _Foreign(f"invalid contents ({type(exc).__name__})") from exc


def _read(document: Any) -> Loaded:
    """Return the state in a document. Raises _Foreign, and TypeError, ValueError and others for invalid contents."""
    if isinstance(document, dict) and "last_status" in document and "schema" not in document:
        return _taken_over(document)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        schema = document.get("schema") if isinstance(document, dict) else None
        raise _Foreign(f"its schema is {visible(str(schema), 60)!r}, not {SCHEMA!r}")
    digest = document.pop("digest", None)
    contents = {key: value for key, value in document.items() if key != "schema"}
    is_edited = digest != _digest(_text(contents))
    rename_keys(document)
    # A wrong value is named where somebody has changed it by hand.
    if is_edited:
        _check(document)
    _complete(document.get("checks", {}))
    state = build_strictly(State, document)
    if not 0 <= state.serial < MAX_SERIAL:
        raise _Foreign("its serial makes no sense")
    return Loaded(state)


def rename_keys(document: dict[str, Any]) -> None:
    """Give the keys of earlier versions their present names: `told`, `flips` and the step `mailmon:sight`.

    An earlier version finds neither `told` nor `flips` in what this one writes, and assumes that people know of
    everything that is down, as it does with a state from before silences.
    """
    checks = document.get("checks")
    for old, new in RENAMED_STEPS.items():
        if isinstance(checks, dict) and old in checks:
            checks.setdefault(new, checks.pop(old))
    for check_state in _tables(checks.values() if isinstance(checks, dict) else ()):
        if "told" in check_state:
            check_state["announced"] = check_state.pop("told")  # beside `announced` only a hand writes it: it counts
    for alert in _tables(entry.get("alert") for entry in _tables(document.get("outbox"))):
        if "flips" in alert:
            alert.setdefault("changes", alert.pop("flips"))
        for change in _tables(alert.get("changes")):
            _rename_in_change(change)


def _rename_in_change(change: dict[str, Any]) -> None:
    names = change.get("names")
    if isinstance(names, list):
        change["names"] = [_present_name(name) for name in names]
    if "id" in change:
        change["id"] = _present_name(change["id"])
    if change.get("kind") == "machine":
        change["kind"] = str(change.get("id")).partition(":")[2]
    change.pop("failed", None)
    if change.pop("works", "") == "can be checked again":
        change.setdefault("ended", Health.UNKNOWN.value)


def _present_name(name: Any) -> Any:
    return RENAMED_STEPS.get(name, name) if isinstance(name, str) else name


def _tables(values: Any) -> list[dict[str, Any]]:
    """Return the tables among some values: what is of another type is named when the whole is checked."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, Iterable) else []


def _complete(checks: dict[str, Any]) -> None:
    """Before there were silences, what was seen and what people knew were the same, and only one of both was kept."""
    for check_state in checks.values():
        if "announced" not in check_state:
            known = {key: check_state[key] for key in ("health", "since", "reason", "target") if key in check_state}
            check_state["announced"] = {**known, "channels": [EVERYBODY]}


def _check(document: dict[str, Any]) -> None:
    from mailmon.typedjson.validate import find_errors

    for error in find_errors(State, document):
        where = ".".join(map(str, error["loc"]))
        raise _Foreign(visible(f"{where or 'document'}: {error['msg']}"))


def _text(contents: dict[str, Any]) -> str:
    return json.dumps(contents, sort_keys=True)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _taken_over(document: dict[str, Any]) -> Loaded:
    """Convert the file of the earlier monitor: {"last_status": ..., "last_failure": {...}}."""
    failure = document.get("last_failure")
    if document["last_status"] != "unhealthy" or not isinstance(failure, dict):
        return Loaded(State())
    failures = failure.get("failures")
    words = [visible(str(text)) for text in failures] if isinstance(failures, list) else []
    since = _local_time(failure.get("timestamp"))
    if since is None:
        return Loaded(State(), ("the earlier monitor's state has no usable timestamp; starting with an empty state",))
    steps = {step: text for text in words for start, step in _SMALL_MONITOR_STEPS.items() if text.startswith(start)}
    reasons = steps or {"receive:main": "; ".join(words)}
    return Loaded(State(checks={step: _known_to_be_down(since, text) for step, text in reasons.items()}))


def _known_to_be_down(since: datetime, reason: str) -> CheckState:
    return CheckState(
        Health.DOWN, since, reason, announced=Announced(Health.DOWN, since, since, reason, channels=(EVERYBODY,))
    )


def _local_time(text: object) -> datetime | None:
    """Return a timestamp in UTC; the small monitor wrote local time without a zone."""
    try:
        written = datetime.fromisoformat(str(text))
        if not FIRST_YEAR < written.year < LAST_YEAR:
            return None
        return written.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    try:  # a TZ that makes no sense
        return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)
    except ValueError:
        return None

"""The key that signs probes: 32 random bytes in a separate file (mode 0600) beside the state."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from mailmon import safe
from mailmon.errors import StateError
from mailmon.mail.probe.probe import SigningKey
from mailmon.model import Probe
from mailmon.store.files import beside, write_atomically

KEY_BYTES = 32
MAX_BYTES = 4096


def read_key(state_file: Path) -> bytes | None:
    """Return the key, None where there is none yet. Raises StateError where it cannot be read."""
    return _read(state_file)[0]


def read_signing_key(state_file: Path, probes: Iterable[Probe]) -> bytes | None:
    """Return the key as `read_key` does, with the one before it for the probes that were sent until then."""
    key, earlier, until = _read(state_file)
    if key is None or earlier is None or until is None:
        return key
    signing = SigningKey(key)
    signing.earlier, signing.tokens = earlier, frozenset(p.token for p in probes if p.planned_at <= until)
    return signing


def make_key(state_file: Path) -> bytes:
    """Make and store a new key; probes signed with an older one are left alone. Raises StateError."""
    key = new_key()
    write_atomically(_key_file(state_file), key.hex().encode() + b"\n")
    return key


def hand_down(earlier_file: Path, state_file: Path, at: datetime) -> None:
    """Give a state a new key, with the key of an earlier state for the probes that were sent until then.

    A key that two states have in common would let each delete the other's probes. Raises StateError.
    """
    earlier = read_key(earlier_file)
    if earlier is None or read_key(state_file) is not None:
        return
    write_atomically(_key_file(state_file), f"{new_key().hex()}\n{earlier.hex()} {at.isoformat()}\n".encode())


def new_key() -> bytes:
    """Return a new random key without storing it."""
    return secrets.token_bytes(KEY_BYTES)


def _read(state_file: Path) -> tuple[bytes | None, bytes | None, datetime | None]:
    """Return the key, the one before it, and until when that signed. Raises StateError where it cannot be read."""
    path = _key_file(state_file)
    try:
        first, _, second = safe.read_file(path, MAX_BYTES).decode("ascii").strip().partition("\n")
        key = bytes.fromhex(first)
        if not second:
            return (key, None, None) if len(key) == KEY_BYTES else (None, None, None)
        digits, _, until = second.strip().partition(" ")
        return key if len(key) == KEY_BYTES else None, bytes.fromhex(digits), datetime.fromisoformat(until)
    except FileNotFoundError:
        return None, None, None
    except OSError as exc:
        raise StateError(f"{path}: cannot be read: {exc.strerror}", "Run as the user that owns it.") from exc
    except ValueError:
        return None, None, None


def _key_file(state_file: Path) -> Path:
    return beside(state_file, "probe.key")

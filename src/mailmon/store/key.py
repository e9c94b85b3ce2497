"""Which key signs our probes? 32 random bytes in a 0600 file of their own beside the state."""

from __future__ import annotations

import secrets
from pathlib import Path

from mailmon import safe
from mailmon.errors import StateError
from mailmon.store.files import beside, write_atomically

KEY_BYTES = 32
MAX_BYTES = 4096


def read_key(state_file: Path) -> bytes | None:
    """Return the key, None where there is none yet. Raises StateError where it cannot be read."""
    path = _key_file(state_file)
    try:
        text = safe.read_file(path, MAX_BYTES).decode("ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise StateError(f"{path}: cannot be read: {exc.strerror}", "Run as the user that owns it.") from exc
    except ValueError:
        key = b""
    return key if len(key) == KEY_BYTES else None


def make_key(state_file: Path) -> bytes:
    """Make and store a new key; probes signed with an older one are left alone. Raises StateError."""
    key = new_key()
    write_atomically(_key_file(state_file), key.hex().encode() + b"\n")
    return key


def new_key() -> bytes:
    """Return a new random key without storing it."""
    return secrets.token_bytes(KEY_BYTES)


def _key_file(state_file: Path) -> Path:
    return beside(state_file, "probe.key")

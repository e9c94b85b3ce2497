"""Was this very configuration found to be right before? Then it need not be checked again at every run.

The file beside the state holds no part of the configuration, only a keyed digest (HMAC-SHA256) of it.
"""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from mailmon import __version__, safe
from mailmon.errors import StateError
from mailmon.store.files import beside, write_atomically
from mailmon.store.key import read_key

MAX_BYTES = 4096


def was_checked(state_file: Path, document: dict[str, Any]) -> bool:
    """Say whether a run of this version with this state has checked this document. Never raises."""
    try:
        key = read_key(state_file)
        known = safe.read_file(_file(state_file), MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError, StateError):
        return False
    return key is not None and hmac.compare_digest(known.encode(), _digest(document, key).encode())


def remember_checked(state_file: Path, document: dict[str, Any], key: bytes) -> None:
    """Note that a document was checked. Raises StateError."""
    if not was_checked(state_file, document):
        write_atomically(_file(state_file), _digest(document, key).encode() + b"\n")


def _digest(document: dict[str, Any], key: bytes) -> str:
    text = json.dumps([__version__, document], sort_keys=True, ensure_ascii=True)
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _file(state_file: Path) -> Path:
    return beside(state_file, "config.checked")

"""The digest of the configuration that was last found valid, so that not every run checks it again.

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
# Versions whose configurations had one state in common.
_EARLIER = ("0.1.0",)


def was_checked(state_file: Path, document: dict[str, Any]) -> bool:
    """Return whether a run of this version with this state has checked this document. Never raises."""
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


def known_digest(state_file: Path) -> str:
    """Return the digest of the configuration that was checked last, "" where there is none. Never raises."""
    try:
        return safe.read_file(_file(state_file), MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def is_digest_of(digest: str, document: dict[str, Any], key: bytes) -> bool:
    """Return whether a digest is that of a document, by this version or one before it."""
    made = (_digest(document, key, version) for version in dict.fromkeys((__version__, *_EARLIER)))
    return any(hmac.compare_digest(digest.encode(), one.encode()) for one in made)


def _digest(document: dict[str, Any], key: bytes, version: str = __version__) -> str:
    text = json.dumps([version, document], sort_keys=True, ensure_ascii=True)
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def _file(state_file: Path) -> Path:
    return beside(state_file, "config.checked")

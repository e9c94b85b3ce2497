"""Why a file cannot be read: whose it is, its mode, and who reads; and as whom to run instead."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from mailmon.safe import who_may_read

_GIVE = "Give the right file by --config."


def unreadable(path: Path, exc: OSError, environ: Mapping[str, str]) -> str:
    """Return what to do about a configuration file that cannot be read."""
    advice = _GIVE
    if isinstance(exc, FileNotFoundError):
        advice = _missing(path)
    elif isinstance(exc, PermissionError):
        advice = who_may_read(path) or _GIVE
    # Whoever sees the name for the first time must learn where it comes from.
    return f"MAILMON_CONFIG names this file. {advice}" if environ.get("MAILMON_CONFIG") == str(path) else advice


def _missing(path: Path) -> str:
    there = next((place for place in path.absolute().parents if os.path.isdir(place)), Path("/"))
    if path.is_symlink():
        return f"It is a link to {os.readlink(path)}, which does not exist."
    if there != path.absolute().parent:
        return f"There is no directory {path.absolute().parent}. Give the right file by --config."
    return "Give the right file by --config, or write one: `mailmon config example --flat` prints an example."

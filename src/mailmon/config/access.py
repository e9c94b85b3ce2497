"""Why a file cannot be read: whose it is, its mode, and who reads; and as whom to run instead."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from mailmon.config.trust import name_of

_GIVE = "Give the right file by --config."


def unreadable(path: Path, exc: OSError, environ: Mapping[str, str]) -> str:
    """Return what to do about a configuration file that cannot be read."""
    advice = _GIVE
    if isinstance(exc, FileNotFoundError):
        advice = _missing(path)
    elif isinstance(exc, PermissionError):
        advice = who_may_read(path)
    # Whoever sees the name for the first time must learn where it comes from.
    return f"MAILMON_CONFIG names this file. {advice}" if environ.get("MAILMON_CONFIG") == str(path) else advice


def who_may_read(path: Path) -> str:
    """Say who owns a file that may not be read, or the directory that hides it, and as whom to run."""
    me = name_of(os.geteuid())
    for place in (path, *path.absolute().parents):
        try:
            status = place.stat()
        except PermissionError:
            continue
        except OSError:
            return _GIVE
        owner, mode = name_of(status.st_uid), f"{stat.S_IMODE(status.st_mode):04o}"
        what = "It" if place == path else f"The directory {place}"
        group = _group(status.st_gid)
        return (
            f"{what} belongs to {owner}:{group} with mode {mode}, and this runs as {me}: run as {owner} "
            f"(sudo -u {owner} mailmon ...), or let {me} read it."
        )
    return _GIVE


def _missing(path: Path) -> str:
    there = next((place for place in path.absolute().parents if os.path.isdir(place)), Path("/"))
    if path.is_symlink():
        return f"It is a link to {os.readlink(path)}, which is not there."
    if there != path.absolute().parent:
        return f"There is no directory {path.absolute().parent}. Give the right file by --config."
    return "Give the right file by --config, or write one: `mailmon config example --flat` prints an example."


def _group(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)

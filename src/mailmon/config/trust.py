"""Trusted authors of configuration files: root, the caller, and the user named in MAILMON_CONFIG_OWNER."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from mailmon import safe
from mailmon.errors import ConfigError

VARIABLE = "MAILMON_CONFIG_OWNER"


def trusted_users(environ: Mapping[str, str]) -> frozenset[int]:
    """Return the trusted users. Raises ConfigError where the variable names nobody.

    Behind `sudo` the caller is who typed it.
    """
    users = {0, os.geteuid()}
    if os.geteuid() == 0 and (caller := environ.get("SUDO_UID", "")).isdecimal():
        users.add(int(caller))
    if named := environ.get(VARIABLE):
        users.add(_number(named))
    return frozenset(users)


def risk_of(opened: safe.OpenedFile, path: Path, trusted: frozenset[int], *, is_strict: bool) -> str:
    """Return why an untrusted user could have written a file, and what to do; "" for none.

    `is_strict`: no group may write the file, not even one that is its owner's own.
    """
    status = opened.status
    if status.st_uid not in trusted:
        return (
            f"it belongs to another user, {name_of(status.st_uid)}: run as that user, or give the file to root "
            f"(chown root {path}), or set {VARIABLE}={name_of(status.st_uid)}"
        )
    is_own_group = not is_strict and status.st_gid in (0, status.st_uid)
    if status.st_mode & (stat.S_IWOTH if is_own_group else stat.S_IWOTH | stat.S_IWGRP):
        return f"others may write this file: chmod go-w {path}"
    if opened.others == safe.ANYBODY:
        return f"others may put another file in its place: chmod go-w {opened.place}"
    if opened.others is not None:
        who = name_of(opened.others)
        return f"user {who} may put another file in its place, by {opened.place}: move it, or set {VARIABLE}={who}"
    return ""


def name_of(uid: int) -> str:
    """Return the name of a user, the number where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _number(named: str) -> int:
    if named.isascii() and named.isdecimal():
        return int(named)
    import pwd

    try:
        return pwd.getpwnam(named).pw_uid
    except KeyError:
        raise ConfigError(VARIABLE, [f"there is no user {named[:40]!r} on this machine"]) from None

"""Root in a directory of another user's: become that user permanently, before anything there is touched.

The decision and its reasons: docs/decisions/0017-dropping-privileges.md.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from mailmon import safe
from mailmon.errors import StateError


class UnreachableError(StateError):
    """The owner of the state directory cannot reach it from here."""


class User(NamedTuple):
    """A user with the groups that a login would give; `home` is "/" where nobody knows one."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    name: str
    home: str = "/"


def owner_of(state_file: Path) -> User | None:
    """Return whom root must become before it touches the state, None where it may stay root. Raises StateError."""
    if os.geteuid() != 0:
        return None
    try:
        uid = safe.controller(state_file)
    except OSError as exc:
        raise StateError(f"{state_file}: cannot be reached: {exc.strerror}") from exc
    return _user(uid, state_file.parent) if uid else None


@contextmanager
def acting_as(user: User) -> Iterator[None]:
    """As root, have the rights of a user for a while, to see or read what that user can. Raises StateError."""
    groups, gid = os.getgroups(), os.getegid()
    try:
        os.setgroups(user.groups)
        os.setegid(user.gid)
        os.seteuid(user.uid)
    except OSError as exc:
        os.seteuid(0)
        raise StateError(f"root cannot become user {user.name} here: {exc.strerror}", _ADVICE_AS_USER) from exc
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(gid)
        os.setgroups(groups)


def become(user: User, state_file: Path) -> None:
    """Become the owner of the state for good. Raises UnreachableError where that user cannot get there, StateError."""
    must_reach(user, state_file)
    _keep_importable(user)
    try:
        os.setgroups(user.groups)
        os.setresgid(user.gid, user.gid, user.gid)
        os.setresuid(user.uid, user.uid, user.uid)
    except OSError as exc:
        raise StateError(f"root cannot become user {user.name} here: {exc.strerror}", _ADVICE_AS_USER) from exc
    _must_be_for_good(user)
    os.environ.update(HOME=user.home, USER=user.name, LOGNAME=user.name)


def must_reach(user: User, state_file: Path) -> None:
    """See that a user gets to the state's directory, or to what is there of the way. Raises UnreachableError."""
    directory = state_file.parent
    with acting_as(user):
        for place in (directory, *directory.parents):
            try:
                os.close(os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                return
            except FileNotFoundError:
                continue
            except OSError as exc:
                said = f"{directory}: belongs to user {user.name}, who cannot reach it from here: {exc.strerror}"
                advice = f"Let that user reach it: chmod o+x the directories above {place}."
                raise UnreachableError(said, advice) from exc


def unreadable(user: User, files: Iterable[str]) -> list[str]:
    """Return the files that a user cannot read. Raises StateError."""
    with acting_as(user):
        return [file for file in files if not _may(file, os.R_OK)]


def _user(uid: int, directory: Path) -> User:
    import pwd

    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        # Of a number that has no name, the group is that of the directory; never root's, which would open doors.
        gid = _group_of(directory) or uid
        return User(uid, gid, (gid,), str(uid))
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return User(uid, entry.pw_gid, tuple(groups), entry.pw_name, entry.pw_dir)


def _group_of(directory: Path) -> int:
    try:
        return directory.stat().st_gid
    except OSError:
        return 0


def _keep_importable(user: User) -> None:
    """Hold open the directories of modules that the user cannot get to (pipx as root): by them more can be loaded.

    A process reaches what it has open by /proc/self/fd, whatever lies above.
    """
    packages = [
        module.__path__ for module in [*sys.modules.values()] if isinstance(getattr(module, "__path__", 0), list)
    ]
    lists = [sys.path, *packages]
    named = {place for places in lists for place in places if os.path.isdir(place)}
    with acting_as(user):
        hidden = [place for place in named if not os.access(place, os.R_OK | os.X_OK, effective_ids=True)]
    held = {place: f"/proc/self/fd/{os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)}" for place in hidden}
    for places in lists if held else ():
        places[:] = [held.get(place, place) for place in places]
    sys.path_importer_cache.clear()


def _may(file: str, how: int) -> bool:
    return os.access(file, how, effective_ids=True)


def _must_be_for_good(user: User) -> None:
    """See that nothing of root is left, and that it cannot be had again. Raises StateError."""
    ids = (os.getresuid() == (user.uid,) * 3, os.getresgid() == (user.gid,) * 3)
    regained = True
    try:
        os.setresuid(-1, 0, -1)
    except OSError:
        regained = False
    if not all(ids) or regained or set(os.getgroups()) - {*user.groups, user.gid}:
        raise StateError(f"root's rights could not be given up for those of user {user.name}", _ADVICE_AS_USER)


_ADVICE_AS_USER = "Run this command as that user."

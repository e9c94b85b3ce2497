"""Files opened safely: opened once, then checked for their type and for other users who could have written them.

Links planted in the way, pipes that never answer and devices without end are refused here. Whoever writes or reads a
file that another user could have changed uses these functions and no path of its own. All raise OSError.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

ROOT = frozenset({0})
# Group or others may write the directory, so that nobody in particular has put there what is in it.
ANYBODY = -1
_MAX_LINKS = 40
_CHUNK_BYTES = 1024 * 1024
_NAMES = {
    stat.S_IFDIR: (errno.EISDIR, "directory"),
    stat.S_IFLNK: (errno.ELOOP, "symbolic link"),
    stat.S_IFIFO: (errno.ENODEV, "pipe"),
    stat.S_IFSOCK: (errno.ENXIO, "socket"),
    stat.S_IFCHR: (errno.ENODEV, "device"),
    stat.S_IFBLK: (errno.ENODEV, "device"),
}
# To look a name up in a directory needs no right to list it (O_PATH is Linux).
_DIRECTORY = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: opening a pipe would wait for ever.
_CAREFUL = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class NotRegularError(OSError):
    """Not a regular file; `what` names it."""

    def __init__(self, mode: int, path: str | Path) -> None:
        number, self.what = _NAMES.get(stat.S_IFMT(mode), (errno.ENODEV, "special file"))
        said = os.strerror(number) if number == errno.EISDIR else f"not a regular file but a {self.what}"
        super().__init__(number, said, str(path))


class Way(NamedTuple):
    """Where a path leads, followed from the root directory on.

    `directory` is a descriptor of what holds the last component, `name`; the caller closes it. `others` is the first
    user not trusted who could lead the path elsewhere, at the directory `place`; ANYBODY where many could, None where
    nobody can. `is_hidden` says that a directory on the way lets only its owner and group through.
    """

    directory: int
    name: str
    others: int | None
    place: str
    is_hidden: bool


class OpenedFile(NamedTuple):
    """A regular file open for reading. `others` and `place` are those of its Way, `owner` is the file's own user."""

    descriptor: int
    status: os.stat_result
    others: int | None
    place: str
    is_hidden: bool

    @property
    def owner(self) -> int:
        """Return the user whom the file belongs to."""
        return self.status.st_uid


def follow(path: str | Path, trusted: Collection[int], *, to_others: bool = False, through_links: bool = True) -> Way:
    """Follow a path one component at a time, and see who could lead it elsewhere.

    With `to_others` it ends at the first place that somebody not trusted controls, and what is missing is no error.
    Without `through_links` no link is followed from such a place on.
    """
    todo = _parts(os.path.join(os.getcwd(), path))
    here = os.open("/", _DIRECTORY)
    place, others, at, links, is_hidden = "/", None, "", 0, False
    try:
        while True:
            name = todo.pop() if todo else "."
            status, entry = os.fstat(here), _entry(name, here)
            is_hidden = is_hidden or not status.st_mode & stat.S_IXOTH
            if others in (None, ANYBODY):
                found = _who_else(here, status, entry, trusted)
                others, at = (others, at) if found in (None, others) else (found, place)
            if to_others and (others not in (None, ANYBODY) or entry is None):
                return Way(here, name, others, at, is_hidden)
            if entry is not None and stat.S_ISLNK(entry.st_mode):
                links += 1
                if links > _MAX_LINKS or (others is not None and not through_links):
                    raise NotRegularError(entry.st_mode, path)
                target = os.readlink(name, dir_fd=here)
                todo += _parts(target)
                if target.startswith("/"):
                    here, place = _exchanged(here, os.open("/", _DIRECTORY)), "/"
                continue
            if not todo:
                return Way(here, name, others, at, is_hidden)
            if entry is None:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
            here = _exchanged(here, os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=here))
            place = os.path.join(place, name)
    except BaseException:
        os.close(here)
        raise


def controller(path: str | Path) -> int:
    """Return the first user but root who controls where a path leads, or what lies there; 0 where only root does.

    Of a path that does not exist what does exist counts.
    """
    way = follow(path, ROOT, to_others=True)
    os.close(way.directory)
    return 0 if way.others in (None, ANYBODY) else way.others


def open_directory(path: str | Path, flags: int = _DIRECTORY) -> int:
    """Open a directory to reach files in it by its descriptor.

    As root, no link is followed that somebody else could have put on the way.
    """
    flags |= os.O_DIRECTORY | os.O_CLOEXEC
    if os.geteuid() != 0:
        return os.open(path, flags)
    way = follow(path, ROOT, through_links=False)
    try:
        return os.open(way.name, flags | os.O_NOFOLLOW, dir_fd=way.directory)
    finally:
        os.close(way.directory)


def open_regular(path: Path, access: int = os.O_RDONLY, mode: int | None = None) -> int:
    """Open a regular file, not through a link. One that is written may have no other name (hard link).

    With a `mode` it is made where it is missing; as root, it then gets the owner of its directory.
    """
    directory = open_directory(path.parent)
    try:
        return open_in(directory, path, access, mode)
    finally:
        os.close(directory)


def open_in(directory: int, path: Path, access: int = os.O_RDONLY, mode: int | None = None) -> int:
    """Open the file of a path's last component in an open directory, as `open_regular` does."""
    flags = access | os.O_NOFOLLOW | _CAREFUL
    for is_last in (False, False, True):
        try:
            descriptor = os.open(path.name, flags, dir_fd=directory)
        except FileNotFoundError:
            if mode is None:
                raise
        except OSError as exc:
            raise _named(exc, directory, path) from exc
        else:
            return _judged(descriptor, directory, path, is_written=access & os.O_ACCMODE != os.O_RDONLY)
        try:
            descriptor = os.open(path.name, flags | os.O_CREAT | os.O_EXCL, mode, dir_fd=directory)
        except FileExistsError:  # somebody was faster
            if is_last:
                raise
            continue
        give_to_owner(directory, descriptor)
        return descriptor
    raise AssertionError


def give_to_owner(directory: int, descriptor: int) -> None:
    """As root, give a new file the owner of its directory, so that a run by hand locks out no service."""
    if os.geteuid() == 0:
        owner = os.fstat(directory)
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def must_be_replaceable(directory: int, path: Path) -> None:
    """Check that a path is free or a file: anything else is never renamed or overwritten."""
    entry = _entry(path.name, directory)
    if entry is not None and not stat.S_ISREG(entry.st_mode):
        raise NotRegularError(entry.st_mode, path)


def must_be_regular(path: str | Path, max_bytes: int) -> None:
    """See that a file which a library opens by its path has an end, and one that is not too far."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(status.st_mode, path)
    if status.st_size > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(path))


def read_regular(path: str | Path, max_bytes: int) -> bytes:
    """Return what a regular file holds, `max_bytes` + 1 at most, so that its length shows a file that is too large.

    Links are followed: the path is one that the reader was given, in a place where nobody else can put one.
    """
    if not stat.S_ISREG(mode := os.stat(path).st_mode):  # some devices do things when they are opened
        raise NotRegularError(mode, path)
    descriptor = os.open(path, os.O_RDONLY | _CAREFUL)
    try:
        if not stat.S_ISREG(mode := os.fstat(descriptor).st_mode):
            raise NotRegularError(mode, path)
        return read_all(descriptor, max_bytes)
    finally:
        os.close(descriptor)


def read_file(path: Path, max_bytes: int) -> bytes:
    """Return what a regular file holds that is reached through no link, `max_bytes` + 1 at most."""
    descriptor = open_regular(path)
    try:
        return read_all(descriptor, max_bytes)
    finally:
        os.close(descriptor)


def read_all(descriptor: int, max_bytes: int) -> bytes:
    """Return the bytes of an open file up to its end, `max_bytes` + 1 at most."""
    raw = bytearray()
    while len(raw) <= max_bytes and (more := os.read(descriptor, min(_CHUNK_BYTES, max_bytes + 1 - len(raw)))):
        raw += more
    return bytes(raw)


def open_checked(path: str | Path, trusted: Collection[int]) -> OpenedFile:
    """Open a file that decides something, and see who could have changed it; whether that matters the caller knows."""
    way = follow(path, trusted)
    try:
        if (entry := _entry(way.name, way.directory)) is not None and not stat.S_ISREG(entry.st_mode):
            raise NotRegularError(entry.st_mode, path)
        descriptor = os.open(way.name, os.O_RDONLY | os.O_NOFOLLOW | _CAREFUL, dir_fd=way.directory)
    finally:
        os.close(way.directory)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise NotRegularError(status.st_mode, path)
    return OpenedFile(descriptor, status, way.others, way.place, way.is_hidden)


def who_may_read(path: Path) -> str:
    """Say who owns a file that may not be read, or the directory that hides it, and as whom to run; "" if unknown."""
    me = _user_name(os.geteuid())
    for place in (path, *path.absolute().parents):
        try:
            status = place.stat()
        except PermissionError:
            continue
        except OSError:
            return ""
        owner, mode = _user_name(status.st_uid), f"{stat.S_IMODE(status.st_mode):04o}"
        what = "It" if place == path else f"The directory {place}"
        group = _group_name(status.st_gid)
        if status.st_uid == os.geteuid():  # the owner has no permission: nobody else to run as
            right = "u+x" if stat.S_ISDIR(status.st_mode) else "u+r"
            return f"{what} has mode {mode}, which keeps its owner out: chmod {right} {place}"
        return (
            f"{what} belongs to {owner}:{group} with mode {mode}, and this runs as {me}: run as {owner} "
            f"(sudo -u {owner} mailmon ...), or let {me} read it."
        )
    return ""


def _is_shared(status: os.stat_result) -> bool:
    """Say whether more than the owner and root may write; a group of the owner alone (same number) does not count."""
    is_private = status.st_gid in (0, status.st_uid)
    return bool(status.st_mode & (stat.S_IWOTH if is_private else stat.S_IWOTH | stat.S_IWGRP))


def _who_else(here: int, status: os.stat_result, entry: os.stat_result | None, trusted: Collection[int]) -> int | None:
    """Return who but the trusted could put something else under a name in a directory."""
    others: int | None = None
    if status.st_uid not in trusted:
        others = status.st_uid
    elif _is_shared(status):
        if entry is not None and entry.st_uid not in trusted:
            others = entry.st_uid
        elif not status.st_mode & stat.S_ISVTX:
            others = ANYBODY
    return None if others is None or os.fstatvfs(here).f_flag & os.ST_RDONLY else others


def _judged(descriptor: int, directory: int, path: Path, *, is_written: bool) -> int:
    """Return the descriptor where it is that of a regular file, else close it."""
    status = os.fstat(descriptor)
    try:
        if not stat.S_ISREG(status.st_mode):
            raise NotRegularError(status.st_mode, path)
        if is_written:
            # The count of names is read after the name was looked up, so a link that comes and goes may escape it; the
            # owner does not change.
            owner = os.fstat(directory).st_uid if os.geteuid() == 0 else 0
            if owner not in (0, status.st_uid):
                raise OSError(errno.EPERM, "the file does not belong to the owner of its directory", str(path))
            # A second name that was taken away in the meantime: then this one is no longer there either.
            now = os.stat(path.name, dir_fd=directory, follow_symlinks=False)
            if now.st_nlink != 1 or (now.st_dev, now.st_ino) != (status.st_dev, status.st_ino):
                raise OSError(errno.EMLINK, "the file has another name (hard link)", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _named(exc: OSError, directory: int, path: Path) -> OSError:
    """Return the error that names what lies there, where a file could not be opened because it is none."""
    if exc.errno in (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO, errno.ENODEV):
        entry = _entry(path.name, directory)
        if entry is not None and not stat.S_ISREG(entry.st_mode):
            return NotRegularError(entry.st_mode, path)
    return exc


def _entry(name: str, directory: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _parts(path: str) -> list[str]:
    """Return the components of a path, last first."""
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _exchanged(old: int, new: int) -> int:
    os.close(old)
    return new


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group_name(gid: int) -> str:
    import grp

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)

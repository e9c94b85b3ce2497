"""Small files, written so that they are never torn, never readable by others, and owned as their directory is."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

from mailmon import safe
from mailmon.errors import StateError

# Nobody's mistake, and no reason to keep an alert from anybody.
NOT_WRITABLE = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)

# A file that is a mount by itself; a directory that nobody may write.
_NOT_REPLACEABLE = (errno.EBUSY, errno.EXDEV, errno.EROFS)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file of mode 0600: temporary file, fsync, rename, fsync of the directory. Raises StateError.

    The temporary name is fixed, so that a killed run leaves at most one; the caller holds the lock.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        directory = safe.open_directory(path.parent, os.O_RDONLY)
    except OSError as exc:
        raise StateError(f"{path}: cannot be written: {exc.strerror}", _advice(exc)) from exc
    try:
        safe.must_be_replaceable(directory, path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary.name, dir_fd=directory)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary.name, flags, 0o600, dir_fd=directory)
        with os.fdopen(descriptor, "wb") as file:
            safe.give_to_owner(directory, descriptor)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.rename(temporary.name, path.name, src_dir_fd=directory, dst_dir_fd=directory)
        os.fsync(directory)
    except OSError as exc:
        with contextlib.suppress(OSError):  # on a full disk it would hold the last free blocks
            os.unlink(temporary.name, dir_fd=directory)
        raise StateError(f"{path}: cannot be written: {exc.strerror}", _advice(exc)) from exc
    finally:
        os.close(directory)


def write_through(path: Path, data: bytes) -> bool:
    """Write a file as `write_atomically` does, in place where nothing can be renamed over it. Raises StateError.

    So it is with a file that is mounted by itself, and in a directory that only others may write. Returns whether it
    was written in place: then a crash can tear it, and the caller has a second copy.
    """
    try:
        write_atomically(path, data)
    except StateError as exc:
        if not isinstance(exc.__cause__, OSError) or not _is_meant(path, exc.__cause__):
            raise
        try:
            _write_in_place(path, data)
        except OSError:
            raise exc from exc.__cause__
        return True
    return False


def _is_meant(path: Path, exc: OSError) -> bool:
    """Return whether somebody arranged it so. Our own directory that we may not write is a mistake, and is reported."""
    if isinstance(exc, PermissionError):
        with contextlib.suppress(OSError):
            return path.parent.stat().st_uid != os.geteuid()
    return exc.errno in _NOT_REPLACEABLE


def real_place(path: Path) -> Path:
    """Return where a file lies that a path leads to by links; as root, by none that others can have put there.

    Raises OSError.
    """
    if not path.is_symlink():
        return path
    if os.geteuid() == 0:
        os.close(safe.follow(path, safe.ROOT, through_links=False).directory)
    return Path(os.path.realpath(path))


def _write_in_place(path: Path, data: bytes) -> None:
    descriptor = safe.open_regular(path, os.O_RDWR)
    try:
        # A disk that is full must be noticed before the first byte is gone.
        os.posix_fallocate(descriptor, 0, max(len(data), 1))
        written = 0
        while written < len(data):
            written += os.pwrite(descriptor, data[written:], written)
        os.ftruncate(descriptor, len(data))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def beside(state_file: Path, name: str) -> Path:
    """Return the file of that name beside the state file, another one where the state file is called so itself."""
    return state_file.with_name(name if state_file.name != name else f"mailmon-{name}")


def must_be_a_state_file(path: Path) -> None:
    """See that there is a file in the state's place, or nothing yet, before anything is made beside it.

    Raises StateError.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # what is in the way shows when it is opened
    if not stat.S_ISREG(mode):
        error = safe.NotRegularError(mode, path)
        raise StateError(f"{path}: cannot be read: {error.strerror}", _advice(error))


def make_directory(directory: Path) -> None:
    """Make a directory of mode 0700 with its parents where it is missing. Raises StateError.

    As root, what is made gets the owner of the directory around it, and parents let others through. On a full or
    read-only file system nothing is made and nothing raised: that the state cannot be written is said when it is tried.
    """
    try:
        missing = [path for path in (directory, *directory.parents) if not path.exists()]
        for path in reversed(missing):
            _make_one(path, is_private=path == directory)
        if not directory.is_dir():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    except OSError as exc:
        if exc.errno not in NOT_WRITABLE:
            raise StateError(f"{directory}: cannot be made: {exc.strerror}", _advice(exc)) from exc


def _make_one(path: Path, *, is_private: bool) -> None:
    above = safe.open_directory(path.parent)
    try:
        try:
            os.mkdir(path.name, 0o700, dir_fd=above)
        except FileExistsError:
            return  # somebody was faster
        if os.geteuid() != 0:
            return
        # By its descriptor: under its name there may be another one by now.
        made = os.open(path.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        try:
            if os.fstat(made).st_uid != 0 or os.listdir(made):
                raise PermissionError(errno.EPERM, "somebody else has put another directory in its place")
            if not is_private:  # a unit's own user must get through /var/lib/mailmon to what is private
                os.fchmod(made, 0o755)
            safe.give_to_owner(above, made)
        finally:
            os.close(made)
    finally:
        os.close(above)


def _advice(exc: OSError) -> str:
    if isinstance(exc, safe.NotRegularError):
        return "Move it away, or set state_file to another place."
    if isinstance(exc, PermissionError):
        return "Run as the user that owns the state directory, or set state_file."
    return "Set state_file to a place that can be written."

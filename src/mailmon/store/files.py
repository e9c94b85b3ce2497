"""How is a small file written so that it is never torn, never readable by others, and owned as its directory is?"""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from mailmon.errors import StateError

# Nobody's mistake, and no reason to keep an alert from anybody.
NOT_WRITABLE = (errno.EROFS, errno.ENOSPC, errno.EDQUOT)


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file of mode 0600: temporary file, fsync, rename, fsync of the directory. Raises StateError.

    The temporary name is fixed, so that a killed run leaves at most one; the caller holds the lock.
    """
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            give_to_owner_of(path.parent, descriptor)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        _sync_directory(path.parent)
    except OSError as exc:
        with contextlib.suppress(OSError):  # on a full disk it would hold the last free blocks
            temporary.unlink()
        raise StateError(f"{path}: cannot be written: {exc.strerror}", _advice(exc)) from exc


def beside(state_file: Path, name: str) -> Path:
    """Return the file of that name beside the state file, another one where the state file is called so itself."""
    return state_file.with_name(name if state_file.name != name else f"mailmon-{name}")


def make_directory(directory: Path) -> None:
    """Make a directory of mode 0700 with its parents where it is missing. Raises StateError.

    As root, what is made gets the owner of the directory around it, and parents let others through. On a full or
    read-only file system nothing is made and nothing raised: that the state cannot be written is said when it is tried.
    """
    try:
        for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
            if os.geteuid() == 0:
                if missing != directory:  # a unit's own user must get through /var/lib/mailmon to what is private
                    missing.chmod(0o755)
                owner = missing.parent.stat()
                os.chown(missing, owner.st_uid, owner.st_gid)
        directory.mkdir(mode=0o700, exist_ok=True)
    except OSError as exc:
        if exc.errno not in NOT_WRITABLE:
            raise StateError(f"{directory}: cannot be made: {exc.strerror}", _advice(exc)) from exc


def give_to_owner_of(directory: Path, descriptor: int) -> None:
    """As root, give an open file the directory's owner: a run by hand must not lock the service out."""
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _advice(exc: OSError) -> str:
    if isinstance(exc, PermissionError):
        return "Run as the user that owns the state directory, or set state_file."
    return "Set state_file to a place that can be written."

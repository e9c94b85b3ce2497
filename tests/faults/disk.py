"""A full or read-only disk: the state lies on a small file system of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.faults.dsl import Action, Fault, Need
from tests.faults.harness import Harness

_FILLER = "filler"


def _command(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@cache
def _can_mount() -> bool:
    """A container's root may not be allowed to."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        return False
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        _command("unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", str(Path("/mnt")))
        return True
    return False


MOUNTS = Need("needs root and mount for a file system of its own", _can_mount)


def small_disk(harness: Harness) -> None:
    """Mount a file system of 1 MiB for the state."""
    place = harness.monitor.state_file.parent
    place.mkdir()
    _command("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(place))
    harness.cleanups.callback(_command, "umount", "-l", str(place))


def _fill(harness: Harness) -> None:
    filler = harness.monitor.state_file.with_name(_FILLER)
    if filler.exists():
        return
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 512)


def _empty(harness: Harness) -> None:
    place = harness.monitor.state_file.parent
    _command("mount", "-o", "remount,rw", str(place))
    (place / _FILLER).unlink(missing_ok=True)


def _write_protect(harness: Harness) -> None:
    _command("mount", "-o", "remount,ro", str(harness.monitor.state_file.parent))


disk_full = Fault("disk full", _fill, disk="journal")
disk_never_had_room = Fault("disk full from the beginning", _fill, disk="nothing")
read_only = Fault("read-only file system", _write_protect, disk="nothing")
no_longer_full = Action("the disk can be written again", _empty)

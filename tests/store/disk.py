"""Disks that are full or cannot be written, as file systems of their own; and users who may not write."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """Mount a small file system; skip the test where only root could."""
    place = directory / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a disk that is full")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no room on a disk; return what takes it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


def remount(disk: Path, mode: str) -> None:
    """Make a disk read-only by `ro`, and writable again by `rw`."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], check=True)


@contextmanager
def as_nobody(directory: Path) -> Iterator[None]:
    """Be a user to whom nothing belongs, and who may pass through the directories above this one."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    modes = {parent: stat.S_IMODE(parent.stat().st_mode) for parent in directory.parents}
    for parent, mode in modes.items():
        parent.chmod(mode | 0o011)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
        for parent, mode in modes.items():
            parent.chmod(mode)

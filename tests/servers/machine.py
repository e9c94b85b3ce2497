"""A Debian tree in namespaces of its own, with its own host name, one network hop away from the scenario."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

# Documentation addresses (RFC 5737): in these networks there is nobody else.
ADDRESS, OUTSIDE = "192.0.2.10", "192.0.2.20"
HOST, OUTSIDE_HOST = "mx.mail.test", "watch.away.test"
_START_S = 30.0
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_SPACES = ("--mount", "--net", "--pid", "--ipc", "--uts")
# The first process reaps what daemons leave behind.
_INIT = "trap : TERM; while :; do sleep 3600 & wait $!; done"


class MachineError(Exception):
    """A command inside failed, or a port did not open; the message says what came back."""


class Machine:
    """Runs between `with` and its end; every process inside ends with it.

    Must be started in a mount, network and process namespace that belongs to the caller.
    """

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self.log = tree.with_name("syslog")
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def __enter__(self) -> Self:
        self._mount()
        _ip("link", "set", "lo", "up")
        init = ("/bin/sh", "-c", f"mount -t proc proc /proc && hostname {HOST} && {_INIT}")
        self._process = subprocess.Popen(["unshare", *_SPACES, "--fork", "--kill-child", f"--root={self.tree}", *init])
        self._pid = self._child_of(self._process.pid)
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def run(
        self,
        *command: str,
        given: bytes | None = None,
        user: str = "root",
        patience_s: float = 60.0,
        check: bool = True,
    ) -> str:
        """Run a command inside and return what it printed. MachineError when it fails, unless `check` is false."""
        inside = ["nsenter", f"--target={self._pid}", *_SPACES, "--root", "--wd"]
        as_user = [] if user == "root" else ["runuser", "-u", user, "--"]
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C"}
        # Daemons keep the pipes that they were started with open: output goes to files.
        out = self.tree.with_name("output")
        with out.open("w+b") as stream:
            ran = subprocess.run(
                [*inside, *as_user, *command],
                **({"stdin": subprocess.DEVNULL} if given is None else {"input": given}),
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                timeout=patience_s,
                check=False,
            )
        text = out.read_bytes().decode(errors="replace")
        if check and ran.returncode != 0:
            raise MachineError(f"{' '.join(command)}: exit code {ran.returncode}: {text[-2000:]}")
        return text

    def path(self, inside: str) -> Path:
        """Return where a file of the tree lies outside."""
        return self.tree / inside.lstrip("/")

    def write(self, inside: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the tree."""
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def wait_for(self, ports: Sequence[int], *, is_open: bool = True) -> None:
        """Wait until all ports take connections, or refuse them. MachineError after a while."""
        deadline = time.monotonic() + _START_S
        for port in ports:
            while _takes_connections(port) is not is_open:
                if time.monotonic() > deadline:
                    raise MachineError(f"port {port}: not {'open' if is_open else 'closed'} after {_START_S:.0f} s")
                time.sleep(0.1)

    def _mount(self) -> None:
        """Give the tree devices and a place for its log."""
        subprocess.run(["mount", "-t", "tmpfs", "dev", str(self.tree / "dev")], check=True)
        for name in _DEVICES:
            device = self.tree / "dev" / name
            device.touch()
            subprocess.run(["mount", "--bind", f"/dev/{name}", str(device)], check=True)
        (self.tree / "dev/shm").mkdir(mode=0o1777)
        (self.tree / "dev/fd").symlink_to("/proc/self/fd")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # From its own directory: a path of a unix socket ends at 107 bytes.
        os.chdir(self.tree / "dev")
        listener.bind("log")
        os.chdir("/")
        (self.tree / "dev/log").chmod(0o666)
        threading.Thread(target=self._write_log, args=(listener,), daemon=True).start()
        (self.tree / "etc/resolv.conf").unlink(missing_ok=True)
        (self.tree / "etc/resolv.conf").write_text(f"nameserver {OUTSIDE}\noptions timeout:2 attempts:2\n")
        (self.tree / "etc/hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {HOST} mx\n")
        (self.tree / "etc/hostname").write_text(f"{HOST}\n")
        (self.tree / "etc/mailname").write_text(f"{HOST.partition('.')[2]}\n")

    def _write_log(self, listener: socket.socket) -> None:
        with self.log.open("ab", buffering=0) as log:
            while True:
                log.write(listener.recv(65536).rstrip(b"\n\0") + b"\n")

    def _child_of(self, pid: int) -> int:
        children = Path(f"/proc/{pid}/task/{pid}/children")
        deadline = time.monotonic() + _START_S
        while not (found := children.read_text().split()):
            if time.monotonic() > deadline:
                raise MachineError("the machine did not start")
            time.sleep(0.01)
        return int(found[0])

    def _connect(self) -> None:
        """Lay a cable between the scenario's network and the machine's."""
        _ip("link", "add", "outside", "type", "veth", "peer", "name", "eth0", "netns", str(self._pid))
        _ip("address", "add", f"{OUTSIDE}/24", "dev", "outside")
        _ip("link", "set", "outside", "up")
        deadline = time.monotonic() + _START_S
        while not self.path("proc/1").exists() and "sleep" not in self.run("ps", "-e", check=False):
            if time.monotonic() > deadline:
                raise MachineError("the machine did not start")
            time.sleep(0.05)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", f"{ADDRESS}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")


def _takes_connections(port: int) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), 2.0):
            return True
    except OSError:
        return False


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)

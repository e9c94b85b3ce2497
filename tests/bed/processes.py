"""The processes of a bed, and how all of them, and no others, are ended."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

SERVERS = ("unbound", "opendkim", "dovecot", "proxy", "postfix")

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
_PACKAGES = {
    "postfix": "/usr/sbin/postfix",
    "dovecot-imapd": "/usr/lib/dovecot/imap",
    "dovecot-pop3d": "/usr/lib/dovecot/pop3",
    "dovecot-lmtpd": "/usr/lib/dovecot/lmtp",
    "opendkim": "/usr/sbin/opendkim",
    "unbound": "/usr/sbin/unbound",
    "openssl": "openssl",
}
_EXECUTABLES = (
    "/usr/lib/postfix/",
    "/usr/lib/dovecot/",
    *(f"/usr/sbin/{name}" for name in ("dovecot", "unbound", "opendkim", "postfix", "postsuper")),
)
_STATELESS = ("opendkim", "proxy")


def missing_programs() -> list[str]:
    """List what a bed needs and this machine lacks: Debian packages by name, and root. Empty when a bed can run."""
    missing = [package for package, program in _PACKAGES.items() if shutil.which(program) is None]
    if os.geteuid() != 0:
        missing.append("root (the servers change to users of their own)")
    return missing


def start_time(pid: int) -> str | None:
    """Read when a process started, in the kernel's ticks; None when it is gone or only waits for its parent."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces and parentheses
    return None if fields[0] in "ZX" else fields[19]


class Servers:
    """The processes of the bed in one directory, also those that an earlier program started there.

    NAME.run keeps a server's pid and the kernel's start time of it: a pid alone may mean somebody else by now.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._children: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: Sequence[str | Path]) -> None:
        """Start a server in its own session, out of reach of a terminal's Ctrl-C; its output goes to log/NAME.out."""
        with (self._directory / "log" / f"{name}.out").open("ab") as log:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._directory,
                start_new_session=True,
                umask=0o022,
                env=_ENVIRONMENT,
            )
        self._children.append(child)
        (self._directory / f"{name}.run").write_text(f"{child.pid} {start_time(child.pid)}")

    def pids(self) -> dict[str, int]:
        """Give the pids of the servers that live, by name. Postfix's is the script that waits for its master."""
        found = {}
        for name in SERVERS:
            with contextlib.suppress(OSError, ValueError):
                pid, started = (self._directory / f"{name}.run").read_text().split()
                if start_time(int(pid)) == started:
                    found[name] = int(pid)
        return found

    def all_pids(self) -> set[int]:
        """Give the pids of the servers and of every process they have started."""
        return set(self.pids().values()) | set(self._belonging())

    def stop(self) -> set[int]:
        """End all of the bed's processes; give the pids of those that outlived it (none, normally)."""
        pids = self.pids()
        # libmilter takes up to 5 s to notice SIGTERM, and neither of these two has anything to lose
        _signal((pids[name] for name in _STATELESS if name in pids), signal.SIGKILL)
        # the masters end their children in order; a master may be an orphan when its script was killed
        masters = (pid for pid, program in self._belonging().items() if program in ("master", "dovecot"))
        _signal({*self.pids().values(), *masters}, signal.SIGTERM)
        if "postfix" in pids:
            # in its first second the start script is busy with scripts of its own, which would outlive it
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pids["postfix"], signal.SIGTERM)
        if not _becomes_true(lambda: not self.all_pids(), 5.0):
            _signal(self.all_pids(), signal.SIGKILL)
            _becomes_true(lambda: not self.all_pids(), 2.0)
        self._reap()
        for name in SERVERS:
            (self._directory / f"{name}.run").unlink(missing_ok=True)
        (self._directory / "dovecot" / "master.pid").unlink(missing_ok=True)
        return self.all_pids()

    def _belonging(self) -> dict[int, str]:
        """Find the mail programs that work below the directory, and so can only be the bed's; name each program."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                place = Path(os.readlink(entry / "cwd"))
                program = os.readlink(entry / "exe")
                if place.is_relative_to(self._directory) and program.startswith(_EXECUTABLES):
                    found[int(entry.name)] = Path(program).name
        return found

    def _reap(self) -> None:
        for child in self._children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=1)
        self._children.clear()


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _becomes_true(claim: Callable[[], bool], timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True

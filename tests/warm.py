"""Runs at a third of the cost: a process that has loaded mailmon and does nothing else forks a child for each.

What a run of its own needs is its own: pid, memory, files, environment, directory and exit code. What it shares is the
start of Python and the imports, which are four fifths of the work of a short run. Whatever is about the start itself
(signals at any moment, another user, a clock that is set, what is imported) starts the command as a timer does:
Monitor.start. With MAILMON_TESTS_COLD=1, and in `make soak`, `make faults` and `make servers`, all runs do.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).parents[1]
# Python and the C library look at these when they start: where they differ from ours, a start of its own it must be.
_OF_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "TZ", "OPENSSL_")
# What the runs of the tests import at some point.
_LOADED = (
    *("mailmon.cli.check", "mailmon.cli.status", "mailmon.cli.alerts", "mailmon.run.run", "mailmon.run.dispatch"),
    *("mailmon.config.models", "mailmon.clients.imap", "mailmon.clients.smtp", "pydantic", "requests", "json", "email"),
)
_MAX_REQUEST = 1 << 20


class Ended(NamedTuple):
    """How a run ended, as subprocess says it."""

    exit_code: int
    stdout: str
    stderr: str


def is_fit(environ: Mapping[str, str]) -> bool:
    """Say whether a run with this environment may be split off."""
    can_be = hasattr(os, "pidfd_open") and hasattr(os, "memfd_create")
    return can_be and not os.environ.get("MAILMON_TESTS_COLD") and _of_the_start(environ) == _of_the_start(os.environ)


def run(arguments: Sequence[str], environ: Mapping[str, str], timeout_s: float, directory: Path | None = None) -> Ended:
    """Run `mailmon ARGUMENTS` to its end; raise TimeoutExpired where it does not come, after having killed it."""
    out, err = os.memfd_create("stdout"), os.memfd_create("stderr")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with open(out, "rb") as stdout, open(err, "rb") as stderr, ours:
        with theirs:
            request = json.dumps([list(arguments), dict(environ), str(directory or Path.cwd())]).encode()
            _stem().ask(request, [out, err, theirs.fileno()])
        pid = int(ours.recv(32))
        ours.settimeout(timeout_s)
        try:
            code = int(ours.recv(32))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["mailmon", *arguments], timeout_s) from None
        return Ended(code, *(_all_of(stream.fileno()) for stream in (stdout, stderr)))


def _all_of(fd: int) -> str:
    """Return what was written, with the ends of lines that a text stream makes of them."""
    raw = os.pread(fd, os.fstat(fd).st_size, 0).decode()
    return raw.replace("\r\n", "\n").replace("\r", "\n")


def _of_the_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in environ.items() if key.startswith(_OF_THE_START)}


class _Stem:
    """The process that runs are split off."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.warm", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )
        atexit.register(self.close)

    def ask(self, request: bytes, fds: list[int]) -> None:
        """Hand over what is to be run, and where it is to write."""
        socket.send_fds(self._ours, [request], fds)

    def close(self) -> None:
        """End it."""
        self._ours.close()
        self._process.terminate()
        self._process.wait(10)


_lock = threading.Lock()
_stems: list[_Stem] = []


def _stem() -> _Stem:
    with _lock:
        if not _stems:
            _stems.append(_Stem())
        return _stems[0]


def _serve(control: socket.socket) -> None:
    """Split off a run for each request, and say how each one has ended."""
    for name in _LOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # else a collection in a child would copy all pages
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data:
                    selector.unregister(key.fd)
                    _report(key.fd, *key.data)
                    continue
                request, fds, *_ = socket.recv_fds(control, _MAX_REQUEST, 3)
                if not request:
                    return
                if (pid := os.fork()) == 0:
                    _be(request, *fds)
                reply = socket.socket(fileno=fds.pop())
                for fd in fds:
                    os.close(fd)
                reply.send(str(pid).encode())
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, reply))


def _report(pidfd: int, pid: int, reply: socket.socket) -> None:
    os.close(pidfd)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with reply, contextlib.suppress(OSError):
        reply.send(str(code).encode())


def _be(request: bytes, out: int, err: int, _reply: int) -> NoReturn:
    """Be the run that is asked for."""
    try:
        arguments, environ, directory = json.loads(request)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, 1024)
        os.environ.clear()
        os.environ.update(environ)
        os.chdir(directory)
        random.seed()
        package = import_module("mailmon")
        sys.argv = [str(Path(str(package.__file__)).with_name("__main__.py")), *arguments]
        import_module("mailmon.cli").main()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))

"""Running a local program: its lines as they come, within a time limit, without a shell."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from mailmon.text import visible

# Where programs of the system are that are in no user's PATH. The last is NixOS: its setgid wrappers refuse to run
# where nobody can gain privileges.
SYSTEM_PATHS = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/run/current-system/sw/bin")
# What a program that only lists something needs of our environment; all that it is given beside the C locale.
NEEDED = frozenset({"PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR", "MAIL_CONFIG", "LD_LIBRARY_PATH"})
# What holds our credentials: by these names and behind this prefix we take them (docs/configuration.md).
_OURS, _OUR_PREFIX = frozenset({"CREDENTIALS_DIRECTORY"}), "MAILMON_"
MAX_LINE_BYTES, MAX_SAID_BYTES = 1024 * 1024, 2000


class ProgramError(Exception):
    """A program could not be started, took too long, or ended with an exit code; `code` is None for the former two."""

    def __init__(self, said: str, code: int | None = None) -> None:
        super().__init__(said)
        self.said, self.code = said, code


class ProgramTimeoutError(ProgramError):
    """A program was not finished in time; the lines before that are as good as any."""


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program that needs nobody's: what is in NEEDED, and the C locale."""
    return {**{name: value for name, value in environ.items() if name in NEEDED}, "LC_ALL": "C"}


def environment_without_ours(environ: Mapping[str, str], *, keeps_directory: bool = False) -> dict[str, str]:
    """Return an environment without what holds our credentials, for a program of the user's own.

    A password manager or a script needs more than anybody can list: agents, sessions, proxies. `keeps_directory` leaves
    it the name of systemd's directory of credentials, where the key of a password store may lie.
    """
    ours = frozenset() if keeps_directory else _OURS
    return {name: value for name, value in environ.items() if name not in ours and not name.startswith(_OUR_PREFIX)}


def find_program(name: str) -> str | None:
    """Return where a program is: in PATH, or where a system keeps such things."""
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(SYSTEM_PATHS))


def lines_of(command: Sequence[str], timeout_s: float, said: bytearray | None = None) -> Iterator[bytes]:
    """Yield the lines that a program writes; what it has started dies with it. Raises ProgramError.

    What it says beside them (stderr) is put into `said`. A line of more than MAX_LINE_BYTES is cut there.
    """
    said = bytearray() if said is None else said
    until_s = time.monotonic() + timeout_s
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=bare_environment(os.environ),
            start_new_session=True,
        )
    except OSError as exc:
        raise ProgramError(f"{command[0]}: {exc.strerror or 'cannot be started'}") from exc
    try:
        yield from _lines(process, said, until_s)
        code = process.wait(max(until_s - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired as exc:
        raise ProgramTimeoutError(f"{command[0]}: not finished within {timeout_s:.0f} s") from exc
    finally:
        _end(process)
    if code:
        words = visible(b"; ".join(bytes(said).split(b"\n")).strip(b"; "), 400)
        raise ProgramError(f"{command[0]}: ended with exit code {code}{f': {words}' if words else ''}", code)


def _lines(process: subprocess.Popen[bytes], said: bytearray, until_s: float) -> Iterator[bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stderr, selectors.EVENT_READ)
        while selector.get_map():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                raise subprocess.TimeoutExpired("", 0)
            for key, _ in selector.select(left_s):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    said += chunk[: MAX_SAID_BYTES - len(said)]
                else:
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from lines
                    rest = rest[:MAX_LINE_BYTES]
    if rest:
        yield rest


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe:
            pipe.close()

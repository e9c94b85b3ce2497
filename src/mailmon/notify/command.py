"""Command: a program of your own that gets the alert as JSON on its standard input. Exit code 0 acknowledges it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from mailmon.errors import DeliveryError
from mailmon.model import Alert
from mailmon.notify.channel import Channel, ChannelOptions, Notifier
from mailmon.text import fit_characters, visible
from mailmon.typedjson.declare import About, Matching, Timeout, options

if TYPE_CHECKING:
    from subprocess import Popen

    from mailmon.clients.deadline import Deadline

MAX_SAID_BYTES, MAX_WORDS = 4096, 200
# The end of a program wakes us by its pipes, unless a child of its own holds them open.
_POLL_S = 0.05
_REAP_S = 1.0

Word = Annotated[str, Matching(r"[^\x00]*", "text without NUL")]


@options
class CommandOptions(ChannelOptions):
    """A program of your own, run without a shell."""

    type: Literal["command"] = "command"
    command: Annotated[tuple[Word, ...], About("The program and its arguments, as a list of words: no shell")]
    timeout_s: Annotated[Timeout, About("Seconds that the program may take; never more than an alert may take")] = 10.0

    def __post_init__(self) -> None:
        if not self.command or not self.command[0]:
            raise ValueError("command: must be a list of words that begins with a program")
        if self.ca_file:
            raise ValueError("ca_file: a command has no use for it, remove it")


def send(alert: Alert, channel: Channel[CommandOptions], timeout_s: float) -> str:
    """Run the command; return that it took the alert. Raises DeliveryError with the first line of its stderr."""
    import json

    from mailmon.clients.deadline import Deadline
    from mailmon.render.document import alert_document

    program = channel.options.command[0]
    limit_s = min(channel.options.timeout_s, timeout_s)
    process = _start(channel.options.command, _environment(alert))
    try:
        said = _converse(process, json.dumps(alert_document(alert)).encode(), Deadline(limit_s))
    finally:
        code = _end(process)
    if said is None:
        raise DeliveryError(f"{program}: not finished within {limit_s:.3g} s, it was killed")
    if code == 0:
        return f"{program} ended with exit code 0"
    first = visible(said.lstrip().partition(b"\n")[0].rstrip(), MAX_SAID_BYTES)
    words = fit_characters(channel.credentials.masker()(first), MAX_WORDS)
    ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    raise DeliveryError(f"{program}: {ended}{f': {words}' if words else ''}")


def _start(command: tuple[str, ...], environment: Mapping[str, str]) -> Popen[bytes]:
    import subprocess

    try:
        return subprocess.Popen(
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # one group with all its children, which a time-out kills together
        )
    except OSError as exc:
        raise DeliveryError(
            f"{command[0]}: {exc.strerror or 'cannot be started'}",
            "Check the path of the command, and who may execute it.",
            is_permanent=True,
        ) from exc


def _environment(alert: Alert) -> dict[str, str]:
    """Return our own environment without our credentials, and the alert in short for the simplest of scripts."""
    import os

    from mailmon.clients.program import environment_without_ours

    return environment_without_ours(os.environ) | {
        "MAILMON_ALERT_ID": visible(alert.id),
        "MAILMON_ALERT_KIND": alert.kind.value,
        "MAILMON_ALERT_TITLE": visible(alert.title),
    }


def _converse(process: Popen[bytes], document: bytes, deadline: Deadline) -> bytes | None:
    """Write to the program and read from it until it has ended; return what it said first, None when time ran out.

    It may read nothing and write without end, and its children may hold the pipes open: none of that holds us up.
    """
    import os
    import selectors

    assert process.stdin is not None
    assert process.stderr is not None
    said, left = bytearray(), memoryview(document)
    with process.stdin as stdin, process.stderr as stderr, selectors.DefaultSelector() as selector:
        for pipe, event in ((stdin, selectors.EVENT_WRITE), (stderr, selectors.EVENT_READ)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while process.poll() is None:
            if deadline.remaining_s() <= 0:
                return None
            for key, event in selector.select(deadline.bound_s(_POLL_S)):
                if event == selectors.EVENT_READ:
                    is_open = _read(stderr.fileno(), said)
                else:
                    left = _write(stdin.fileno(), left)
                    is_open = len(left) > 0
                if not is_open:
                    selector.unregister(key.fileobj)
                    (stderr if event == selectors.EVENT_READ else stdin).close()
        if not stderr.closed:
            _read(stderr.fileno(), said)
    return bytes(said)


def _read(pipe: int, said: bytearray) -> bool:
    """Take what a pipe holds, and keep no more than the first MAX_SAID_BYTES; return whether more may come."""
    import os

    try:
        received = os.read(pipe, 65536)
    except BlockingIOError:
        return True
    said += received[: MAX_SAID_BYTES - len(said)]
    return received != b""


def _write(pipe: int, left: memoryview) -> memoryview:
    """Give a pipe what it takes; return what is left, nothing when nobody reads."""
    import os

    try:
        return left[os.write(pipe, left[:65536]) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        return left[:0]


def _end(process: Popen[bytes]) -> int:
    """Return the exit code of a program; one that still runs is killed with all its children."""
    import os
    import signal
    import subprocess
    from contextlib import suppress

    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_REAP_S)
    return process.poll() or 0


NOTIFIER = Notifier("command", CommandOptions, send)

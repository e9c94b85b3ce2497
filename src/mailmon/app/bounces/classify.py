"""Messages classified: of files, mbox files, Maildirs and folders."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator
from errno import ETIMEDOUT
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

from mailmon.mail.bounce import Classification, classify
from mailmon.mail.message.mbox import is_mbox, split_mbox
from mailmon.mail.message.read import MAX_BYTES, has_header

STDIN = "-"
PIPE_TIMEOUT_S = 10.0
# A file of this name holds one message, even if it begins with the From line of an mbox.
ONE_MESSAGE = ".eml"


class Classified(NamedTuple):
    """One message and what it is; a file that cannot be read, or is no message, has an error instead."""

    file: str
    classification: Classification | None = None
    error: str = ""


def classify_files(names: Iterable[str], stdin: BinaryIO | None = None) -> Iterator[Classified]:
    """Yield the messages of files, mbox files, Maildirs and folders in order; `-` stands for `stdin`.

    What cannot be read is yielded as an error and ends nothing.
    """
    for name in names:
        yield from _in_stream(name, stdin) if stdin and name == STDIN else _in_path(name)


def classify_message(file: str, raw: bytes) -> Classified:
    """Return what a message is; `file` is the name that it gets."""
    if not has_header(raw):
        return Classified(file, error="not a message: no header field" if raw.strip() else "not a message: empty")
    return Classified(file, classify(raw))


def _in_path(name: str) -> Iterator[Classified]:
    path = Path(name)
    try:
        messages = [(str(one), one) for one in _in_folder(path)] if path.is_dir() else [(name, path)]
    except OSError as exc:
        yield _unreadable(name, exc)
        return
    for file, message in messages:
        try:
            with _open(message) as stream:
                yield from _in_stream(file, stream)
        except OSError as exc:
            yield _unreadable(file, exc)


def _unreadable(file: str, exc: OSError) -> Classified:
    return Classified(file, error=exc.strerror or str(exc))


def _open(path: Path) -> BinaryIO:
    """Open a file; wait for a writer of a pipe, for a limited time. Raises OSError."""
    if not path.is_fifo():
        return path.open("rb")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    if not poller.poll(PIPE_TIMEOUT_S * 1000):
        os.close(descriptor)
        raise TimeoutError(ETIMEDOUT, f"nothing was written to this pipe within {PIPE_TIMEOUT_S:g} s")
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _in_stream(name: str, stream: BinaryIO) -> Iterator[Classified]:
    """Yield the message of a stream, or each message of an mbox, numbered from 1."""
    try:
        begin = stream.read(MAX_BYTES)
        if name.endswith(ONE_MESSAGE) or not is_mbox(begin):
            yield classify_message(name, begin)
            return
        for number, raw in enumerate(split_mbox(_Rejoined(begin, stream)), 1):
            yield classify_message(f"{name}#{number}", raw)
    except OSError as exc:
        yield _unreadable(name, exc)


class _Rejoined(BytesIO):
    """A stream whose beginning has been read already, and which, like a pipe, cannot seek."""

    def __init__(self, begin: bytes, rest: BinaryIO) -> None:
        super().__init__(begin)
        self._rest = rest

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        limit = -1 if size is None else size
        if line.endswith(b"\n") or len(line) == limit:
            return line
        return line + self._rest.readline(limit - len(line) if limit >= 0 else -1)


def _in_folder(path: Path) -> list[Path]:
    """Return the messages of a Maildir, new before cur, else those in a folder and the folders below it."""
    maildir = [path / name for name in ("new", "cur") if (path / name).is_dir()]
    if maildir:
        return [one for folder in maildir for one in sorted(folder.iterdir()) if not one.name.startswith(".")]
    found: list[Path] = []
    for folder, below, names in os.walk(path):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    found = sorted(one for one in found if one.is_file())
    if not found:
        raise FileNotFoundError(f"no file in this folder, and neither new nor cur of a Maildir: {path}")
    return [one for one in found if one.name.lower().endswith(ONE_MESSAGE)] or found

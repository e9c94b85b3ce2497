"""`mailmon bounces`: what does mail that came back say?"""

from __future__ import annotations

import gc
import json
import os
import select
import sys
from collections.abc import Iterator
from errno import ETIMEDOUT
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import click

from mailmon.cli.bounce_log import COMMANDS as LOG_COMMANDS
from mailmon.cli.bounce_queue import COMMANDS as QUEUE_COMMANDS
from mailmon.cli.bounce_scan import COMMAND as SCAN
from mailmon.cli.bounce_summary import COMMAND as SUMMARY
from mailmon.mail.bounce import Kind, Recipient, classify
from mailmon.mail.bounce.mailboxes import is_mbox, split_mbox
from mailmon.mail.message.read import MAX_BYTES, has_header

EXIT_FAILED = 1
STDIN = "-"
PIPE_TIMEOUT_S = 10.0
# A file of this name holds one message, also when somebody saved it with the From line of an mbox.
ONE_MESSAGE = ".eml"


@click.group("bounces", short_help="Read mail that came back: who was not reached, and why.")
def bounces() -> None:
    """Read mail that came back: who was not reached, and why."""


@bounces.command("classify", short_help="Classify messages: bounce, delay, complaint or other.")
@click.argument("files", nargs=-1, required=True, metavar="FILE [FILE]...")
@click.option("--json", "_as_json", is_flag=True, help="Changes nothing: the output is always JSON Lines.")
def classify_files(files: tuple[str, ...], _as_json: bool) -> None:
    """Classify messages as bounce, delay, complaint or other, with the recipients and the reason.

    FILE is a message, an mbox file, a Maildir, a folder, or - for standard input. Of a folder its .eml files are read,
    also in the folders below it, sorted by path; where none ends in .eml, all its files. Hidden files are left out.

    Prints one JSON object per message, in order. For a file that cannot be read or is no message the object has an
    "error"; the others are still read, and the exit code is 1. Kinds, reasons and keys: docs/bounces.md.

    \b
      mailmon bounces classify bounce.eml
      mailmon bounces classify /var/mail/bounces ~/Maildir/.Bounces saved/
    """
    gc.freeze()  # tables and patterns live until the end; to walk through them again and again costs a tenth
    has_failed = False
    for name in files:
        for row in _rows(name):
            has_failed = has_failed or "error" in row
            click.echo(json.dumps(row))
    if has_failed:
        raise click.exceptions.Exit(EXIT_FAILED)


def _rows(name: str) -> Iterator[dict[str, Any]]:
    path = Path(name)
    try:
        if name == STDIN:
            yield from _of_stream(name, sys.stdin.buffer)
        elif path.is_dir():
            for message in _in_folder(path):
                yield from _of_file(str(message), message)
        else:
            yield from _of_file(name, path)
    except OSError as exc:
        yield _failed(name, exc.strerror or str(exc))


def _of_file(name: str, path: Path) -> Iterator[dict[str, Any]]:
    try:
        with _open(path) as stream:
            yield from _of_stream(name, stream)
    except OSError as exc:
        yield _failed(name, exc.strerror or str(exc))


def _open(path: Path) -> BinaryIO:
    """Open a file; of a pipe wait for what somebody writes into it, but not for ever. Raises OSError."""
    if not path.is_fifo():
        return path.open("rb")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    if not poller.poll(PIPE_TIMEOUT_S * 1000):
        os.close(descriptor)
        raise TimeoutError(ETIMEDOUT, f"nobody wrote into this pipe within {PIPE_TIMEOUT_S:g} s")
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _of_stream(name: str, stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield a row for the message of a stream, or one for each message of an mbox, numbered from 1."""
    begin = stream.read(MAX_BYTES)
    if name.endswith(ONE_MESSAGE) or not is_mbox(begin):
        yield _row(name, begin)
        return
    for number, raw in enumerate(split_mbox(_Rejoined(begin, stream)), 1):
        yield _row(f"{name}#{number}", raw)


class _Rejoined(BytesIO):
    """A stream of which the beginning has been read already; it cannot go back, a pipe cannot either."""

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


def _failed(name: str, error: str) -> dict[str, Any]:
    return {"file": name, "kind": Kind.OTHER, "error": error, "recipients": []}


def _row(name: str, raw: bytes) -> dict[str, Any]:
    if not has_header(raw):
        return _failed(name, "not a message: no header field" if raw.strip() else "not a message: empty")
    found = classify(raw)
    return {
        "file": name,
        "kind": found.kind,
        "type": found.form,
        "recipients": [_recipient(recipient) for recipient in found.recipients],
        "feedback_type": found.feedback_type,
        "original": found.original._asdict(),
    }


def _recipient(one: Recipient) -> dict[str, Any]:
    document: dict[str, Any] = {
        "address": one.address,
        "status": one.status,
        "action": one.action,
        "reason": one.reason,
        "hard": one.is_hard,
        "diagnostic": one.diagnostic,
        "reporting_mta": one.reporting_mta,
        "remote_mta": one.remote_mta,
    }
    return document | ({"original_recipient": one.original_recipient} if one.original_recipient else {})


for command in (SCAN, *LOG_COMMANDS, SUMMARY, *QUEUE_COMMANDS):
    bounces.add_command(command)

COMMAND = bounces

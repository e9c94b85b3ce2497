"""`mailmon bounces`: what does mail that came back say?"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import click

from mailmon.cli.bounce_log import COMMANDS as LOG_COMMANDS
from mailmon.cli.bounce_queue import COMMANDS as QUEUE_COMMANDS
from mailmon.cli.bounce_scan import COMMAND as SCAN
from mailmon.cli.bounce_summary import COMMAND as SUMMARY
from mailmon.mail.bounce import Classification, Kind, classify
from mailmon.mail.bounce.mailboxes import is_mbox, split_mbox
from mailmon.mail.bounce.message import MAX_BYTES

STDIN = "-"
# A file of this name holds one message, also when somebody saved it with the From line of an mbox.
ONE_MESSAGE = ".eml"


@click.group("bounces", short_help="Read mail that came back: who was not reached, and why.")
def bounces() -> None:
    """Read mail that came back: who was not reached, and why."""


@bounces.command("classify", short_help="Say of messages whether they are bounces, and what they say.")
@click.argument("files", nargs=-1, required=True, metavar="FILE [FILE]...")
def classify_files(files: tuple[str, ...]) -> None:
    """Say of each message whether it is a bounce, a delay warning, a complaint or something else, and whom and why.

    A FILE is a message, an mbox file, a Maildir directory, or - for standard input. Prints one JSON object a line, in
    order; a file that cannot be read gives an object with an "error". Kinds, reasons and keys: docs/bounces.md.

    \b
      mailmon bounces classify bounce.eml
      mailmon bounces classify /var/mail/bounces ~/Maildir/.Bounces
    """
    gc.freeze()  # tables and patterns live until the end; to walk through them again and again costs a tenth
    for name in files:
        for row in _rows(name):
            click.echo(json.dumps(row))


def _rows(name: str) -> Iterator[dict[str, Any]]:
    path = Path(name)
    try:
        if name == STDIN:
            yield from _of_stream(name, sys.stdin.buffer)
        elif path.is_dir():
            for message in _in_maildir(path):
                yield from _of_file(str(message), message)
        else:
            yield from _of_file(name, path)
    except OSError as exc:
        yield _failed(name, exc)


def _of_file(name: str, path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as stream:
            yield from _of_stream(name, stream)
    except OSError as exc:
        yield _failed(name, exc)


def _of_stream(name: str, stream: BinaryIO) -> Iterator[dict[str, Any]]:
    """Yield a row for the message of a stream, or one for each message of an mbox, numbered from 1."""
    begin = stream.read(MAX_BYTES)
    if name.endswith(ONE_MESSAGE) or not is_mbox(begin):
        yield _row(name, classify(begin))
        return
    for number, raw in enumerate(split_mbox(_Rejoined(begin, stream)), 1):
        yield _row(f"{name}#{number}", classify(raw))


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


def _in_maildir(path: Path) -> list[Path]:
    folders = [path / name for name in ("new", "cur") if (path / name).is_dir()]
    if not folders:
        raise NotADirectoryError(f"{path} is a directory and no Maildir: it has neither new nor cur")
    return [message for folder in folders for message in sorted(folder.iterdir()) if not message.name.startswith(".")]


def _failed(name: str, exc: OSError) -> dict[str, Any]:
    return {"file": name, "kind": Kind.OTHER, "error": exc.strerror or str(exc), "recipients": []}


def _row(name: str, found: Classification) -> dict[str, Any]:
    return {
        "file": name,
        "kind": found.kind,
        "type": found.form,
        "recipients": [
            {
                "address": recipient.address,
                "status": recipient.status,
                "action": recipient.action,
                "reason": recipient.reason,
                "hard": recipient.is_hard,
                "diagnostic": recipient.diagnostic,
                "reporting_mta": recipient.reporting_mta,
                "remote_mta": recipient.remote_mta,
            }
            for recipient in found.recipients
        ],
        "feedback_type": found.feedback_type,
        "original": found.original._asdict(),
    }


for command in (SCAN, *LOG_COMMANDS, SUMMARY, *QUEUE_COMMANDS):
    bounces.add_command(command)

COMMAND = bounces

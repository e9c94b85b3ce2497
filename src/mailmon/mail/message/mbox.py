"""Messages of an mbox file (RFC 4155, and the variants that quote no or every From line)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from mailmon.mail.message.read import MAX_BYTES

MAX_LINE_BYTES = 1 << 16

_FROM_LINE = re.compile(rb"From [^\r\n]{0,320}?\b\d{1,2} [0-9:]{4,8} [^\r\n]{0,60}\b\d{4}\b", re.ASCII)
_QUOTED = re.compile(rb">+From ")


def is_mbox(begin: bytes) -> bool:
    """Return whether a file that begins like this is an mbox file: its first line is `From address date`."""
    return _FROM_LINE.match(begin) is not None


def split_mbox(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the first MAX_BYTES of each message, with its From lines unquoted; no more is held in memory."""
    kept: list[bytes] = []
    size = 0
    is_after_blank = True
    has_begun = False
    for line in iter(lambda: stream.readline(MAX_LINE_BYTES), b""):
        if is_after_blank and line.startswith(b"From ") and _FROM_LINE.match(line):
            if has_begun:
                yield b"".join(kept)
            kept, size, has_begun = [], 0, True
        elif size < MAX_BYTES:
            kept.append(line[1:] if _QUOTED.match(line) else line)
            size += len(line)
        is_after_blank = line in (b"\n", b"\r\n")
    if has_begun:
        yield b"".join(kept)

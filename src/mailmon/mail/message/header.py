"""Header sections of messages and of their parts (RFC 5322 section 2.2). Never raises.

Foreign text is cut to the limits of mail/caps.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from mailmon.mail.caps import MAX_FIELDS, MAX_FOLDS, MAX_HEADER_BYTES, MAX_HEADER_LINES, MAX_VALUE_CHARS

# The values of each field in order, unfolded, by lower-case name.
Headers = dict[str, list[str]]


class Section(NamedTuple):
    """The fields of a header section as (lower-case name, unfolded value); `is_whole`: nothing was cut."""

    fields: list[tuple[str, str]]
    is_whole: bool = True


def read_section(text: str) -> Section:
    r"""Read a header section with LF line ends, up to its blank line (RFC 5322 section 2.2.3).

    A line that is not a field is left out, together with its continuation lines.

    >>> read_section("A: 1\nb:  2\n 3\n\nc: 4").fields
    [('a', '1'), ('b', '2 3')]
    """
    is_whole = len(text) <= MAX_HEADER_BYTES
    lines = text[:MAX_HEADER_BYTES].split("\n", MAX_HEADER_LINES)
    is_whole = is_whole and len(lines) <= MAX_HEADER_LINES
    found: list[tuple[str, list[str]]] = []
    pieces: list[str] | None = None
    for line in lines[:MAX_HEADER_LINES]:
        if line[:1] in (" ", "\t"):
            if pieces is not None:
                pieces.append(line)
            continue
        if not line:
            break
        name, colon, value = line.partition(":")
        pieces = [value] if colon else None
        if pieces:
            if len(found) == MAX_FIELDS:
                is_whole = False
                break
            found.append((name.strip().lower(), pieces))
    values = [_unfold(parts) for _, parts in found]
    is_whole = is_whole and all(whole for _, whole in values)
    return Section([(name, value) for (name, _), (value, _) in zip(found, values, strict=True)], is_whole)


def read_head(text: str, start: int = 0) -> tuple[Headers, int]:
    """Read the header section at `start`; return its fields and the position of the body."""
    if text.startswith("\n", start):
        return {}, start + 1
    end = text.find("\n\n", start, start + MAX_HEADER_BYTES)
    body = end + 2
    if end < 0:
        end = min(len(text), start + MAX_HEADER_BYTES)
        body = end
    return _by_name(text[start:end]), body


def read_headers(raw: bytes) -> Headers:
    """Read the header section of a message in UTF-8 with any line ends."""
    return _by_name(raw[:MAX_HEADER_BYTES].decode("utf-8", errors="replace").replace("\r\n", "\n"))


def first(headers: Headers, name: str) -> str:
    """Return the first value of a field, or ""."""
    values = headers.get(name)
    return values[0] if values else ""


def only_fields(header: bytes, names: Sequence[str]) -> bytes:
    """Return the fields with these names, folded as they are (RFC 5322 section 2.2.3).

    >>> only_fields(b"A: 1\\r\\nB: 2\\r\\n  3\\r\\nC: 4\\r\\n\\r\\nB: 5", ("b",))
    b'B: 2\\r\\n  3\\r\\n'
    """
    wanted = {name.lower().encode() for name in names}
    return b"".join(line + b"\r\n" for name, line in _lines(header) if name in wanted)


def received_at(header: bytes) -> datetime | None:
    """Return when the last host received the message: the topmost Received field (RFC 5321 section 4.4)."""
    received = read_headers(header).get("received")
    if not received:
        return None
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(received[0].rpartition(";")[2].strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _by_name(section: str) -> Headers:
    fields: Headers = {}
    for name, value in read_section(section).fields:
        fields.setdefault(name, []).append(value)
    return fields


def _lines(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each line of a header section with the lower-case name of its field."""
    name = b""
    lines = header[:MAX_HEADER_BYTES].replace(b"\r\n", b"\n").split(b"\n", MAX_HEADER_LINES)
    for line in lines[:MAX_HEADER_LINES]:
        if not line:
            return
        if line[:1] not in b" \t":
            name = line.partition(b":")[0].strip().lower()
        yield name, line


def _unfold(pieces: list[str]) -> tuple[str, bool]:
    """Return the value of a field from its lines, and whether it is whole."""
    value = " ".join(filter(None, map(str.strip, pieces[: MAX_FOLDS + 1])))
    is_whole = len(pieces) <= MAX_FOLDS + 1 and len(value) <= MAX_VALUE_CHARS
    return value if len(value) <= MAX_VALUE_CHARS else value[:MAX_VALUE_CHARS], is_whole

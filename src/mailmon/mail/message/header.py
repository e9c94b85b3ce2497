"""Header sections: their fields, read or kept as they are folded (RFC 5322 section 2.2). Never raises."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from mailmon.mail.caps import MAX_HEADER_BYTES, MAX_HEADER_LINES, read_section


def read_headers(raw: bytes) -> dict[str, list[str]]:
    """Return header fields by lower-case name, unfolded, in their order (RFC 5322 section 2.2.3). Never raises.

    What is beyond the limits of mail/caps.py is left out.
    """
    text = raw[:MAX_HEADER_BYTES].decode("utf-8", errors="replace").replace("\r\n", "\n")
    fields: dict[str, list[str]] = {}
    for name, value in read_section(text).fields:
        fields.setdefault(name, []).append(value)
    return fields


def only_fields(header: bytes, names: Sequence[str]) -> bytes:
    """Return the fields with these names, folded as they are (RFC 5322 section 2.2.3).

    >>> only_fields(b"A: 1\\r\\nB: 2\\r\\n  3\\r\\nC: 4\\r\\n\\r\\nB: 5", ("b",))
    b'B: 2\\r\\n  3\\r\\n'
    """
    wanted = {name.lower().encode() for name in names}
    return b"".join(line + b"\r\n" for name, line in _lines(header) if name in wanted)


def received_at(header: bytes) -> datetime | None:
    """Return when the last host took the message, by the topmost Received field (RFC 5321 section 4.4)."""
    received = read_headers(header).get("received")
    if not received:
        return None
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(received[0].rpartition(";")[2].strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError, AttributeError):
        return None


def _lines(header: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each line of a header with the name of its field in lower case."""
    name = b""
    lines = header[:MAX_HEADER_BYTES].replace(b"\r\n", b"\n").split(b"\n", MAX_HEADER_LINES)
    for line in lines[:MAX_HEADER_LINES]:
        if not line:
            return
        if line[:1] not in b" \t":
            name = line.partition(b":")[0].strip().lower()
        yield name, line

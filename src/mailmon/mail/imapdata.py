"""Data of IMAP replies: FETCH, numbers, quoted strings (RFC 3501 sections 4, 7.4.2 and 9)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from mailmon.errors import MalformedError

MAX_DIGITS = 19

# A description, and the literal that belongs to it, None where there is none.
FetchItem = tuple[bytes, bytes | None]

_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_INTERNALDATE = re.compile(
    rb'\bINTERNALDATE "\s?(\d{1,2})-([A-Z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)"', re.IGNORECASE
)
_RESOURCE = re.compile(rb"(?<![A-Za-z-])([A-Za-z-]{1,40}+) (\d++) (\d++)")
_DELETED = re.compile(rb"\bFLAGS \([^()]*\\Deleted[ )]", re.IGNORECASE)
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")


class Fetched(NamedTuple):
    """One message as fetched; `number` is its sequence number, `received_at` the server's INTERNALDATE.

    `is_struck` says that it is flagged as deleted.
    """

    number: int
    uid: int
    text: bytes
    received_at: datetime | None
    is_struck: bool = False


class Quota(NamedTuple):
    """How much of a resource is used and how much there may be: STORAGE in units of 1024 bytes, MESSAGE in messages."""

    resource: str
    used: int
    limit: int


class Listed(NamedTuple):
    """What a folder holds at a number: the message's UID and its size (RFC822.SIZE)."""

    number: int
    uid: int
    size_bytes: int


def pair_literals(answer: Iterable[object]) -> list[FetchItem]:
    """Return the items of a FETCH answer as imaplib gives it; what follows a literal belongs to its description."""
    pairs: list[FetchItem] = []
    for part in answer:
        if isinstance(part, tuple):
            pairs.append((bytes(part[0]), bytes(part[1])))
        elif isinstance(part, bytes) and part != b")" and not part.startswith(b" "):
            pairs.append((part, None))
        elif isinstance(part, bytes) and pairs:
            pairs[-1] = (pairs[-1][0] + part, pairs[-1][1])
    return pairs


def read_message(item: FetchItem) -> Fetched | None:
    """Return the message of an item, None for anything else: news of flags may come at any time.

    Raises MalformedError for a number that is none.
    """
    description, text = item
    number, _, _ = description.partition(b" ")
    uid = read_uid(description)
    if text is None or uid is None or not number.isdigit():
        return None
    is_struck = _DELETED.search(description) is not None
    return Fetched(read_number(number), uid, text, read_internaldate(description), is_struck)


def read_listed(item: FetchItem) -> Listed | None:
    """Return number, UID and size of an item, None where one of them is missing. Raises MalformedError."""
    description = item[0]
    number, _, _ = description.partition(b" ")
    uid, size = read_uid(description), _SIZE.search(description)
    if uid is None or size is None or not number.isdigit():
        return None
    return Listed(read_number(number), uid, read_number(size[1]))


def fits_size(text: bytes, size_bytes: int, cap_bytes: int) -> bool:
    """Return whether a text that was asked for up to a cap is as long as the server said (RFC822.SIZE).

    Off by one byte a line is allowed, in either direction: there are servers that count line ends as LF and send CRLF,
    and the other way round. Anything else is another text, or a part of it.

    >>> fits_size(b"a\\r\\nb\\r\\n", 4, 100), fits_size(b"", 887, 1000), fits_size(b"x" * 100, 5000, 100)
    (True, False, True)
    """
    lines = text.count(b"\n")
    wanted = min(size_bytes, cap_bytes)
    return wanted - lines <= len(text) and (len(text) >= cap_bytes or len(text) <= size_bytes + lines)


def is_near_size(text: bytes, size_bytes: int, cap_bytes: int) -> bool:
    """Return whether a text has half to twice the length that the server said.

    Exchange gives estimates (EnableExactRFC822Size is off): good enough for what was asked for alone, where nothing
    else can be meant.

    >>> is_near_size(b"x" * 600, 887, 1000), is_near_size(b"x" * 40, 887, 1000)
    (True, False)
    """
    return fits_size(text, size_bytes, cap_bytes) or (
        2 * len(text) >= min(size_bytes, cap_bytes) and len(text) <= 2 * size_bytes
    )


def read_quota(answers: Iterable[bytes]) -> Quota | None:
    """Return what is fullest of some QUOTA answers, None without any limit (RFC 9208 section 5.1). Never raises.

    >>> read_quota([b'"User quota" (STORAGE 900 1000 MESSAGE 5 1000)'])
    Quota(resource='STORAGE', used=900, limit=1000)
    """
    found = []
    for answer in answers:
        for resource, used, limit in _RESOURCE.findall(answer[answer.rfind(b"(") :]):
            if len(used) <= MAX_DIGITS and len(limit) <= MAX_DIGITS and int(limit):
                found.append(Quota(resource.decode().upper(), int(used), int(limit)))
    return max(found, key=lambda quota: quota.used / quota.limit, default=None)


def expand_uids(uid_set: bytes, limit: int) -> list[int]:
    """Return the numbers of a set without `*` (RFC 4315 section 4, uid-set). Raises MalformedError over `limit`.

    >>> expand_uids(b"4:6,9", 10)
    [4, 5, 6, 9]
    """
    uids: list[int] = []
    for part in uid_set.split(b","):
        begin, _, end = part.partition(b":")
        if not begin.isdigit() or not (end or b"0").isdigit():
            raise MalformedError("a set of UIDs that makes no sense")
        low, high = sorted((read_number(begin), read_number(end or begin)))
        if high - low >= limit - len(uids):
            raise MalformedError(f"a set of more than {limit} UIDs")
        uids += range(low, high + 1)
    return uids


def read_uid(description: bytes) -> int | None:
    """Return the UID in a description, None where there is none. Raises MalformedError."""
    match = _UID.search(description)
    return read_number(match[1]) if match else None


def read_number(digits: bytes) -> int:
    """Return a number: at most 32 bits by RFC 3501, 63 by newer extensions. Raises MalformedError for a longer one."""
    if len(digits) > MAX_DIGITS:
        raise MalformedError(f"a number of {len(digits)} digits")
    return int(digits)


def read_internaldate(description: bytes) -> datetime | None:
    """Return the INTERNALDATE in a description, None where it is missing or no date. Never raises."""
    match = _INTERNALDATE.search(description)
    if not match:
        return None
    day, month, year, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    try:
        number = _MONTHS.index(month.lower()) + 1
        local = datetime(int(year), number, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        return local + offset if sign == b"-" else local - offset
    except (ValueError, OverflowError):
        return None


def since(at: datetime) -> tuple[str, str]:
    """Return a criterion that surely includes `at`: SINCE disregards time and zone (RFC 3501 section 6.4.4).

    >>> since(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    ('SINCE', '28-Feb-2026')
    """
    day = at - timedelta(days=1)
    return ("SINCE", f"{day.day}-{_MONTHS[day.month - 1].decode().title()}-{day.year}")


def quoted(text: str) -> str:
    """Return a quoted string (RFC 3501 section 4.3).

    >>> quoted('a "b"')
    '"a \\\\"b\\\\""'
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

"""A parser of IMAP commands (RFC 3501 section 9). Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

from mailmon.sandbox.imap_answer import BadCommandError

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LITERAL_AT_END = re.compile(rb"\{(\d{1,10})(\+?)\}\r?\n\Z")  # LITERAL+: RFC 7888

_TAG = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\+]+")
_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_ASTRING_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){%*\"\\]+")
_LIST_ATOM = re.compile(rb"[^\x00-\x20\x7f-\xff(){\"\\]+")
_FLAG = re.compile(rb"\\?[^\x00-\x20\x7f-\xff(){%*\"\\\]]+")
_QUOTED = re.compile(rb'"((?:[^"\\\r\n]|\\["\\])*)"')
_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}\r?\n")
_NUMBER = re.compile(rb"\d{1,10}")
_SET = re.compile(rb"[0-9*:,]+")
_SET_PART = re.compile(rb"(\d{1,10}|\*)(?::(\d{1,10}|\*))?")
_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_DATE_TIME = re.compile(r"([ \d]\d)-([A-Za-z]{3})-(\d{4}) (\d\d:\d\d:\d\d [+-]\d{4})")


@dataclass(frozen=True)
class SequenceSet:
    """Ranges of message numbers or UIDs; None stands for "*", the largest in use."""

    ranges: tuple[tuple[int | None, int | None], ...]

    def select(self, numbers: list[int]) -> set[int]:
        """Return those of the ascending numbers that the set names; "n:*" always names the last one (section 6.4.8)."""
        if not numbers:
            return set()
        last = numbers[-1]
        chosen: set[int] = set()
        for first, second in self.ranges:
            low, high = sorted((last if first is None else first, last if second is None else second))
            chosen.update(number for number in numbers if low <= number <= high)
        return chosen

    def exceeds(self, last: int) -> bool:
        """Return whether the set names a number beyond the last message by itself, without the help of "*"."""
        return any(None not in pair and max(number or 0 for number in pair) > last for pair in self.ranges)


class Parser:
    """Takes a command, literals included, apart from left to right; what does not fit raises BadCommandError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def tag(self) -> bytes:
        """Take the tag of the command."""
        return self._take(_TAG, "a tag")

    def atom(self) -> str:
        """Take an atom, in capitals: a command, an attribute or a search key."""
        return self._take(_ATOM, "an atom").decode().upper()

    def number(self) -> int:
        """Take a number."""
        return int(self._take(_NUMBER, "a number"))

    def space(self) -> None:
        """Take the one space between two arguments."""
        self.expect(b" ")

    def end(self) -> None:
        """Make sure that nothing follows."""
        if self._data[self._at :] not in (b"", b"\n", b"\r\n"):
            raise BadCommandError("unexpected argument")

    def comes(self, token: bytes) -> bool:
        """Return whether the token comes next, in whatever case, without taking it."""
        return self._data[self._at : self._at + len(token)].upper() == token.upper()

    def accept(self, token: bytes) -> bool:
        """Take the token if it comes next."""
        found = self.comes(token)
        self._at += len(token) if found else 0
        return found

    def expect(self, token: bytes) -> None:
        """Take the token."""
        if not self.accept(token):
            raise BadCommandError(f"expected {token.decode()!r}")

    def astring(self) -> bytes:
        """Take an atom, a quoted string or a literal."""
        return self._string_or(_ASTRING_ATOM)

    def list_pattern(self) -> str:
        """Take a mailbox name that may contain the wildcards of LIST."""
        return _mailbox_name(self._string_or(_LIST_ATOM))

    def mailbox(self) -> str:
        """Take a mailbox name, kept as it is on the wire (modified UTF-7 is not decoded)."""
        return _mailbox_name(self.astring())

    def literal(self) -> bytes:
        """Take a literal, whose octets are part of the data."""
        size = int(self._take(_LITERAL, "a literal", group=1))
        octets = self._data[self._at : self._at + size]
        if len(octets) < size:
            raise BadCommandError("literal too short")
        self._at += size
        return octets

    def flags(self) -> list[str]:
        """Take flags, with or without parentheses."""
        if not self.accept(b"("):
            return self._spaced_flags()
        flags = [] if self.comes(b")") else self._spaced_flags()
        self.expect(b")")
        return flags

    def sequence_set(self) -> SequenceSet:
        """Take a set of message numbers or UIDs, all from 1 to 4294967295."""
        ranges = []
        for part in self._take(_SET, "a sequence set").split(b","):
            match = _SET_PART.fullmatch(part)
            if match is None:
                raise BadCommandError("invalid sequence set")
            first = _set_number(match[1])
            ranges.append((first, first if match[2] is None else _set_number(match[2])))
        return SequenceSet(tuple(ranges))

    def date(self) -> date:
        """Take a date such as 1-Feb-1994, quoted or not."""
        match = _DATE.fullmatch(self.astring().decode("ascii", "replace"))
        try:
            return date(int(match[3]), _month(match[2]), int(match[1]))  # type: ignore[index]
        except (TypeError, ValueError) as error:
            raise BadCommandError("invalid date") from error

    def date_time(self) -> datetime:
        """Take a quoted date and time such as "17-Jul-1996 02:44:25 -0700"."""
        match = _DATE_TIME.fullmatch(self._quoted().decode("ascii", "replace"))
        try:
            text = f"{match[3]}-{_month(match[2]):02d}-{int(match[1]):02d} {match[4]}"  # type: ignore[index]
            return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
        except (TypeError, ValueError) as error:
            raise BadCommandError("invalid date-time") from error

    def _string_or(self, atom: re.Pattern[bytes]) -> bytes:
        if self.comes(b'"'):
            return self._quoted()
        return self.literal() if self.comes(b"{") else self._take(atom, "a string")

    def _quoted(self) -> bytes:
        return re.sub(rb'\\(["\\])', rb"\1", self._take(_QUOTED, "a quoted string", group=1))

    def _spaced_flags(self) -> list[str]:
        flags = [self._flag()]
        while self.accept(b" "):
            flags.append(self._flag())
        return flags

    def _flag(self) -> str:
        flag = self._take(_FLAG, "a flag").decode()
        return "\\" + flag[1:].capitalize() if flag.startswith("\\") else flag

    def _take(self, pattern: re.Pattern[bytes], wanted: str, group: int = 0) -> bytes:
        match = pattern.match(self._data, self._at)
        if match is None:
            raise BadCommandError(f"expected {wanted}")
        self._at = match.end()
        return match[group]


def quote(text: str) -> bytes:
    """Return the text as a quoted string; control characters become "?"."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    return b'"' + clean.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'


def internal_date(moment: datetime) -> bytes:
    """Return a date-time, quoted, with English month names whatever the locale."""
    utc = moment.astimezone(UTC)
    return f'"{utc.day:2d}-{MONTHS[utc.month - 1]}-{utc.year} {utc:%H:%M:%S} +0000"'.encode()


def _set_number(text: bytes) -> int | None:
    if text == b"*":
        return None
    if not 1 <= int(text) <= 0xFFFFFFFF:
        raise BadCommandError("invalid message number")
    return int(text)


def _month(name: str) -> int:
    return MONTHS.index(name.capitalize()) + 1


def _mailbox_name(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")

"""The SEARCH command (RFC 3501 section 6.4.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date
from email.utils import parsedate_to_datetime

from mailmon.sandbox import rfc822
from mailmon.sandbox.imap_answer import BadCommandError, RefusedError
from mailmon.sandbox.imap_syntax import Parser, SequenceSet
from mailmon.sandbox.store import Message

_DEPTH_LIMIT = 40


@dataclass(frozen=True)
class Candidate:
    """One message as a session sees it."""

    number: int
    message: Message
    is_recent: bool

    def has(self, flag: str) -> bool:
        """Return whether the flag is set; flags know no case."""
        return flag.lower() in {known.lower() for known in self.message.flags}


Predicate = Callable[[Candidate], bool]


@dataclass(frozen=True)
class Numbers:
    """The message numbers and UIDs in use, ascending: what "*" means."""

    sequence: list[int]
    uids: list[int]


_PLAIN_KEYS: dict[str, Predicate] = {
    "ALL": lambda candidate: True,
    "RECENT": lambda candidate: candidate.is_recent,
    "OLD": lambda candidate: not candidate.is_recent,
    "NEW": lambda candidate: candidate.is_recent and not candidate.has("\\Seen"),
    "ANSWERED": lambda candidate: candidate.has("\\Answered"),
    "DELETED": lambda candidate: candidate.has("\\Deleted"),
    "DRAFT": lambda candidate: candidate.has("\\Draft"),
    "FLAGGED": lambda candidate: candidate.has("\\Flagged"),
    "SEEN": lambda candidate: candidate.has("\\Seen"),
    "UNANSWERED": lambda candidate: not candidate.has("\\Answered"),
    "UNDELETED": lambda candidate: not candidate.has("\\Deleted"),
    "UNDRAFT": lambda candidate: not candidate.has("\\Draft"),
    "UNFLAGGED": lambda candidate: not candidate.has("\\Flagged"),
    "UNSEEN": lambda candidate: not candidate.has("\\Seen"),
}


def parse_search(parser: Parser, numbers: Numbers) -> Predicate:
    """Parse what follows "SEARCH "; BadCommandError, RefusedError."""
    if parser.accept(b"CHARSET "):
        if parser.astring().upper() not in (b"UTF-8", b"US-ASCII"):
            raise RefusedError("[BADCHARSET (US-ASCII UTF-8)] unknown character set")
        parser.space()
    predicate = _conjunction(parser, numbers, 0)
    parser.end()
    return predicate


def _conjunction(parser: Parser, numbers: Numbers, depth: int) -> Predicate:
    keys = [_key(parser, numbers, depth)]
    while parser.accept(b" "):
        keys.append(_key(parser, numbers, depth))
    return lambda candidate: all(key(candidate) for key in keys)


def _key(parser: Parser, numbers: Numbers, depth: int) -> Predicate:
    if depth > _DEPTH_LIMIT:
        raise BadCommandError("search too deeply nested")
    if parser.accept(b"("):
        group = _conjunction(parser, numbers, depth + 1)
        parser.expect(b")")
        return group
    if any(parser.comes(start) for start in (b"*", *(b"%d" % digit for digit in range(10)))):
        chosen = parser.sequence_set().select(numbers.sequence)
        return lambda candidate: candidate.number in chosen
    name = parser.atom()
    if name in _PLAIN_KEYS:
        return _PLAIN_KEYS[name]
    parser.space()
    if name == "NOT":
        negated = _key(parser, numbers, depth + 1)
        return lambda candidate: not negated(candidate)
    if name == "OR":
        return _alternative(parser, numbers, depth + 1)
    return _uid_key(parser.sequence_set(), numbers) if name == "UID" else _argument_key(name, parser)


def _alternative(parser: Parser, numbers: Numbers, depth: int) -> Predicate:
    first = _key(parser, numbers, depth)
    parser.space()
    second = _key(parser, numbers, depth)
    return lambda candidate: first(candidate) or second(candidate)


def _uid_key(wanted: SequenceSet, numbers: Numbers) -> Predicate:
    chosen = wanted.select(numbers.uids)
    return lambda candidate: candidate.message.uid in chosen


def _argument_key(name: str, parser: Parser) -> Predicate:
    match name:
        case "HEADER":
            field = parser.astring().decode("ascii", "replace")
            parser.space()
            return _field_contains(field, _text(parser))
        case "BCC" | "CC" | "FROM" | "SUBJECT" | "TO":
            return _field_contains(name, _text(parser))
        case "BODY":
            body = _text(parser)
            return lambda candidate: body in rfc822.body_text(candidate.message.raw).lower()
        case "TEXT":
            return _text_contains(_text(parser))
        case "KEYWORD" | "UNKEYWORD":
            keyword = parser.astring().decode("ascii", "replace")
            return lambda candidate: candidate.has(keyword) == (name == "KEYWORD")
        case "LARGER":
            floor = parser.number()
            return lambda candidate: len(candidate.message.raw) > floor
        case "SMALLER":
            ceiling = parser.number()
            return lambda candidate: len(candidate.message.raw) < ceiling
        case "BEFORE" | "ON" | "SINCE":
            return _compared(name, parser.date(), lambda message: message.received_at.astimezone(UTC).date())
        case "SENTBEFORE" | "SENTON" | "SENTSINCE":
            return _compared(name.removeprefix("SENT"), parser.date(), _sent_on)
    raise BadCommandError(f"unknown search key {name}")


def _text(parser: Parser) -> str:
    return parser.astring().decode("utf-8", "replace").lower()


def _field_contains(field: str, text: str) -> Predicate:
    # An empty text is contained in every field, so that it finds the messages that have one at all.
    return lambda candidate: any(text in value.lower() for value in rfc822.header_values(candidate.message.raw, field))


def _text_contains(text: str) -> Predicate:
    def contains(candidate: Candidate) -> bool:
        header, _ = rfc822.split(candidate.message.raw)
        return text in header.decode("utf-8", "replace").lower() or (
            text in rfc822.body_text(candidate.message.raw).lower()
        )

    return contains


def _compared(name: str, wanted: date, date_of: Callable[[Message], date | None]) -> Predicate:
    def compare(candidate: Candidate) -> bool:
        found = date_of(candidate.message)
        if found is None:
            return False
        return {"BEFORE": found < wanted, "ON": found == wanted, "SINCE": found >= wanted}[name]

    return compare


def _sent_on(message: Message) -> date | None:
    for value in rfc822.header_values(message.raw, "Date"):
        try:
            return parsedate_to_datetime(value).date()
        except (OverflowError, ValueError):
            return None
    return None

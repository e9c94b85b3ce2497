"""Advice on what a mail server refused: one lookup in the table advice.toml, read when the first refusal is met.

The evidence, strongest first: the enhanced status code (RFC 3463, RFC 5248) or IMAP or POP3 response code (RFC 5530,
RFC 2449, RFC 3206), the server's words, the stage, the basic code. Words that name a cause veto: no row of another
cause can be reached then, so that no advice contradicts the server.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from mailmon.errors import Stage
from mailmon.mail.reply import Reply

# Of a refusal, more is not searched for words: real ones are shorter.
MAX_CHARS = 1000
_MAX_RESPONSE_CODES = 3
_RESPONSE_CODE = re.compile(r"\[([A-Z][A-Z/-]{1,30})[\] ]", re.ASCII | re.IGNORECASE)
# Between the parts of a phrase: at most so much, and no end of a clause.
_GAP = re.compile(r"[^;:]{0,80}+")
# A host as it is written in a reply; Exchange's names of errors (RESOLVER.ADR.RecipNotFound) have capitals.
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}+\.)++[a-z][a-z0-9-]{1,62}+")
_LISTS = ("spamhaus", "spamcop", "barracudacentral", "dnsbl", "rbl.", "sorbs", "surbl", "uribl", "abuseat", "openspf")
_FOLDER = re.compile(r"((?:mailbox|folder)[^:]{0,60}+:).*", re.IGNORECASE | re.DOTALL)
_NAMELESS = "<>"
_TAG = re.compile(r"^(?:\* )?(?:NO|BAD|BYE|-ERR)\b ?", re.IGNORECASE)
# A status and a basic code in the words of a bounce: "smtp; 552 5.2.2 mailbox full", "host mx said: 550 no".
_STATUS_INSIDE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.ASCII)
_CODE_INSIDE = re.compile(r"(?<![\d.:#])([45]\d\d)(?=[ -])", re.ASCII)
# qmail and its descendants write the status at the end: "(#5.1.1)".
_STATUS_AT_END = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)", re.ASCII)


_OPENING = (Stage.CONNECT, Stage.GREETING, Stage.EHLO, Stage.TLS)
_ENVELOPE = (Stage.MAIL, Stage.RCPT)
_STAGES = {
    "opening": _OPENING,
    "envelope": _ENVELOPE,
    "mail": (*_ENVELOPE, Stage.DATA),
    "folder": (Stage.SELECT, Stage.ARRIVAL, Stage.CLEANUP),
}
_ANY = ("login", *_STAGES)


class Cause(NamedTuple):
    """The advice on a cause, with {PROTOCOL} for the protocol's name; `is_temporary` None: as the basic code says."""

    advice: str
    is_temporary: bool | None = None


class Row(NamedTuple):
    """Evidence for a cause at some stages of some protocols; advice.toml explains the columns."""

    cause: str
    examples: tuple[tuple[str, Stage, str], ...]
    protocols: frozenset[str]
    stages: frozenset[Stage]
    statuses: frozenset[str]
    words: tuple[str, ...]
    vague: tuple[str, ...]
    vague_statuses: frozenset[str]
    codes: frozenset[int]


class Table(NamedTuple):
    """All causes by their names, and the rows in their order."""

    causes: dict[str, Cause]
    rows: tuple[Row, ...]


class Refusal(NamedTuple):
    """A negative answer of a server.

    `said` are its words, `code` its basic SMTP code (0: an answer without one, -1: no answer), `statuses` its enhanced
    code or response codes.
    """

    protocol: str
    stage: Stage
    said: str
    code: int = 0
    statuses: tuple[str, ...] = ()


class Advice(NamedTuple):
    """The cause of a refusal, what to do about it, and whether it passes by itself (None: as the basic code says)."""

    cause: str
    text: str
    is_temporary: bool | None


NO_ADVICE = Advice("", "", None)


@cache
def table() -> Table:
    """Return the table of this package."""
    raw = pkgutil.get_data(__package__, "advice.toml")
    assert raw is not None
    return parse(raw.decode())


def parse(text: str) -> Table:
    """Return the table of a TOML text. Raises ValueError or KeyError where it holds something else."""
    document = tomllib.loads(text)
    causes = {name: Cause(**cause) for name, cause in document["causes"].items()}
    return Table(causes, tuple(map(_row, document["rows"])))


def _row(row: dict[str, Any]) -> Row:
    stages = (_STAGES.get(name) or (Stage(name),) for name in row.get("stages", _ANY))
    return Row(
        row["cause"],
        tuple((server, Stage(stage), reply) for server, stage, reply in row["examples"]),
        frozenset(row.get("protocols", ("smtp",))),
        frozenset(stage for group in stages for stage in group),
        frozenset(row.get("statuses", ())),
        tuple(row.get("words", ())),
        tuple(row.get("vague", ())),
        frozenset(row.get("vague_statuses", ())),
        frozenset(_codes(row.get("codes", ()))),
    )


def _codes(listed: Iterable[int | str]) -> Iterable[int]:
    for code in listed:
        first, _, last = str(code).partition("-")
        yield from range(int(first), int(last or first) + 1)


def refused_by_smtp(stage: Stage, reply: Reply) -> Refusal:
    """Return an SMTP reply at a stage as a refusal."""
    at_end = _STATUS_AT_END.search(reply.text[:MAX_CHARS])
    status = reply.enhanced_code or (at_end[1] if at_end else "")
    return Refusal("smtp", stage, reply.text, reply.code, (status,) if status else ())


def refused(protocol: str, stage: Stage, said: str, *, is_answer: bool = True) -> Refusal:
    """Return what an IMAP or POP3 server said at a stage as a refusal.

    Where it is no answer but the end of the session (BYE), only its words and response codes count, not the stage.
    """
    codes = [match[1].upper() for match in _RESPONSE_CODE.finditer(said[:MAX_CHARS])]
    return Refusal(
        protocol, stage, _TAG.sub("", said[:MAX_CHARS]), 0 if is_answer else -1, tuple(codes[:_MAX_RESPONSE_CODES])
    )


def refusal_in(protocol: str, stage: Stage, answer: str) -> Refusal:
    """Return a whole answer, with its basic code where the protocol has them, as a refusal."""
    code = answer[:3]
    if protocol == "smtp" and code.isascii() and code.isdigit():
        return refused_by_smtp(stage, Reply(int(code), (answer[4:].encode(),)))
    return refused(protocol, stage, answer)


def refused_by_bounce(detail: str) -> Refusal:
    """Return what a bounce, or a notice of a delay, says of its recipient as a refusal."""
    code, status = _CODE_INSIDE.search(detail[:MAX_CHARS]), _STATUS_INSIDE.search(detail[:MAX_CHARS])
    return Refusal("smtp", Stage.RCPT, detail, int(code[1]) if code else 0, (status[1],) if status else ())


def advise(refusal: Refusal) -> Advice:
    """Return what to do about a refusal, NO_ADVICE where there is nothing better than the server's words.

    >>> advise(refused("imap", Stage.LOGIN, "NO [LIMIT] Too many connections")).cause
    'too-many-connections'
    """
    row = choose(refusal)
    if row is None:
        return NO_ADVICE
    cause = table().causes[row.cause]
    return Advice(row.cause, cause.advice.replace("{PROTOCOL}", refusal.protocol.upper()), cause.is_temporary)


def advice_on(cause: str) -> str:
    """Return the advice on a cause of the table."""
    return table().causes[cause].advice


def choose(refusal: Refusal) -> Row | None:
    """Return the row that decides, None where no row has evidence.

    A status is as good as the words beside it: where they name a cause, it is that one, or none by status.
    """
    words = _normalised(refusal.said, refusal.protocol, refusal.stage)
    fitting = [row for row in table().rows if refusal.protocol in row.protocols and refusal.stage in row.stages]
    evidence: tuple[Callable[[Row], bool], ...] = (
        lambda row: _says(words, row.words),
        lambda row: _has_status(refusal, row.statuses),
        lambda row: _says(words, row.vague) and not _contradicts(row, refusal.code),
        lambda row: _has_status(refusal, row.vague_statuses),
        lambda row: refusal.code in row.codes,
    )
    return next((row for has in evidence for row in fitting if has(row)), None)


def _contradicts(row: Row, code: int) -> bool:
    """Return whether a cause passes by itself and the basic code says that it does not, or the other way round."""
    is_temporary = bool(table().causes[row.cause].is_temporary)
    return code >= 400 and is_temporary == (code >= 500)


def _has_status(refusal: Refusal, statuses: frozenset[str]) -> bool:
    return any(
        form in statuses
        for status in refusal.statuses
        for form in (status, f"{refusal.code} {status}", f"X{status[1:]}" if status[:1] in "245" else status)
    )


def _says(words: str, phrases: tuple[str, ...]) -> bool:
    return any(_contains(words, phrase) for phrase in phrases)


def _contains(words: str, phrase: str) -> bool:
    """Return whether a phrase occurs: its parts ("too many…login") begin words, in this order, within one sentence."""
    first, *more = phrase.split("…")
    at = _end_of(words, first, 0)
    while at >= 0:
        end, begins = at, True
        for part in more:
            found = _end_of(words, part, end)
            if found < 0 or not _GAP.fullmatch(words, end, found - len(part.rstrip("_"))):
                begins = False
                break
            end = found
        if begins:
            return True
        at = _end_of(words, first, at)
    return False


def _end_of(words: str, part: str, start: int) -> int:
    """Return where the next occurrence of a part ends that begins a word ("_" at its end: and ends one), else -1."""
    text = part.rstrip("_")
    at = words.find(text, start)
    while at >= 0:
        end = at + len(text)
        if not (at and words[at - 1].isalnum() and text[:1].isalnum()) and not (
            part != text and words[end : end + 1].isalnum()
        ):
            return end
        at = words.find(text, at + 1)
    return -1


def _normalised(said: str, protocol: str, stage: Stage) -> str:
    """Return words in lower case with one blank between them, without the names that stand among them.

    Addresses, hosts, URLs and folders say nothing of the cause, whatever they are called.
    """
    if protocol == "imap" and stage is Stage.SELECT:
        said = _FOLDER.sub(r"\1", said)
    kept = (_NAMELESS if _is_name(word) else word for word in said[:MAX_CHARS].replace("\u2019", "'").split())
    return " ".join(kept).casefold()


def _is_name(word: str) -> bool:
    """Return whether a word is an address, a URL, or a host that is no block list."""
    bare = word.strip("<>()[]{}\"',;:.")
    if "@" in bare or "://" in bare:
        return True
    is_bracketed = word.startswith("<") and any(sign in word for sign in ".[")
    is_host = _HOST.fullmatch(bare) is not None and not any(name in bare for name in _LISTS)
    return is_bracketed or is_host or ("[" in bare and "]" in word and bare[-1:].isdigit())

"""Advice on what a mail server refused: one lookup in one table (advice_table.py).

The evidence, strongest first: the enhanced status code (RFC 3463, RFC 5248) or IMAP or POP3 response code (RFC 5530,
RFC 2449, RFC 3206), the server's words, the stage, the basic code. Words that name a cause veto: no row of another
cause can be reached then, so that no advice contradicts the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from mailmon.errors import Stage
from mailmon.mail.advice_table import CAUSES, ROWS, Row
from mailmon.mail.reply import Reply

# Of a refusal, more is not searched for words: real ones are shorter.
MAX_CHARS = 1000
_MAX_RESPONSE_CODES = 3
_RESPONSE_CODE = re.compile(r"\[([A-Z][A-Z/-]{1,30})[\] ]", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r"^(?:\* )?(?:NO|BAD|BYE|-ERR)\b ?", re.IGNORECASE)
# A status and a basic code in the words of a bounce: "smtp; 552 5.2.2 mailbox full", "host mx said: 550 no".
_STATUS_INSIDE = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])", re.ASCII)
_CODE_INSIDE = re.compile(r"(?<![\d.:#])([45]\d\d)(?=[ -])", re.ASCII)
# qmail and its descendants write the status at the end: "(#5.1.1)".
_STATUS_AT_END = re.compile(r"\(#([245]\.\d{1,3}\.\d{1,3})\)", re.ASCII)


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
    cause = CAUSES[row.cause]
    return Advice(row.cause, cause.advice.replace("{PROTOCOL}", refusal.protocol.upper()), cause.is_temporary)


def advice_on(cause: str) -> str:
    """Return the advice on a cause of the table."""
    return CAUSES[cause].advice


def choose(refusal: Refusal) -> Row | None:
    """Return the row that decides, None where no row has evidence.

    A status is as good as the words beside it: where they name a cause, it is that one, or none by status.
    """
    words = _normalised(refusal.said)
    fitting = [row for row in ROWS if refusal.protocol in row.protocols and refusal.stage in row.stages]
    evidence: tuple[Callable[[Row], bool], ...] = (
        lambda row: _says(words, row.words),
        lambda row: _has_status(refusal, row.statuses),
        lambda row: _says(words, row.vague) and not _contradicts(row, refusal.code),
        lambda row: _has_status(refusal, row.vague_statuses),
        lambda row: refusal.code in row.codes,
    )
    return next((row for has in evidence for row in fitting if has(row)), None)


def _contradicts(row: Row, code: int) -> bool:
    """Say whether a cause passes by itself and the basic code says that it does not, or the other way round."""
    is_temporary = bool(CAUSES[row.cause].is_temporary)
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
    """Say whether the parts of a phrase ("too many…login") occur in this order."""
    at = 0
    for part in phrase.split("…"):
        found = words.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _normalised(said: str) -> str:
    """Return words in lower case, with one blank between them and straight apostrophes."""
    return " ".join(said[:MAX_CHARS].replace("\u2019", "'").casefold().split())

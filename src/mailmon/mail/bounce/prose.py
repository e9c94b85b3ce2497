"""Notifications in prose: the recipients that they name, and the text about each.

Three methods in this order: addresses in the X-Failed-Recipients field (Exim, Gmail), a list of addresses with a
paragraph each (qmail, Postfix, Exim, Exchange and most others), and the transcript of a session (Sendmail).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from functools import lru_cache
from typing import NamedTuple

from mailmon.mail.bounce.addresses import ADDRESS, find_addresses, first_address
from mailmon.mail.phrases import ascii_only, finder, phrases

# Quoted lines, except SMTP transcripts ("<<< 550", ">>> RCPT TO") and the mark of Momentum before an address.
_QUOTED = re.compile(r"^[ \t]{0,3}(?:>(?!>>)|\|(?= )).*\n?", re.MULTILINE)
# Lines of a log or a queue: syslog, Exim, mailq of Postfix and Sendmail.
_LOGGED = re.compile(
    r"^[ \t]{0,8}(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,80} [\w./-]{2,60}(?:\[\d{1,10}\])?:"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S{0,20} \S{1,80} [\w./-]{2,60}(?:\[\d{1,10}\])?:"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (?:\[\d{1,10}\] )?\w{6}-\w{6,12}-\w{2,4} "
    r"|[0-9A-Za-z]{8,20}[*!]? {1,8}\d{1,10} [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d)",
    re.ASCII | re.MULTILINE,
)
MAX_LINES, MAX_SENTENCE_LINES = 4000, 200
MAX_TEXT_CHARS = 1 << 16
MAX_LINE_CHARS = 1000
# Where a notification is recognised, and where codes are searched for.
MAX_SEARCHED_CHARS, MAX_CODED_CHARS = 1 << 13, 1 << 14
MAX_LISTED = 300
MAX_WORDS = 3000

# Three header fields in a row at the margin begin the returned message, whatever precedes them.
_BLOCK = re.compile(
    r"^(?:(?:return-path|received|from|to|cc|subject|date|message-id|reply-to|sender|mime-version|content-[a-z-]{2,30}"
    r"|dkim-signature|list-[a-z-]{2,20}|x-[\w-]{1,60}):[^\n]*+\n(?:[ \t][^\n]*+\n){0,20}+){3,60}+",
    re.ASCII | re.IGNORECASE | re.MULTILINE,
)
_FIELD = re.compile(r"^([a-z-]{2,20}):", re.ASCII | re.IGNORECASE | re.MULTILINE)
# A summary of a message in prose names its author, addressee and subject, but none of these fields.
_TECHNICAL = frozenset({"return-path", "received", "message-id", "mime-version", "content-type", "dkim-signature"})
MAX_BLOCKS = 5
_OPENS = (":", "：")

_LISTED = re.compile(
    rf"[\s>*\"'<•·\[(-]{{0,40}}+(?:mailto:|smtp:|rfc822;)?(?:\|?\"?)({ADDRESS})[>\"'\])]{{0,4}}+(?=$|[\s:;,(<.])(.*)",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"[\s>*•·-]{0,20}+(?:[\w' ]{0,40}?(?:recipient|address|user|mailbox|empfänger|adresse|destinatai?r[eio]{1,2})"
    rf"[\w'() ]{{0,30}}|rcpt)[ \t]{{0,8}}[:=][ \t<\"']{{0,8}}+({ADDRESS})[>\"']{{0,2}}+(.*)",
    re.IGNORECASE,
)
# May be a header field of the original.
_TO = re.compile(
    rf"[\s>*•·-]{{0,20}}+(?:[\w',. ]{{0,60}} )?to[ \t]{{0,8}}[:=][ \t<\"']{{0,8}}+({ADDRESS})[>\"']{{0,2}}+(.*)",
    re.IGNORECASE,
)
_NAME = re.compile(r"[ \t]{1,12}([a-z0-9][\w.+-]{1,63}+)[ \t]{0,4}(?:\([^()]{2,80}\))?", re.ASCII)
MAX_NAMES = 20
_SENT = re.compile(rf"[ >]{{0,8}}>>> rcpt to:\s{{0,4}}<?({ADDRESS})", re.IGNORECASE)
_ANSWERED = re.compile(
    rf"[ <]{{0,8}}([45]\d\d)[ -](?:[45]\.\d\.\d{{1,3}} )?<?({ADDRESS})>?(?:\.\.\.|[:,;]| \.\.\.)", re.ASCII
)
# Sendmail 5: "550 example.org (smtp)... 550 Host unknown", after which the text is about that host.
_NEXT_HOST = re.compile(r"[45]\d\d ([\w.-]{1,255}+) \(\w{1,20}+\)\.\.\.", re.ASCII)
# Postfix and Sendmail: "(expanded from <ann@example.org>)"; Exim: "(ultimately generated from ann@example.org)".
_FORWARDED = re.compile(rf"\((?:expanded from:?|(?:ultimately )?generated from) {{0,4}}<?({ADDRESS})>?\)")
_SPAN = re.compile(r"(?<![\d:.,@/-])\d{1,3}(?:[^\d\n:.@/-]{1,16}\d{1,2}){2}(?![\d:.@/-])[^\d\n:.@/-]{2,16}")
_STARTS = phrases("start")
_PLAIN_STARTS = ascii_only(_STARTS)
_is_trouble, _is_delay = finder(phrases("trouble")), finder(phrases("delay"))
# Fields that begin the returned message if nothing else separates it.
END_FIELDS = ("received:", "return-path:", "dkim-signature:", "x-received:")
_END_WORDS = (*phrases("end"), *END_FIELDS)
_MARKS = " \t-=*_#>+[(.~"


class Listed(NamedTuple):
    """An address and the text about it."""

    address: str
    words: str


def cut(text: str) -> tuple[str, str]:
    """Split a text into the notification and the returned message below it.

    >>> cut("It failed.\\n--- Below this line is a copy of the message.\\nFrom: a\\n")
    ('It failed.', 'From: a\\n')
    """
    position, block = 0, _find_block(text)
    lower = text[: MAX_TEXT_CHARS + 200].lower()
    ends = tuple(word for word in _END_WORDS if word in lower)
    for number, line in enumerate(text.split("\n", MAX_LINES + 1)):
        if position == block:
            return text[:block].rstrip(), text[block:]
        is_end = bool(ends) and _bare(line).startswith(ends)
        if is_end or number >= MAX_LINES or position >= MAX_TEXT_CHARS:
            is_field = _bare(line).startswith(END_FIELDS)
            above = text[: min(position, MAX_TEXT_CHARS)].rstrip()
            return above, text[position if is_field else position + len(line) + 1 :]
        position += len(line) + 1
    return text[:MAX_TEXT_CHARS], ""


def _bare(line: str) -> str:
    """Return the beginning of a line in lower case, without marks."""
    return line[:200].lstrip(_MARKS).lower()


def _find_block(text: str) -> int:
    """Return where the header of a returned message begins (RFC 5322 section 3.6), or -1.

    The text above it must contain an address: a notification may summarise the message first, and report its fate
    below. This works in any language, and a returned message may mention failures too.
    """
    for match, _ in zip(_BLOCK.finditer(text, 0, MAX_TEXT_CHARS), range(MAX_BLOCKS), strict=False):
        names = {name.lower() for name in _FIELD.findall(match[0][:MAX_SEARCHED_CHARS])}
        if names & _TECHNICAL and names & {"from", "received"} and "@" in text[: match.start()]:
            return match.start()
    return -1


def without_quotes(text: str) -> str:
    """Return a text without quoted lines.

    >>> without_quotes("Why?\\n> <bob@example.org>: 550 unknown\\n>>> RCPT TO:<bob@example.org>")
    'Why?\\n>>> RCPT TO:<bob@example.org>'
    """
    return _QUOTED.sub("", text) if ">" in text or "|" in text else text


def is_log(text: str) -> bool:
    """Return whether a text contains lines of a log or a queue: such mail reports on many messages."""
    return _LOGGED.search(text[:MAX_CODED_CHARS]) is not None


def begin_of(text: str) -> str:
    """Return the beginning of a text in lower case, where a notification is recognised."""
    return text[:MAX_SEARCHED_CHARS].lower()


def read_listed(text: str) -> list[Listed]:
    """Return the addresses that a text lists, each with its paragraph, in their order and once."""
    lines = [line[:MAX_LINE_CHARS] for line in text.split("\n")]
    start = find_start(text)
    found = _collect(lines, max(start, 0), _LISTED) or _collect(lines, 0, _NAMED) or _collect(lines, 0, _TO)
    return found or ([] if start < 0 else _collect(lines, 0, _LISTED))


@lru_cache(maxsize=1)  # each method calls it for the same text
def find_start(text: str) -> int:
    """Return the number of the first line that introduces the list of recipients, from 0; -1 if there is none."""
    begin = begin_of(text)
    usual = _PLAIN_STARTS if begin.isascii() else _STARTS
    places = [begin.find(phrase) for phrase in usual if phrase in begin]
    return begin.count("\n", 0, min(places)) if places else -1


def after_start(text: str) -> str:
    """Return the text from the line that introduces the list of recipients, else the whole text."""
    start = find_start(text)
    said = text if start < 1 else text.split("\n", start)[start]
    return said[:MAX_WORDS].strip()


def local_names(text: str) -> list[str]:
    """Return the bare names right below the line that introduces the list: recipients in the sender's domain.

    AOL and GroupWise omit the domain.
    """
    start = find_start(text)
    opening, *lines = text.split("\n", start + MAX_NAMES)[start:] if start >= 0 else [""]
    names: list[str] = []
    for line in lines[:MAX_NAMES] if opening.rstrip().endswith(":") else ():
        match = _NAME.fullmatch(line[:MAX_LINE_CHARS])
        if match:
            names.append(match[1])
        elif line.strip() or names:
            break
    return names


def find_span(text: str) -> str:
    """Return the period for which a server will retry, in any language ("1 days, 19 hours and 56 minutes"), or ""."""
    match = _SPAN.search(text[:MAX_SEARCHED_CHARS])
    return match[0] if match else ""


def forwarded_from(words: str) -> str:
    """Return the address from which the mail was forwarded, or "".

    >>> forwarded_from("(expanded from <ann@example.org>): host mx.example.org said: 550 unknown")
    'ann@example.org'
    """
    match = _FORWARDED.search(words[:MAX_WORDS]) if " from" in words else None
    return first_address(match[1]) if match else ""


def read_transcript(text: str) -> list[Listed]:
    """Return the addresses rejected in an SMTP transcript (Sendmail and its descendants).

    The reply to the last command belongs to the addresses named next, except those at another host.
    """
    words: dict[str, list[str]] = {}
    answer: list[str] = []
    host = ""
    for line in text.split("\n"):
        bare = line[:MAX_LINE_CHARS].strip()
        if bare.startswith(">>>"):
            answer = [bare]
            if match := _SENT.match(bare):
                words.setdefault(match[1], [])
        elif bare.startswith("<<<"):
            answer.append(bare)
        elif bare[:1] in ("4", "5", "<") and "@" in bare and (match := _ANSWERED.match(bare)):
            words.setdefault(match[2], []).extend((*answer, bare))
            if len(words) > MAX_LISTED:
                break
        elif "while talking to" in bare[:20].lower():
            answer = []
            host = bare.rstrip(".:").rpartition(" ")[2]
        elif bare[:1] in ("4", "5") and (match := _NEXT_HOST.match(bare)) and match[1] != host:
            answer = []
    return [Listed(address, " ".join(said)[:MAX_WORDS]) for address, said in words.items() if said]


def mentioned(text: str, foreign: Iterable[str], likely: Container[str], *, in_any_line: bool) -> str:
    """Return the first address in a text that is neither in `foreign` nor that of a mail system, or "".

    Addresses in `likely` are preferred. Unless `in_any_line`, the line itself must mention a failure, or one above it
    must introduce a list.
    """
    known = {address.lower() for address in foreign}
    start = find_start(text)
    other = ""
    for number, line in enumerate(text.split("\n", MAX_LINES)[:MAX_LINES]):
        if "@" not in line or not (in_any_line or number >= start >= 0 or _mentions_failure(line, number)):
            continue
        for address in find_addresses(line[:MAX_LINE_CHARS]):
            lower = address.lower()
            if lower in known or "." not in lower.partition("@")[2] or _is_of_a_system(lower):
                continue
            if lower in likely:
                return address
            other = other or address
    return other


def _mentions_failure(line: str, number: int) -> bool:
    """Return whether a sentence with an address mentions a failure or delay."""
    if number >= MAX_SENTENCE_LINES:
        return False
    sentences = [one for one in line[:MAX_LINE_CHARS].lower().split(". ") if "@" in one]
    return any(_is_trouble(one) or _is_delay(one) for one in sentences)


def _collect(lines: list[str], start: int, pattern: re.Pattern[str]) -> list[Listed]:
    """Return the addresses at the beginning of a line, each with the text up to an empty line.

    If there is none, the line above counts that ends in a colon and introduces the addresses.
    """
    found: dict[str, list[str]] = {}
    headings: dict[str, str] = {}
    current: list[str] | None = None
    heading = above = ""
    for line in lines[start:]:
        match = pattern.match(line) if "@" in line else None
        if match and not (current and (match[1].lower() in found or first_address(line).lower() in found)):
            if len(found) >= MAX_LISTED:
                break
            if above.endswith(_OPENS):
                heading = above
                if current and len(current) > 2 and current[-1] == above:
                    current.pop()
            address = first_address(match[1]) or match[1]
            current = found.setdefault(address.lower(), [address])
            current.append(match[2].strip(" :\t"))
            headings.setdefault(address.lower(), heading)
        elif current is not None:
            if line.strip():
                current.append(line.strip())
            elif any(current[1:]):
                current = None
        above = line.strip()
    return [
        Listed(said[0], (" ".join(said[1:]).strip() or headings[address])[:MAX_WORDS])
        for address, said in found.items()
    ]


def _is_of_a_system(address: str) -> bool:
    local = address.partition("@")[0]
    return local in ("postmaster", "mailer-daemon", "abuse", "support", "helpdesk", "hostmaster", "webmaster", "help")

"""Limits on foreign text, applied on entry: no pattern and no parser sees more. Never raises.

Each limit is far above real mail, and low enough that any reader needs at most 50 ms of CPU time: one message must not
delay a run.
"""

from __future__ import annotations

import re

# One header section. Postfix takes 100 kB (header_size_limit), Exchange 128 kB.
MAX_HEADER_BYTES = 1 << 17
MAX_HEADER_LINES, MAX_FIELDS, MAX_FOLDS = 5000, 1000, 1000
# One unfolded value, also one with hundreds of addresses.
MAX_VALUE_CHARS = 1 << 15
# Multipart structure (RFC 2046 section 5.1).
MAX_PARTS, MAX_DEPTH = 60, 12
# Digits of a number: at most 63 bits in any protocol that is read here. int() refuses more than 4300 of them.
MAX_DIGITS = 19
# A TXT record; RFC 7208 section 3.4 recommends 450 bytes, flattened SPF records have a few thousand.
MAX_RECORD_CHARS = 1 << 13
# Reported mistakes per record or file.
MAX_MISTAKES = 20
# UIDs in a search result; a server that ignores the criteria returns the whole folder.
MAX_FOUND = 100_000
# A reply as it is shown or searched for words, all lines together.
MAX_REPLY_CHARS = 1 << 13

_PARENTHESIS = re.compile(r"([()])")


def number(digits: str | bytes) -> int | None:
    """Return the number of ASCII digits, None for anything else and for more than MAX_DIGITS.

    >>> number("42"), number("²"), number("9" * 5000), number("")
    (42, None, None, None)
    """
    return int(digits) if len(digits) <= MAX_DIGITS and digits.isascii() and digits.isdigit() else None


def without_comments(value: str) -> str:
    """Return a structured value without its comments, nested ones too; an unbalanced parenthesis stays.

    >>> without_comments("a (b (c)) d (e"), without_comments(") f")
    ('a  d (e', ') f')
    """
    if "(" not in value:
        return value
    kept: list[str] = []
    opened: list[int] = []
    for piece in _PARENTHESIS.split(value[:MAX_VALUE_CHARS]):
        if piece == ")" and opened:
            del kept[opened.pop() :]
            continue
        if piece == "(":
            opened.append(len(kept))
        kept.append(piece)
    return "".join(kept)

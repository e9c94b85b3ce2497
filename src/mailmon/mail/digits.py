"""Numbers in text from other people's servers: ASCII digits only, and only so many of them. Pure."""

from __future__ import annotations

# What no protocol here exceeds (64 bits), and far below the length at which int() refuses (CVE-2020-10735).
MAX_DIGITS = 20


def read_digits(text: str | bytes, most_digits: int = MAX_DIGITS) -> int | None:
    """Return a number that is written in ASCII digits alone, None for anything else and for one that is too long.

    `str.isdigit` takes digits of other scripts and superscripts, which `int` refuses.

    >>> read_digits(b"0060"), read_digits("²"), read_digits("1" * 5000), read_digits("-1"), read_digits("")
    (60, None, None, None, None)
    """
    if not 0 < len(text) <= most_digits or not (text.isascii() and text.isdigit()):
        return None
    return int(text)

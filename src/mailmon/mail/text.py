"""How are a server's words shown without letting them do harm?"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "****"
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def visible(raw: bytes | str, limit: int = 400) -> str:
    """Decode foreign text for display: one line, control characters shown as escapes, at most `limit` characters.

    >>> visible(b"550 no\\x1b[31m such\\r\\nuser")
    '550 no\\\\x1b[31m such\\\\r\\\\nuser'
    """
    text = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else raw
    cut = text[:limit]
    if cut.isprintable():
        return cut + "…" if len(text) > limit else cut
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in cut)
    return shown + "…" if len(text) > limit else shown


def fit_bytes(text: str, limit: int) -> str:
    """Cut `text` so that its UTF-8 form has at most `limit` bytes, ending in an ellipsis where it was cut.

    >>> fit_bytes("grün", 4)
    'g…'
    """
    raw = text.encode("utf-8")
    if len(raw) <= limit:
        return text
    return raw[: limit - 3].decode("utf-8", errors="ignore") + "…"


def fit_characters(text: str, limit: int) -> str:
    """Cut `text` to at most `limit` characters, ending in an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


# What is shorter would be found by chance.
MIN_WITHIN = 8


class Masker:
    """Replaces every known credential in a text, so that a server that quotes one back cannot leak it.

    Also the base64 forms in which SASL PLAIN and LOGIN carry it (RFC 4616, draft-murchison-sasl-login).
    """

    def __init__(self, secrets: Iterable[str] = (), usernames: Iterable[str] = ()) -> None:
        self._secrets, self._names = list(secrets), tuple(usernames)
        self._patterns: list[tuple[re.Pattern[str], int]] | None = None

    def add(self, secret: str) -> None:
        """Replace another credential too."""
        self._secrets.append(secret)
        self._patterns = None

    def __call__(self, text: str) -> str:
        if self._patterns is None:  # most connections never show anything
            forms = {form for secret in self._secrets for form in _spellings(secret, self._names)}
            # A look-ahead finds occurrences that overlap each other.
            self._patterns = [(re.compile(f"(?={re.escape(form)})"), len(form)) for form in forms]
        spans = sorted(
            (match.start(), match.start() + length)
            for pattern, length in self._patterns
            for match in pattern.finditer(text)
        )
        shown, end = [], 0
        for start, stop in spans:
            if start >= end:
                shown += [text[end:start], MASK]
            end = max(end, stop)
        return "".join([*shown, text[end:]])


def _spellings(secret: str, usernames: tuple[str, ...]) -> set[str]:
    from base64 import b64encode

    if not secret:
        return set()
    quoted = secret.replace("\\", "\\\\").replace('"', '\\"')
    plain = {b64encode(f"\0{name}\0{secret}".encode()).decode() for name in usernames}
    encoded = b64encode(secret.encode()).decode()
    escaped = {visible(secret), ascii(secret)[1:-1], repr(secret.encode())[2:-1]}
    return {secret, quoted, encoded, *escaped, *plain, *_within_base64(secret.encode())}


def _within_base64(secret: bytes) -> set[str]:
    """Return how a credential shows inside longer base64, as a token does in XOAUTH2, at each of three alignments."""
    from base64 import b64encode

    if len(secret) < MIN_WITHIN:
        return set()
    found = set()
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(secret)) * 8 // 6
        found.add(b64encode(bytes(before) + secret).decode()[skipped:whole])
    return found


def format_duration(seconds: float) -> str:
    """Return a duration as a person says it.

    >>> format_duration(452), format_duration(3.44), format_duration(93784)
    ('7 min 32 s', '3.4 s', '1 d 2 h')
    """
    if seconds < 59.95:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    for size, unit, smaller, smaller_unit in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            count, rest = whole // size, whole % size // smaller
            return f"{count} {unit} {rest} {smaller_unit}" if rest else f"{count} {unit}"
    return f"{whole} s"


def parse_duration(text: str) -> float:
    """Return the seconds of `90`, `90s`, `30m`, `30min`, `2h`, `1d` or `1w`. Raises ValueError for anything else.

    >>> parse_duration("90s"), parse_duration("1.5h")
    (90.0, 5400.0)
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?) ?(s|m|min|h|d|w)?", text.strip(), re.ASCII)
    if match is None:
        raise ValueError("must be a duration like 90s, 30m, 2h or 1d")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def join_words(words: Iterable[str]) -> str:
    """Join words as a sentence does: `a`, `a and b`, `a, b and c`."""
    *first, last = tuple(words) or ("",)
    return f"{', '.join(first)} and {last}" if first else last


def count(number: int, word: str) -> str:
    """Return a number with its noun: `1 run`, `3 runs`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"

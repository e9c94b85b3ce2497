"""Foreign text made harmless and visible, secrets masked, durations in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

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
    cut = utf8_text(cut)
    shown = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in cut)
    return shown + "…" if len(text) > limit else shown


# Bytes of UTF-8, each read as a character of Latin-1: a lead byte and what follows it.
_DOUBLY_READ = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]{1,3}")


def utf8_text(text: str) -> str:
    """Return text that was read one character a byte, as DNS gives TXT, with what is UTF-8 in it decoded.

    >>> utf8_text("gr\u00c3\u00bcn"), utf8_text("grün")
    ('grün', 'grün')
    """
    return text if text.isascii() else _DOUBLY_READ.sub(_decoded, text)


def _decoded(match: re.Match[str]) -> str:
    try:
        return match[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def one_line(fix: str) -> str:
    """Return a fix of several lines, some of which are to be copied, as one.

    >>> one_line("take passwords in TLS only; in main.cf:\\n  a = 1\\n  b = 2")
    'take passwords in TLS only; in main.cf: a = 1; b = 2'
    """
    said = ""
    for line in map(str.strip, fix.splitlines()):
        said += f"{'' if not said else ' ' if said.endswith(':') else '; '}{line}"
    return said


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
# A text of so many characters may have been cut before it came here, in the middle of a credential.
_MAY_BE_CUT, _MIN_PIECE = 2000, 4
# What begins an escape, in URLs, string literals and HTML; and a form writes a space as a plus.
_ESCAPES = ("%", "\\", "&")
# Longer credentials are tokens; of those only the characters that anybody escapes are looked for escaped.
_MAX_ESCAPED_WHOLE = 128
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986 section 2.3
_NAMED_IN_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Masker:
    """Replaces every known credential in a text, so that a server that quotes one back cannot leak it.

    In whatever case: capabilities are compared in capitals. Also the base64 forms in which SASL PLAIN and LOGIN carry
    it (RFC 4616, draft-murchison-sasl-login), base64 of anything that holds it, its bytes in hexadecimal, and each of
    its characters as URLs, forms, JSON and other string literals, and HTML escape them, also twice.
    """

    def __init__(self, secrets: Iterable[str] = (), usernames: Iterable[str] = ()) -> None:
        self._secrets, self._names = [secret for secret in secrets if secret], tuple(usernames)
        self._forms: set[str] | None = None
        self._escaped: list[re.Pattern[str]] | None = None

    def add(self, secret: str) -> None:
        """Replace another credential too."""
        if secret and secret not in self._secrets:
            self._secrets.append(secret)
            self._forms = self._escaped = None

    def __call__(self, text: str) -> str:
        if not self._secrets:
            return text
        folded = _folded(text)
        spans = [span for form in self._known_forms() for span in _places(form, folded)]
        if any(sign in text for sign in _ESCAPES) or ("+" in text and any(" " in secret for secret in self._secrets)):
            if self._escaped is None:  # few texts hold an escape, and making the patterns takes milliseconds
                self._escaped = [re.compile(f"(?=({_escaped(secret)}))", re.IGNORECASE) for secret in self._secrets]
            spans += [match.span(1) for pattern in self._escaped for match in pattern.finditer(text)]
        if text.endswith("…") or len(text) >= _MAY_BE_CUT:
            spans += _piece_at_end(self._known_forms(), folded)
        return _masked(text, spans) if spans else text

    def _known_forms(self) -> set[str]:
        if self._forms is None:  # most connections never show anything
            self._forms = {_folded(form) for secret in self._secrets for form in _spellings(secret, self._names)}
        return self._forms


def _folded(text: str) -> str:
    """Return a text in which letters that have the same capital are the same, of the same length.

    Small letters alone would not do: the capital of the micro sign is that of the Greek letter.
    """
    return text.lower() if text.isascii() else text.translate(_LETTERS)


class _Letters(dict[int, int]):
    """What each letter is folded to, one by one: in a whole word a final sigma would depend on what follows."""

    def __missing__(self, code: int) -> int:
        letter = chr(code)
        forms = (letter.upper().lower(), letter.lower(), letter)
        self[code] = folded = next(ord(one) for one in forms if len(one) == 1)
        return folded


_LETTERS = _Letters()


def _places(form: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a form stands, also where it overlaps itself."""
    start = text.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = text.find(form, start + 1)


def _piece_at_end(forms: Iterable[str], text: str) -> list[tuple[int, int]]:
    """Return the beginning of a form with which a text ends that was cut: half a credential is one too."""
    end = len(text.removesuffix("…"))
    longest = max((_overlap(form, text[:end]) for form in forms), default=0)
    return [(end - longest, end)] if longest else []


def _overlap(form: str, text: str) -> int:
    """Return with how many of its first characters, short of all, a text ends; 0 where that may be chance."""
    for length in range(min(len(form) - 1, len(text)), _MIN_PIECE - 1, -1):
        if text.endswith(form[:length]):
            return length
    return 0


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    shown, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            shown += [text[end:start], MASK]
        end = max(end, stop)
    return "".join([*shown, text[end:]])


def _spellings(secret: str, usernames: tuple[str, ...]) -> set[str]:
    """Return the forms of a credential as a whole; how single characters are escaped is `_escaped`'s."""
    from base64 import b64encode

    raw = secret.encode()
    logins = {b64encode(f"{who}\0{name}\0{secret}".encode()) for name in usernames for who in ("", name)}
    base64 = {code.decode() for code in (b64encode(raw), *logins)} | _within_base64(raw)
    in_urls = {code.rstrip("=").replace("+", "-").replace("/", "_") for code in base64}  # RFC 4648 section 5
    in_hex = {raw.hex()} if len(raw) >= _MIN_PIECE else set()
    # The blanks at the ends of a line are not kept everywhere.
    return {secret, secret.strip() or secret, visible(secret, len(secret)), *base64, *in_urls, *in_hex}


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


def _escaped(secret: str) -> str:
    """Return a pattern for a credential of which any character may be escaped; no repetition in it is unbounded."""
    is_short = len(secret) <= _MAX_ESCAPED_WHOLE
    runs = re.findall(r"\\+|[^\\]", secret.strip() or secret)
    return "".join(_character(run) if is_short or run not in _UNRESERVED else re.escape(run) for run in runs)


def _character(char: str) -> str:
    r"""Return a pattern for one character, or for a run of backslashes, in all its escapes."""
    in_url = "".join(f"%(?:25)?{byte:02x}" for byte in char.encode())
    if char.startswith("\\"):
        return rf"(?:\\{{{len(char)},{4 * len(char)}}}|{in_url}|{'&#(?:92|x5c);' * len(char)}|{_coded(char)})"
    number = ord(char)
    named = f"|&(?:amp;)?{_NAMED_IN_HTML[char]};" if char in _NAMED_IN_HTML else ""
    others = r"|\+" if char == " " else r"|\\{1,4}t" if char == "\t" else ""
    in_html = f"&(?:amp;)?#(?:0{{0,4}}{number}|x0{{0,4}}{number:x});"
    return rf"(?:\\{{0,4}}{re.escape(char)}|{in_url}|{in_html}{named}|{_coded(char)}{others})"


def _coded(char: str) -> str:
    r"""Return a pattern for a character as a string literal may have it: \xe4, \u00e4, \xc3\xa4, \ud83d\ude00."""
    units = char.encode("utf-16-be").hex()
    in_utf16 = "".join(rf"\\{{1,4}}u{units[n : n + 4]}" for n in range(0, len(units), 4))
    in_utf8 = "".join(rf"\\{{1,4}}x{byte:02x}" for byte in char.encode())
    in_one = "".join(rf"\\{{1,4}}[xu]0{{0,6}}{ord(one):x}" for one in char)
    return f"{in_utf16}|{in_utf8}|{in_one}"


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

"""The MIME reader, bounded and forgiving (RFC 5322, RFC 2045, RFC 2046). Never raises.

A returned message is a leaf: its content is not that of the notification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from mailmon.mail.caps import MAX_DEPTH, MAX_HEADER_BYTES, MAX_PARTS
from mailmon.mail.message.decoding import decode_body, strip_html
from mailmon.mail.message.header import Headers, first, read_head

# The part of a message that is read. A DSN comes first; the returned message follows.
MAX_BYTES = 1 << 20
MAX_BODY_CHARS = 1 << 17
MAX_BOUNDARY_LINE = 250
# Lines that begin as boundaries do; a patch has some hundred of them.
MAX_DASHED_LINES = 3000

_PARAMETER = re.compile(r';\s*([\w*-]{1,40}+)\s*=\s*(?:"([^"]{0,300})"|([^\s;"]{1,300}+))', re.ASCII)
# The charset declared in an HTML page (HTML Living Standard, section 4.2.5).
_META = re.compile(r"<meta [^<>]{0,200}?charset=[\"']?([\w-]{1,40}+)", re.ASCII | re.IGNORECASE)
MAX_META_CHARS = 2000
_GUESSED_BOUNDARY = re.compile(r"^--([^\s-][^\n]{0,200})\ncontent-", re.MULTILINE | re.IGNORECASE)

_BLANK_LINES = re.compile(r"(?:[ \t]{0,200}\n){1,20}")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}+[ \t]{0,4}+:", re.ASCII)
_USUAL = ("from", "to", "subject", "date", "message-id", "received", "return-path", "mime-version", "content-type")


class Part(NamedTuple):
    """A leaf of the message: its type, headers, and undecoded body, read as Latin-1."""

    type: str
    parameters: dict[str, str]
    headers: Headers
    body: str

    @property
    def text(self) -> str:
        """Return the decoded body, at most MAX_BODY_CHARS of it."""
        return self.read()

    def read(self, charsets: Iterable[str] = ()) -> str:
        """Return the decoded body; `charsets` are tried if the part declares none and is not UTF-8."""
        encoding = first(self.headers, "content-transfer-encoding")
        body, charset = self.body[:MAX_BODY_CHARS], self.parameters.get("charset", "")
        if self.type != "text/html":
            return decode_body(body, encoding, charset, charsets)
        if not charset and (match := _META.search(decode_body(body[:MAX_META_CHARS], encoding, "latin-1"))):
            charset = match[1]
        return strip_html(decode_body(body, encoding, charset, charsets))


class Message(NamedTuple):
    """The headers and leaves of a message; `type` and `parameters` are those of the whole."""

    type: str
    parameters: dict[str, str]
    headers: Headers
    parts: tuple[Part, ...]


def has_header(raw: bytes) -> bool:
    """Return whether a message has a header: its first line is a field, or a usual field is among its lines."""
    text = raw[:MAX_HEADER_BYTES].decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")
    text = _BLANK_LINES.sub("", text, count=1) if text[:1] in " \t\n" else text
    if text.startswith(("From ", ">From ")):
        text = text.partition("\n")[2]
    return _FIELD_NAME.match(text) is not None or any(name in _USUAL for name in read_head(text, 0)[0])


def read_message(raw: bytes, max_bytes: int = MAX_BYTES) -> Message:
    """Read the first `max_bytes`: at most MAX_PARTS parts, MAX_DEPTH deep, with any line ends."""
    text = raw[:max_bytes].decode("latin-1")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    blank = _BLANK_LINES.match(text)  # added when the message was saved
    headers, start = read_head(text, blank.end() if blank else 0)
    kind, parameters = content_type(headers)
    parts: list[Part] = []
    if kind.startswith("multipart/"):
        parts = _split(text, start, parameters.get("boundary", ""))
        if not parts and (guess := _GUESSED_BOUNDARY.search(text, start)):
            parts = _split(text, start, guess[1].rstrip())
    if not parts:
        leaf = "text/plain" if kind.startswith("multipart/") else kind
        parts = [Part(leaf, parameters, headers, text[start:])]
    return Message(kind, parameters, headers, tuple(parts))


def content_type(headers: Headers) -> tuple[str, dict[str, str]]:
    """Return the lower-case media type and its parameters; the default is text/plain (RFC 2045 section 5.2).

    Also for a type without subtype, as programs older than MIME write it: "Content-Type: text".
    """
    value = first(headers, "content-type")
    kind = (value.partition(";")[0].split() or [""])[0].lower()
    kind = kind if "/" in kind else ""
    found = _PARAMETER.findall(value[:2000]) if ";" in value else ()
    return kind or "text/plain", {name.lower(): quoted or plain for name, quoted, plain in found}


def _split(text: str, start: int, boundary: str) -> list[Part]:
    """Cut a body at its boundary lines, nested ones too, in one pass (RFC 2046 section 5.1)."""
    parts: list[Part] = []
    stack = [boundary]
    opened: tuple[str, dict[str, str], Headers, int] | None = None
    position = start - 1
    for _ in range(MAX_DASHED_LINES if boundary else 0):
        if not stack or len(parts) >= MAX_PARTS:
            break
        position = text.find("\n--", position)
        line_end = text.find("\n", position + 3) if position >= 0 else -1
        if position < 0:
            break
        line_end = len(text) if line_end < 0 else line_end
        name = text[position + 3 : min(line_end, position + MAX_BOUNDARY_LINE)].rstrip()
        level, closes = _level(stack, name)
        if level < 0:
            position = line_end
            continue
        if opened:
            parts.append(Part(*opened[:3], text[opened[3] : position]))
        del stack[level + (0 if closes else 1) :]
        opened, position = (None, line_end) if closes else _open(text, line_end + 1, stack)
    if opened and len(parts) < MAX_PARTS:
        parts.append(Part(*opened[:3], text[opened[3] :]))
    return parts


def _level(stack: list[str], name: str) -> tuple[int, bool]:
    """Return the open multipart of a boundary line, -1 for none, and whether the line closes it."""
    for level in range(len(stack) - 1, -1, -1):
        if name == stack[level]:
            return level, False
        if name == f"{stack[level]}--":
            return level, True
    return -1, False


def _open(text: str, start: int, stack: list[str]) -> tuple[tuple[str, dict[str, str], Headers, int] | None, int]:
    headers, body = read_head(text, start)
    kind, parameters = content_type(headers)
    if kind.startswith("multipart/") and parameters.get("boundary") and len(stack) < MAX_DEPTH:
        stack.append(parameters["boundary"])
        return None, body - 1
    return (kind, parameters, headers, body), body - 1

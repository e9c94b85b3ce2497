"""What text do these bytes mean? Transfer encodings, charsets, encoded words, HTML (RFC 2045, 2047). Never raises."""

from __future__ import annotations

import binascii
import html
import re
from functools import lru_cache

from mailmon.mail.caps import MAX_DIGITS

_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d|p)\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(style|script|head)\b[^<>]*>", re.IGNORECASE)
_WORD = re.compile(r"=\?([\w.:-]{1,40}+)(?:\*[\w-]{1,20}+)?\?([bq])\?([^?\s]{0,998}+)\?=", re.IGNORECASE | re.ASCII)
_BETWEEN_WORDS = re.compile(r"\?=[ \t\n]{1,20}=\?")
_NOT_BASE64 = bytes(byte for byte in range(256) if not (chr(byte).isalnum() and byte < 128) and byte not in b"+/")
# Beyond what int() takes, and no character has so many digits.
_LONG_ENTITY = re.compile(rf"&#(?:[0-9]{{{MAX_DIGITS},}}+|[xX][0-9a-fA-F]{{{MAX_DIGITS},}}+);?")
# Codecs that turn bytes into something else than text, or are slow enough to hold up a run.
_TEXT_CHARSET = re.compile(
    r"(?:us-)?ascii|utf-?(?:8|16|32)(?:-?[lb]e)?|iso-?8859-?\d{1,2}|latin-?\d|windows-?\d{3,4}|cp\d{3,4}|koi8-[rut]"
    r"|iso-2022-(?:jp|kr)(?:-\w{1,5})?|shift[_-]?jis|s?jis|euc-(?:jp|kr)|gb(?:2312|k|18030)|big5(?:-?hkscs)?|hz"
    r"|tis-620|mac-?\w{3,12}",
    re.ASCII,
)


def decode_body(body: str, encoding: str, charset: str) -> str:
    """Decode a body that was read as Latin-1: undo the transfer encoding, then apply the charset."""
    kind = encoding.strip().lower()
    if kind in ("base64", "quoted-printable"):
        return _to_text(decode_transfer(body, kind), charset)
    return body if body.isascii() and "\x1b" not in body else _to_text(body.encode("latin-1"), charset)


def decode_transfer(body: str, encoding: str) -> bytes:
    """Undo the transfer encoding of a body that was read as Latin-1; an unknown one is none."""
    raw = body.encode("latin-1")
    if encoding == "base64":
        return _from_base64(raw)
    return binascii.a2b_qp(raw) if encoding == "quoted-printable" else raw


def decode_header(value: str) -> str:
    """Decode a header value that was read as Latin-1: encoded words, else UTF-8 as it stands (RFC 2047, RFC 6532)."""
    text = value if value.isascii() else _to_text(value.encode("latin-1", errors="replace"), "utf-8")
    if "=?" not in text:
        return text
    return _WORD.sub(lambda match: _word(match[1], match[2], match[3]), _BETWEEN_WORDS.sub("?==?", text))


def strip_html(text: str) -> str:
    """Return the words of an HTML text, a line for each block."""
    shown: list[str] = []
    position = 0
    lower = text.lower()
    while match := _UNSEEN.search(text, position):
        shown.append(text[position : match.start()])
        end = lower.find(f"</{match[1].lower()}", match.end()) if len(shown) < 20 else -1
        if end < 0:
            position = len(text)
            break
        position = end
    shown.append(text[position:])
    plain = _TAG.sub("", _BREAK.sub("\n", "".join(shown)))
    return html.unescape(_LONG_ENTITY.sub("\ufffd", plain)).replace("\xa0", " ")


def _word(charset: str, kind: str, payload: str) -> str:
    raw = payload.encode("latin-1", errors="replace")
    if kind in "bB":
        return _to_text(_from_base64(raw), charset)
    return _to_text(binascii.a2b_qp(raw, header=True), charset)


def _from_base64(raw: bytes) -> bytes:
    """Decode as much as can be: line ends and a missing padding do not matter."""
    clean = raw.translate(None, _NOT_BASE64)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _to_text(raw: bytes, charset: str) -> str:
    try:
        text = raw.decode(_codec(charset.strip().lower()))
    except (UnicodeError, LookupError):
        try:
            text = raw.decode("utf-8")
        except UnicodeError:
            text = raw.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@lru_cache(maxsize=64)
def _codec(charset: str) -> str:
    return charset if _TEXT_CHARSET.fullmatch(charset) else "utf-8"

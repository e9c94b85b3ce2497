"""Decoding: transfer encodings, charsets, encoded words, HTML (RFC 2045, 2047). Never raises."""

from __future__ import annotations

import binascii
import html
import re
from collections.abc import Iterable
from functools import lru_cache

from mailmon.mail.caps import MAX_DIGITS

_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h\d|p)\b[^<>]*>", re.IGNORECASE)
_CELL = re.compile(r"</t[dh]\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(r"<(style|script|head)\b[^<>]*>", re.IGNORECASE)
_WORD = re.compile(r"=\?([\w.:-]{1,40}+)(?:\*[\w-]{1,20}+)?\?([bq])\?([^?\s]{0,998}+)\?=", re.IGNORECASE | re.ASCII)
_BETWEEN_WORDS = re.compile(r"\?=[ \t\n]{1,20}=\?")
_NOT_BASE64 = bytes(byte for byte in range(256) if not (chr(byte).isalnum() and byte < 128) and byte not in b"+/")
# Beyond what int() takes, and no character has so many digits.
_LONG_ENTITY = re.compile(rf"&#(?:[0-9]{{{MAX_DIGITS},}}+|[xX][0-9a-fA-F]{{{MAX_DIGITS},}}+);?")
# Only these charsets: other codecs do not yield text, or are slow enough to delay a run.
_TEXT_CHARSET = re.compile(
    r"(?:us-)?ascii|utf-?(?:7|8|16|32)(?:-?[lb]e)?|iso[-_]?8859[-_]?\d{1,2}|latin-?\d|windows-?\d{3,4}|cp\d{3,4}"
    r"|ibm\d{3,4}|koi8[-_][rut]|iso-2022-(?:jp|kr)(?:-\w{1,5})?|shift[_-]?jis(?:[_-]2004|x0213)?|s?jis|ms_?kanji"
    r"|euc-?(?:jp|kr)(?:[_-]2004)?|eucgb2312_cn|gb(?:2312(?:[_-](?:80|1980))?|k|18030)|big5(?:-?hkscs)?|hz(?:-gb-2312)?"
    r"|ks_c_5601(?:-1987)?|ksc5601|tis-620|mac-?\w{3,12}",
    re.ASCII,
)
# Charset names in mail, and the Python codec: the same charset, or the superset that real mail uses.
_ALIASES = {
    "gb2312": "gb18030", "eucgb2312_cn": "gb18030", "gb_2312-80": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
    "cp936": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949", "x-windows-949": "cp949", "windows-949": "cp949",
    "iso-8859-8-i": "iso-8859-8", "iso-8859-8-e": "iso-8859-8", "windows-31j": "cp932", "shift_jis": "cp932",
    "x-sjis": "cp932", "sjis": "cp932", "x-euc-jp": "euc-jp", "iso-2022-jp": "iso2022_jp_ext", "koi8-ru": "koi8-u",
    "x-mac-cyrillic": "mac-cyrillic", "macintosh": "mac-roman", "windows-874": "cp874", "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "big5": "cp950", "iso-8859-1": "cp1252", "us-ascii": "utf-8",
}  # fmt: skip
# The escape sequences that switch to two bytes a character (RFC 1468, RFC 1557).
_SHIFTS = ((b"\x1b$)C", "iso2022_kr"), (b"\x1b$B", "iso2022_jp_ext"), (b"\x1b$@", "iso2022_jp_ext"))


def decode_body(body: str, encoding: str, charset: str, others: Iterable[str] = ()) -> str:
    """Decode a body that was read as Latin-1: undo the transfer encoding, then apply the charset.

    `others` are charsets to try if the bytes are valid neither in `charset` nor in UTF-8.
    """
    kind = encoding.strip().lower()
    if kind in ("base64", "quoted-printable"):
        return _to_text(decode_transfer(body, kind), charset, others)
    return body if body.isascii() and "\x1b" not in body else _to_text(body.encode("latin-1"), charset, others)


def decode_transfer(body: str, encoding: str) -> bytes:
    """Undo the transfer encoding of a body that was read as Latin-1; ignore an unknown one."""
    raw = body.encode("latin-1")
    if encoding == "base64":
        return _from_base64(raw)
    return binascii.a2b_qp(raw) if encoding == "quoted-printable" else raw


def decode_header(value: str) -> str:
    """Decode a header value that was read as Latin-1: encoded words, else raw UTF-8 (RFC 2047, RFC 6532)."""
    is_plain = value.isascii() and "\x1b" not in value
    return decode_words(value if is_plain else _to_text(value.encode("latin-1", errors="replace"), "utf-8"))


def decode_words(text: str) -> str:
    """Decode the encoded words in a text (RFC 2047).

    >>> decode_words("550 =?utf-8?q?unbekannter_Empf=C3=A4nger?=")
    '550 unbekannter Empfänger'
    """
    if "=?" not in text:
        return text
    return _WORD.sub(lambda match: _word(match[1], match[2], match[3]), _BETWEEN_WORDS.sub("?==?", text))


def strip_html(text: str) -> str:
    """Return the text of an HTML page, one line per block."""
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
    # Words in different cells stay separate.
    plain = _TAG.sub("", _CELL.sub(" ", _BREAK.sub("\n", "".join(shown))))
    return html.unescape(_LONG_ENTITY.sub("\ufffd", plain)).replace("\xa0", " ")


def _word(charset: str, kind: str, payload: str) -> str:
    raw = payload.encode("latin-1", errors="replace")
    if kind in "bB":
        return _to_text(_from_base64(raw), charset)
    return _to_text(binascii.a2b_qp(raw, header=True), charset)


def _from_base64(raw: bytes) -> bytes:
    """Decode as much as possible, ignoring line ends and missing padding."""
    clean = raw.translate(None, _NOT_BASE64)
    if len(clean) % 4 == 1:
        clean = clean[:-1]
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def _to_text(raw: bytes, charset: str, others: Iterable[str] = ()) -> str:
    text = _shifted(raw) if b"\x1b$" in raw else None
    if text is None:
        candidates = (_codec(charset), "utf-8", *map(_codec, others), "latin-1")
        text = next(text for name in candidates if (text := _decoded(raw, name)) is not None)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _shifted(raw: bytes) -> str | None:
    """Decode a text with escape sequences for two-byte characters, whatever its declared charset; else return None."""
    codec = next((codec for mark, codec in _SHIFTS if mark in raw), "")
    return raw.decode(codec, "replace") if codec else None


def _decoded(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except (UnicodeError, LookupError):
        return None


@lru_cache(maxsize=64)
def _codec(charset: str) -> str:
    name = charset.strip().lower()
    return _ALIASES.get(name) or (name if _TEXT_CHARSET.fullmatch(name) else "utf-8")

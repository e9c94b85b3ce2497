"""Changes to a message in transit: a footer, a tracking pixel, a header dropped, glued or added. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from mailmon.mail.caps import MAX_HEADER_BYTES
from mailmon.mail.message.decoding import decode_transfer
from mailmon.mail.message.header import first, read_headers
from mailmon.mail.message.read import Part as RawPart
from mailmon.mail.message.read import read_message
from mailmon.text import visible

MAX_CHANGES, MAX_QUOTED, MAX_BYTES = 12, 80, 2 * 1024 * 1024
# The text of a probe has some hundred bytes.
MAX_TEXT_BYTES = 1 << 16
# Encodings are compared separately.
_NOT_COMPARED = ("mime-version", "content-type", "content-transfer-encoding")
# The version of mailmon may have changed since.
_MAILER = re.compile(r"mailmon [0-9][0-9A-Za-z.+-]{0,60}?(?=[A-Z][A-Za-z-]{0,60}:|$)")
_MARKS_OF_LISTS = ("list-unsubscribe", "list-id", "precedence", "errors-to")
_PIXEL = re.compile(r"<img\b[^<>]{0,500}+>", re.IGNORECASE)


class Part(NamedTuple):
    """One leaf of a message, its text decoded; of anything else `text` is a digest."""

    kind: str
    encoding: str
    text: str


def changes(sent: bytes, received: bytes) -> list[str]:
    """Describe each change to a message in transit; nothing if there is none."""
    found = [*_headers(read_headers(sent), read_headers(received)), *_bodies(sent, received)]
    return [visible(words, 200) for words in found[:MAX_CHANGES]]


def _headers(sent: dict[str, list[str]], received: dict[str, list[str]]) -> list[str]:
    found = []
    for name, values in sent.items():
        if name in _NOT_COMPARED:
            continue
        there = received.get(name, [])
        if name == "x-mailer" and there and (match := _MAILER.match(there[0])):
            values = [match[0]]
        title = "-".join(word.capitalize() for word in name.split("-"))
        if not there:
            found.append(f"the field {title} is gone")
        elif len(there) > len(values):
            found.append(f"the field {title} stands there {len(there)} times")
        elif there[0] != values[0]:
            rest = there[0].removeprefix(values[0])
            is_glued = rest != there[0] and ":" in rest
            what = f"is glued together with {rest[:MAX_QUOTED]!r}" if is_glued else f"reads {there[0][:MAX_QUOTED]!r}"
            found.append(f"the field {title} {what}")
    return found + [f"the field {name.title()} was added" for name in _MARKS_OF_LISTS if name in received]


def _bodies(sent: bytes, received: bytes) -> list[str]:
    ours, theirs = _parts(sent), _parts(received)
    found = []
    if len(ours) != len(theirs):
        found.append(f"it has {len(theirs)} parts, not {len(ours)}")
    for one, other in zip(ours, theirs, strict=False):
        if one.kind != other.kind:
            found.append(f"a part is {other.kind}, not {one.kind}")
        elif one.text != other.text:
            found += _lines(one, other)
        elif one.encoding != other.encoding:
            found.append(f"a part was encoded anew as {other.encoding}")
    if len(ours) < len(theirs):
        found += [f"a part {one.kind} was added" for one in theirs[len(ours) :]]
    after = _epilogue(received)
    if after:
        found.append(f"behind the last part stands {after[:MAX_QUOTED]!r}")
    return found


def _lines(one: Part, other: Part) -> list[str]:
    """Return the lines that were added to a text, and those that are gone."""
    before, after = one.text.split("\n"), other.text.split("\n")
    known, there = set(before), set(after)
    added = [line for line in after if line.strip() and line not in known]
    gone = [line for line in before if line.strip() and line not in there]
    found = []
    if any("\ufffd" in line for line in added):
        found.append("8-bit characters were damaged")
    pixels = [tag for tag in _PIXEL.findall(other.text) if tag not in one.text]
    if pixels:
        found.append(f"a picture was put in: {pixels[0][:MAX_QUOTED]!r}")
    elif added:
        at_end = after[-len(added) :] == added
        found.append(f"text was added{' at the end' if at_end else ''}: {' '.join(added)[:MAX_QUOTED]!r}")
    if gone and not pixels:
        found.append(f"text is gone: {' '.join(gone)[:MAX_QUOTED]!r}")
    return found or ["white space was changed"]


def _parts(raw: bytes) -> list[Part]:
    return [_part(part) for part in read_message(raw, MAX_BYTES).parts]


def _part(part: RawPart) -> Part:
    encoding = (first(part.headers, "content-transfer-encoding") or "7bit").strip().lower()
    if part.type.startswith("text/"):
        text = decode_transfer(part.body[:MAX_TEXT_BYTES], encoding).decode("utf-8", "replace").replace("\r\n", "\n")
        return Part(part.type, encoding, "\n".join(map(str.rstrip, text.split("\n"))).strip("\n"))
    return Part(part.type, encoding, hashlib.sha256(decode_transfer(part.body, encoding)).hexdigest())


def _epilogue(raw: bytes) -> str:
    """Return the text after the closing boundary of a message (RFC 2046 section 5.1.1)."""
    boundary = read_message(raw[:MAX_HEADER_BYTES]).parameters.get("boundary", "")
    closing = f"\n--{boundary}--"
    text = raw[:MAX_BYTES].decode("latin-1").replace("\r\n", "\n") if boundary else ""
    _, found, rest = text.partition(closing)
    return rest[:MAX_TEXT_BYTES].encode("latin-1").decode("utf-8", "replace").strip() if found else ""

"""What was changed in a message on its way? A footer, a pixel, a header that was dropped, glued or added. Pure."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import Message
from typing import NamedTuple

from mailmon.mail.probe import read_headers
from mailmon.mail.text import visible

MAX_CHANGES, MAX_QUOTED, MAX_BYTES = 12, 80, 2 * 1024 * 1024
# How a body is encoded is told apart.
_NOT_COMPARED = ("mime-version", "content-type", "content-transfer-encoding")
# The version of mailmon may be another one by now.
_MAILER = re.compile(r"mailmon [0-9][0-9A-Za-z.+-]*?(?=[A-Z][A-Za-z-]*:|$)")
_MARKS_OF_LISTS = ("list-unsubscribe", "list-id", "precedence", "errors-to")
_PIXEL = re.compile(r"<img\b[^>]{0,500}>", re.IGNORECASE)


class Part(NamedTuple):
    """One leaf of a message, its text decoded."""

    kind: str
    encoding: str
    text: str


def changes(sent: bytes, received: bytes) -> list[str]:
    """Return in words what is another way than it was sent; nothing where all is as it was."""
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
    added = [line for line in after if line.strip() and line not in before]
    gone = [line for line in before if line.strip() and line not in after]
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
    message = email.message_from_bytes(raw[:MAX_BYTES], policy=email.policy.compat32)
    return [_part(part) for part in message.walk() if not part.is_multipart()]


def _part(part: Message) -> Part:
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    text = data.decode("utf-8", "replace") if part.get_content_maintype() == "text" else data.hex()
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).strip().lower()
    return Part(part.get_content_type(), encoding, "\n".join(lines).strip("\n"))


def _epilogue(raw: bytes) -> str:
    message = email.message_from_bytes(raw[:MAX_BYTES], policy=email.policy.compat32)
    text = message.epilogue if message.is_multipart() else ""
    return (text or "").strip()

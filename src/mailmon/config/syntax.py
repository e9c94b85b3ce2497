"""Explanations of syntax errors in a configuration that is not JSON: place, mistake and fix.

Only words such as `True` are quoted from the text: any other could be a credential.
"""

from __future__ import annotations

import json
from typing import NamedTuple

EXAMPLE = "`mailmon config example --flat` prints a short one"
_AS_JSON = f"Write it as JSON; {EXAMPLE}."
_WORDS = {
    "True": "true", "TRUE": "true", "yes": "true", "Yes": "true", "on": "true",
    "False": "false", "FALSE": "false", "no": "false", "No": "false", "off": "false",
    "None": "null", "nil": "null", "NULL": "null", "Null": "null", "undefined": "null",
}  # fmt: skip
_QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb`"
_BLANKS = " \t\r\n"
MAX_LINES = 2000


class Mistake(NamedTuple):
    """A mistake with its place, and the advice."""

    problem: str
    advice: str


def explain(raw: bytes) -> Mistake:
    """Explain why a text is not JSON. Never raises."""
    if not raw.strip():
        return Mistake("is empty", f"Write a configuration into it; {EXAMPLE}.")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Mistake("is in UTF-16", "Save it as UTF-8.")
    if b"\0" in raw:
        return Mistake(
            "contains NUL bytes, so it is not a text file", "Check the path: the configuration is JSON in UTF-8."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        start = exc.start - (3 if raw.startswith(b"\xef\xbb\xbf") and exc.start >= 3 else 0)
        before = exc.object[:start].decode("utf-8", "replace")
        place = _place(before, len(before))
        return Mistake(f"{place}: the byte 0x{exc.object[exc.start]:02x} is not UTF-8", "Save the file as UTF-8.")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        json.loads(text)
    except json.JSONDecodeError as exc:
        return _of_another_language(text) or _at(text, exc)
    except (ValueError, RecursionError) as exc:
        return Mistake(f"cannot be read as JSON ({type(exc).__name__})", "")
    return Mistake("cannot be read as JSON", "")


def not_an_object(document: object) -> Mistake:
    """Explain which JSON value was found in place of an object."""
    kinds = {list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    what = kinds.get(type(document), "a number")
    return Mistake(f"must be a JSON object, not {what}", f"Write an object in its place; {EXAMPLE}.")


def _of_another_language(text: str) -> Mistake | None:
    """Recognise another language; return None for JSON, which begins with a brace."""
    number, line = _first_line(text)
    place = f"line {number} column {len(line) - len(line.lstrip()) + 1}"
    start = line.strip()
    if start.startswith(("{", "//", "/*", '"', "'", *_QUOTES)):
        return None
    if start.startswith("<"):
        return Mistake(f"{place}: looks like XML or HTML, not JSON", _AS_JSON)
    section = start.partition("#")[0].rstrip()
    name = section[1:-1].strip("[] ")
    if section.startswith("[") and section.endswith("]") and name and _is_name(name):
        return Mistake(f"{place}: looks like TOML or INI ([section]), not JSON", _AS_JSON)
    if start.startswith("["):
        return None
    key, equals, _ = start.partition("=")
    if equals and _is_name(key.strip()):
        return Mistake(f"{place}: looks like TOML, INI or a shell's variables (name = value), not JSON", _AS_JSON)
    key, colon, rest = start.partition(":")
    if start.startswith(("---", "- ", "%YAML")) or (colon and _is_name(key.strip()) and (not rest or rest[0] in " \t")):
        return Mistake(f"{place}: looks like YAML (key: value), not JSON", _AS_JSON)
    return Mistake(f"{place}: not JSON: a configuration starts with {{", _AS_JSON)


def _first_line(text: str) -> tuple[int, str]:
    """Return the first line that is neither empty nor a comment of YAML, TOML or INI, with its number."""
    lines = text.split("\n", MAX_LINES)
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith(("#", ";")):
            return number, line
    return 1, lines[0]


def _is_name(word: str) -> bool:
    return bool(word) and word.replace("_", "").replace("-", "").replace(".", "").replace('"', "").isalnum()


def _at(text: str, exc: json.JSONDecodeError) -> Mistake:
    at = exc.pos
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    here, before = text[at : at + 1], text[:at].rstrip(_BLANKS)
    place = _place(text, at)
    if text.startswith(("//", "/*", "#"), at):
        return Mistake(f"{place}: a comment, and JSON has none", "Remove it.")
    if exc.msg.startswith("Illegal trailing comma"):  # Python 3.13 points at the comma
        return _comma(text, exc.pos)
    if here in ("}", "]") and here and before.endswith(","):
        return _comma(text, len(before) - 1)
    if exc.msg.startswith("Unterminated string"):
        return Mistake(f"{_place(text, exc.pos)}: this text has no closing quotation mark", 'End it with ".')
    if exc.msg.startswith("Invalid control character"):
        said = "a line ends inside a text" if text[exc.pos : exc.pos + 1] == "\n" else "a control character in a text"
        return Mistake(f"{_place(text, exc.pos)}: {said}", 'Is a closing " missing? A tab is written \\t.')
    if exc.msg.startswith("Invalid \\"):
        return Mistake(f"{_place(text, exc.pos)}: a backslash that JSON does not know", "Write \\\\ for a backslash.")
    if not here:
        return _unclosed(text)
    if exc.msg.startswith("Extra data"):
        return _extra(text, at)
    return _expected(text, at, place, exc.msg)


def _expected(text: str, at: int, place: str, said: str) -> Mistake:
    """Explain an unexpected character."""
    here, word = text[at], _word(text, at)
    if here == "'" or here in _QUOTES:
        kind = "single quotation marks" if here == "'" else "typographic quotation marks"
        return Mistake(f"{place}: {kind}", 'JSON takes double ones: "text".')
    if said.startswith("Expecting ','"):
        if here in "]}":
            return Mistake(
                f"{place}: this {here} does not close the bracket that is open", "Close the inner bracket first."
            )
        if here.isdigit() and text[:at].endswith("0"):
            return Mistake(f"{place}: a number must not begin with 0", "Remove the 0.")
        return Mistake(f"{place}: a comma is missing before this", "Put a comma between two entries.")
    if said.startswith("Expecting ':'"):
        what = f", not {here}" if here in "=,}" else ""
        return Mistake(f"{place}: a colon must follow a key{what}", 'Write "key": value.')
    if said.startswith("Expecting property name"):
        if here == ",":
            return Mistake(f"{place}: a comma too many", "Remove it.")
        return Mistake(f"{place}: a key must stand in double quotation marks", 'Write "key": value.')
    if word in _WORDS:
        return Mistake(f"{place}: {word} is not JSON", f"Write {_WORDS[word]}.")
    if here in ",}]":
        return Mistake(f"{place}: a value is missing before {here}", "Put one there, or remove the key.")
    return Mistake(f"{place}: this is no value", 'A text stands in double quotation marks: "text".')


def _comma(text: str, at: int) -> Mistake:
    return Mistake(f"{_place(text, at)}: trailing comma", "Remove it.")


def _extra(text: str, at: int) -> Mistake:
    if text[at] in "}]":
        return Mistake(f"{_place(text, at)}: one {text[at]} too many", "Remove it, or one that closes too early above.")
    return Mistake(f"{_place(text, at)}: something follows the end of the configuration", "Put all into one { ... }.")


def _unclosed(text: str) -> Mistake:
    """Find the bracket that is not closed."""
    opened: list[int] = []
    in_text = is_escaped = False
    for at, char in enumerate(text):
        if in_text:
            in_text = is_escaped or char != '"'
            is_escaped = char == "\\" and not is_escaped
        elif char == '"':
            in_text = True
        elif char in "{[":
            opened.append(at)
        elif char in "}]" and opened:
            opened.pop()
    end = _place(text, len(text.rstrip(_BLANKS)))
    if not opened:
        return Mistake(f"{end}: ends where a value must follow", "Is a part of the file missing?")
    bracket = text[opened[-1]]
    closing = {"{": "}", "[": "]"}[bracket]
    said = f"{_place(text, opened[-1])}: the {bracket} that begins here is never closed; the file ends at {end}"
    return Mistake(said, f"Add the {closing}.")


def _word(text: str, at: int) -> str:
    end = at
    while end < len(text) and end - at < 20 and text[end].isalnum():
        end += 1
    return text[at:end]


def _place(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1} column {at - text.rfind(chr(10), 0, at)}"

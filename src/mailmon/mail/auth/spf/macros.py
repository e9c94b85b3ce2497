"""SPF macros (RFC 7208 section 7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from mailmon.mail.auth.spf.values import Client
from mailmon.mail.caps import MAX_DIGITS, MAX_RECORD_CHARS

MAX_NAME = 253
_EXPAND = re.compile(
    rf"%(?:\{{([A-Za-z])(\d{{0,{MAX_DIGITS}}}+)(r?)([-.+,/_=]*)\}}|(%)|(_)|(-))", re.IGNORECASE | re.ASCII
)
_PLAIN = re.compile(r"[\x21-\x24\x26-\x7e]*")
_LETTERS, _EXPLANATION_LETTERS = "slodiphv", "crt"


def is_macro_string(text: str, *, is_explanation: bool = False) -> bool:
    """Return whether all macros in a text are right; c, r and t are for explanations only."""
    if len(text) > MAX_RECORD_CHARS:
        return False
    letters = _LETTERS + (_EXPLANATION_LETTERS if is_explanation else "")
    for match in _EXPAND.finditer(text):
        if match[1] and (match[1].lower() not in letters or (match[2] and int(match[2]) == 0)):
            return False
    rest = _EXPAND.sub("", text)
    if is_explanation:
        rest = rest.replace(" ", "")
    return bool(_PLAIN.fullmatch(rest))


def expand(text: str, client: Client, domain: str, validated_name: Callable[[], str]) -> str:
    """Return a text with its macros replaced; `validated_name` is asked for `p`, which takes look-ups."""

    def one(match: re.Match[str]) -> str:
        if match[5] or match[6] or match[7]:
            return "%" if match[5] else " " if match[6] else "%20"
        value = _value(match[1].lower(), client, domain, validated_name)
        value = _transformed(value, match[2], bool(match[3]), match[4])
        return quote(value, safe="-._~") if match[1].isupper() else value

    return _EXPAND.sub(one, text)


def fitting(name: str) -> str:
    """Return a name without its final dot, and without labels from the left where it is too long (section 7.3)."""
    name = name.removesuffix(".")
    if len(name) <= MAX_NAME:
        return name
    dot = name.find(".", len(name) - MAX_NAME - 1)
    return name[dot + 1 :] if dot >= 0 else name.rpartition(".")[2]


def is_name(name: str) -> bool:
    """Return whether a name can be asked for: more than one label, none empty, none longer than 63 (section 4.3)."""
    labels = name.removesuffix(".").split(".")
    return len(labels) > 1 and all(0 < len(label) <= 63 for label in labels) and len(name) <= MAX_NAME


def _value(letter: str, client: Client, domain: str, validated_name: Callable[[], str]) -> str:
    if letter == "p":
        return validated_name()
    address, sender = client.address, client.sender
    local, _, sender_domain = sender.rpartition("@")
    dotted = str(address) if address.version == 4 else ".".join(address.exploded.replace(":", ""))
    return {
        "s": sender,
        "l": local,
        "o": sender_domain,
        "d": domain,
        "i": dotted,
        "h": client.helo,
        "v": "in-addr" if address.version == 4 else "ip6",
        "c": str(address),
        "r": client.receiver,
        "t": str(client.now_s),
    }[letter]


def _transformed(value: str, digits: str, is_reversed: bool, delimiters: str) -> str:
    if not (digits or is_reversed or delimiters):
        return value
    parts = re.split(f"[{re.escape(delimiters or '.')}]", value)
    if is_reversed:
        parts.reverse()
    if digits:
        parts = parts[-min(int(digits), 128) :]
    return ".".join(parts)

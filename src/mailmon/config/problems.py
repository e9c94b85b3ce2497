"""Messages about mistakes in the configuration, with their place and without any credential."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from mailmon.config import flat
from mailmon.config.models import Config, complete_config
from mailmon.notify import NOTIFIERS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def find_problems(full: dict[str, Any], flat_keys: Iterable[str]) -> list[str]:
    """Return every mistake in a configuration in the full form, each with its place as the user wrote it."""
    from mailmon.typedjson.validate import find_errors

    used, whole = tuple(flat_keys), complete_config()
    problems = [_describe(error, used, whole, (), full) for error in find_errors(whole, full)]
    for name, channel in flat.channels_of(full).items():
        notifier = NOTIFIERS.get(str(channel.get("type")))
        if notifier is None:
            hint = did_you_mean(str(channel.get("type")), NOTIFIERS)
            problems.append(f"notify.{name}: unknown channel type{hint} (known: {', '.join(NOTIFIERS)})")
            continue
        prefix = ("notify", name)
        problems += [
            _describe(e, used, notifier.options, prefix, channel) for e in find_errors(notifier.options, channel)
        ]
    return [problem for problem in dict.fromkeys(problems) if problem]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint at the known word that is nearest, "" when none is near."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _meant(path: Sequence[str]) -> str:
    """Return the key for one that other programs call differently, or that belongs elsewhere; "" for any other."""
    key = path[-1]
    protocol, _, rest = key.partition("_")
    if len(path) == 3 and path[0] == "accounts":
        if key in ("security", "ca_file", "tls_sha256"):
            return f"smtp.{key} and imap.{key}"
        return f"{protocol}.{_OTHER_WORDS.get(rest, rest)}" if protocol in _PROTOCOLS and rest else ""
    if len(path) == 1 and protocol in _PROTOCOLS:
        if protocol == "pop3" or not rest:
            return f"accounts.NAME.{protocol}{f'.{_OTHER_WORDS.get(rest, rest)}' if rest else ''}"
        wanted = _OTHER_WORDS.get(rest, rest)
        return next((name for name in (f"{protocol}_{wanted}", wanted) if name in flat.KEYS), "")
    if len(path) == 1 and key in _OTHER_WORDS:
        return " and ".join(f"{one}_{_OTHER_WORDS[key]}" for one in ("smtp", "imap"))
    return ""


_PROTOCOLS = ("smtp", "imap", "pop3")
_OTHER_WORDS = dict.fromkeys(("tls", "ssl", "starttls", "encryption"), "security")


_KINDS = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "bool_type": "a boolean",
    "string_type": "a string",
}


def _got(kind: str, raw: Any, steps: Iterable[Any]) -> str:
    """Return the value at a place; its type alone where text is expected, for that may be a credential."""
    for step in steps:
        try:
            raw = raw[step]
        except (KeyError, IndexError, TypeError):
            return ""
    types = {list: "a list", dict: "a table", type(None): "null"}
    if type(raw) in types:
        return f", got {types[type(raw)]}"
    if kind == "string_type":
        return ", got a boolean" if isinstance(raw, bool) else ", got a number"
    return f", got {raw[:80]!r}" if isinstance(raw, str) else f", got {str(raw).lower()[:80]}"


def _describe(
    error: ErrorDetails, flat_keys: tuple[str, ...], kind: Any, prefix: tuple[str, ...], raw: dict[str, Any]
) -> str:
    """Return one mistake as `path: what is wrong`, "" for a missing flat key that is already reported."""
    path = [*prefix, *(str(step) for step in error["loc"] if step != "[key]")]
    message = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    match error["type"]:
        case "unexpected_keyword_argument" | "extra_forbidden":
            meant = _meant(path)
            hint = (
                f"; did you mean {meant}?"
                if meant
                else did_you_mean(path[-1], _known_keys(kind, path[len(prefix) : -1]))
            )
            message = f"unknown key{hint}"
        case "missing" | "missing_argument":
            if flat_keys and tuple(path[:2]) in (flat.ACCOUNT, flat.ROUTE):
                return ""
            message = "missing"
        case "dataclass_type" | "dict_type":
            message = "must be a table: { ... }"
        case "tuple_type":
            message = "must be a list: [ ... ]"
        case what if what in _KINDS:
            message = f"must be {_KINDS[what]}{_got(what, raw, error['loc'])}"
        case _:
            message = message.replace("should be", "must be", 1)
    return f"{flat.name_of(path, flat_keys) or 'configuration'}: {message[:1].lower()}{message[1:]}"


def _known_keys(kind: Any, path: Iterable[str]) -> list[str]:
    """Return the keys that a part of the configuration has at a path, flat ones included at the top."""
    from mailmon.typedjson.validate import json_schema

    node: Any = json_schema(kind)
    definitions = node.get("$defs", {})
    steps = list(path)
    for step in steps:
        node = _into(node, step, definitions)
    keys = [key for variant in _variants(node, definitions) for key in variant.get("properties", {})]
    return keys if steps or not issubclass(kind, Config) else [*keys, *flat.KEYS]


def _into(node: Any, step: str, definitions: dict[str, Any]) -> Any:
    for variant in _variants(node, definitions):
        if step in variant.get("properties", {}):
            return variant["properties"][step]
        if isinstance(variant.get("additionalProperties"), dict):
            return variant["additionalProperties"]
    return {}


def _variants(node: Any, definitions: dict[str, Any]) -> list[Any]:
    return [
        definitions.get(variant["$ref"].rpartition("/")[2], {}) if "$ref" in variant else variant
        for variant in (node, *node.get("anyOf", ()))
    ]

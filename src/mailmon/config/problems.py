"""How is a mistake in the configuration said, so that its place is found and no credential is quoted?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

from mailmon.config import flat
from mailmon.config.models import Config


def describe(error: ErrorDetails, flat_keys: list[str], told: list[str]) -> str:
    """Return one mistake as `path: what is wrong`, "" where a flat key was already reported as missing."""
    path = [str(step) for step in error["loc"]]
    if path[:1] == ["notify"] and len(path) > 2:
        path = [path[0], path[1], *path[3:]]  # the third step is the channel's type, which the person did not write
    name = flat.name_of(path, flat_keys)
    message, kind = error["msg"], error["type"]
    if kind == "extra_forbidden":
        message = f"unknown key{did_you_mean(path[-1], _known_keys(path[:-1]))}"
    elif kind == "missing":
        flat_name = flat.name_of(path, flat.REQUIRED) if flat_keys else name
        if f"{flat_name}: missing" in told or (flat_keys and path[:2] in (list(flat.ACCOUNT), list(flat.ROUTE))):
            return ""
        message = "missing"
    elif kind.startswith("union_tag"):
        message = "unknown type of channel; there are ntfy and discord"
    elif kind in ("value_error", "string_type", "int_parsing", "float_parsing"):
        message = message.removeprefix("Value error, ")
    return f"{name or 'the whole'}: {message[:1].lower()}{message[1:]}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _known_keys(path: list[str]) -> list[str]:
    """Return the keys that the configuration has at a path, flat ones included at the top."""
    node: Any = Config.model_json_schema(by_alias=True)
    definitions = node.get("$defs", {})
    if not path:
        return [*node["properties"], *flat.PLACES]
    for step in path:
        node = _into(node, step, definitions)
    variants = [node, *node.get("anyOf", ()), *node.get("oneOf", ())]
    return [key for variant in variants for key in _resolved(variant, definitions).get("properties", {})]


def _into(node: Any, step: str, definitions: dict[str, Any]) -> Any:
    for variant in (node, *node.get("anyOf", ())):
        resolved = _resolved(variant, definitions)
        if step in resolved.get("properties", {}):
            return _resolved(resolved["properties"][step], definitions)
        if isinstance(resolved.get("additionalProperties"), dict):
            return _resolved(resolved["additionalProperties"], definitions)
    return {}


def _resolved(node: Any, definitions: dict[str, Any]) -> Any:
    return definitions.get(node["$ref"].rpartition("/")[2], {}) if "$ref" in node else node

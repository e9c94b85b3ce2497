"""Placeholders of the example (`mailmon config example`) that are still in a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_DOMAINS = ("example.org", "example.com", "example.net")
_NO_SECRETS = ("ca_file", "state_file", "heartbeat_file")
_RANDOM = "a-long-random-name"


def placeholders(document: Mapping[str, Any]) -> list[str]:
    """Return what to do with a configuration that is the example, or a part of it."""
    hosts = sorted({key for key, _ in _held(document)})
    lines = [f"fill in: {', '.join(hosts)}"]
    named = [(key, value) for key, value in _values(document) if key.endswith("_file")]
    files = sorted({value for key, value in named if not key.endswith(_NO_SECRETS)})
    if files:
        lines.append(f"write one secret into each file (mode 600), or name another: {', '.join(files)}")
    commands = sorted(key for key, _ in _values(document) if key.endswith("_command"))
    if commands:
        lines.append(f"put a command of yours there, or a file: {', '.join(commands)}")
    tables = [f"{name}.{key}" for name in ("accounts", "routes", "notify") for key in document.get(name) or ()]
    if tables or "ping" in document:
        unused = [*tables, *(["ping"] if "ping" in document else [])]
        lines.append(f"remove what you do not have: {', '.join(unused)}")
    lines.append("then: mailmon config validate --config FILE")
    return lines


def advice_on(document: Mapping[str, Any]) -> str:
    """Return the same for a configuration in which a server is still the example's, "" where none is."""
    if not any(key.endswith("host") and _is_example(value) for key, value in _values(document)):
        return ""
    first, *others = placeholders(document)
    return "\n    ".join([f"This is still the example; {first}", *others])


def _held(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in _values(document):
        if _is_example(value) or value == _RANDOM:
            yield key, value


def _is_example(value: str) -> bool:
    return value.rstrip("/").endswith(_DOMAINS)


def _values(document: Mapping[str, Any], path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the texts in a configuration with their places; of a list its first word."""
    for key, value in document.items() if depth < 6 else ():
        place = f"{path}{key}"
        if isinstance(value, Mapping):
            yield from _values(value, f"{place}.", depth + 1)
        elif isinstance(value, str):
            yield place, value
        elif isinstance(value, list) and value and isinstance(value[0], str):
            yield place, value[0]

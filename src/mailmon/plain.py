"""How do values become plain JSON and come back? Nothing is tested here: schema.py did that before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], raw: Mapping[str, Any]) -> T:
    """Return a dataclass or named tuple from plain JSON; what it lacks keeps its default. ValueError: a naive time."""
    made: T = _build(kind, raw)
    return made


def to_plain(value: Any) -> Any:
    """Return a value as plain JSON: dataclasses and named tuples as tables, times in ISO 8601 UTC ending in Z."""
    if hasattr(value, "_asdict"):
        return {name: to_plain(item) for name, item in value._asdict().items()}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.value if isinstance(value, Enum) else value


def _build(kind: Any, raw: Any) -> Any:
    origin = get_origin(kind)
    if origin is None:
        return _build_simple(kind, raw)
    if origin in (dict, Mapping):
        return {key: _build(get_args(kind)[1], item) for key, item in raw.items()}
    if origin is tuple:
        return tuple(_build(get_args(kind)[0], item) for item in raw)
    choices = [choice for choice in get_args(kind) if choice is not NoneType]
    return _build(choices[0], raw) if len(choices) == 1 and raw is not None else raw


def _build_simple(kind: Any, raw: Any) -> Any:
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        known = _places(kind)
        return kind(**{name: _build(hint, raw[key]) for key, (name, hint) in known.items() if key in raw})
    if kind is datetime:
        return _utc(datetime.fromisoformat(raw))
    if kind is float:
        return float(raw)
    return kind(raw) if isinstance(kind, type) and issubclass(kind, Enum) else raw


@cache
def _places(kind: Any) -> dict[str, tuple[str, Any]]:
    """Return the name and type of each field by its key in JSON."""
    hints, aliases = get_type_hints(kind), getattr(kind, "ALIASES", {})
    names = kind._fields if hasattr(kind, "_fields") else [field.name for field in fields(kind)]
    return {aliases.get(name, name): (name, hints[name]) for name in names}


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"a time without its zone: {at}")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"a time that UTC cannot hold: {at}") from exc

"""How do values become plain JSON and come back? Nothing is tested here: schema.py did that before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], raw: Mapping[str, Any]) -> T:
    """Return a dataclass or named tuple from plain JSON; what it lacks keeps its default. ValueError: a naive time."""
    place: Any = kind
    made: T = _table_converter(place)(raw)
    return made


def to_plain(value: Any) -> Any:
    """Return a value as plain JSON: dataclasses and named tuples as tables, times in ISO 8601 UTC ending in Z."""
    if type(value) in _AS_THEY_ARE:
        return value
    if hasattr(value, "_fields"):
        return {name: to_plain(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    return [to_plain(item) for item in value] if isinstance(value, tuple | list) else value


def shifted(value: Any, delta: timedelta) -> Any:
    """Return a value with every time in it moved by `delta`."""
    if isinstance(value, datetime):
        return value + delta
    if hasattr(value, "_fields"):
        return type(value)(*(shifted(item, delta) for item in value))
    if isinstance(value, Mapping):
        return {key: shifted(item, delta) for key, item in value.items()}
    return tuple(shifted(item, delta) for item in value) if isinstance(value, tuple) else value


_AS_THEY_ARE = frozenset({str, int, float, bool, NoneType})


def _converter(kind: Any) -> Callable[[Any], Any]:
    """Return what makes a value of this type from plain JSON."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is None:
        return _simple_converter(kind)
    if origin in (dict, Mapping):
        convert_value = _converter(arguments[1])
        return lambda raw: {key: convert_value(item) for key, item in raw.items()}
    if origin is tuple:
        convert_item = _converter(arguments[0])
        return lambda raw: tuple(map(convert_item, raw))
    choices = [choice for choice in arguments if choice is not NoneType]
    convert = _converter(choices[0]) if len(choices) == 1 else _as_it_is
    return convert if convert is _as_it_is else lambda raw: None if raw is None else convert(raw)


def _simple_converter(kind: Any) -> Callable[[Any], Any]:
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return lambda raw: _table_converter(kind)(raw)  # made when first needed: most tables stand in no file
    if kind is datetime:
        return lambda raw: _utc(datetime.fromisoformat(raw))
    return kind if kind is float or (isinstance(kind, type) and issubclass(kind, Enum)) else _as_it_is


@cache
def _table_converter(kind: Any) -> Callable[[Any], Any]:
    """Return the same for a dataclass or named tuple. Types are asked once: two days of probes are read at a start."""
    hints, aliases = get_type_hints(kind), getattr(kind, "ALIASES", {})
    names = kind._fields if hasattr(kind, "_fields") else [field.name for field in fields(kind)]
    places = [(aliases.get(name, name), name, _converter(hints[name])) for name in names]

    def convert(raw: Mapping[str, Any]) -> Any:
        values = {}
        for key, name, convert_field in places:
            if key in raw:
                values[name] = raw[key] if convert_field is _as_it_is else convert_field(raw[key])
        return kind(**values)

    return convert


def _as_it_is(raw: Any) -> Any:
    return raw


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"a time without its zone: {at}")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"a time that UTC cannot hold: {at}") from exc

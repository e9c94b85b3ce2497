"""Conversion of values to plain JSON and back.

`build` tests nothing: validate.py did that before. `build_strictly` trusts nothing: it is for what a file remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], raw: Mapping[str, Any]) -> T:
    """Return a dataclass or named tuple from plain JSON; what it lacks keeps its default. ValueError: a naive time."""
    place: Any = kind
    made: T = _table_converter(place)(raw)
    return made


def build_strictly(kind: type[T], raw: Any, *, any_year: bool = False) -> T:
    """Return the same from plain JSON of which nothing is known. ValueError where anything in it is of another type.

    Numbers are finite and no greater than what a clock or a counter holds, counts are not negative, times are aware and
    in a year far from the ends of the calendar unless `any_year` will do, and text can be encoded.
    """
    place: Any = kind
    try:
        made: T = _strict_table(place, _utc_time if any_year else _near_time)(raw)
    except (TypeError, KeyError, AttributeError, OverflowError, RecursionError) as exc:
        raise ValueError(f"of another type: {type(exc).__name__}") from exc
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


# What a double holds exactly; seconds in three thousand years; years that are far from the ends of the calendar.
MAX_COUNT, MAX_NUMBER = 2**53, 1e11
FIRST_YEAR, LAST_YEAR = 1970, 9000
_UNIONS = (Union, UnionType)
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
    converters = [_converter(choice) for choice in choices] if origin in _UNIONS else [_as_it_is]
    if len(converters) > 1 and set(converters) - {_as_it_is, float}:
        raise TypeError(f"an ambiguous union: {kind}")
    convert = converters[0] if len(converters) == 1 else _as_it_is
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


@cache
def _strict_table(kind: Any, time: Callable[[Any], datetime]) -> Callable[[Any], Any]:
    """Return what makes a named tuple or dataclass from a table, and tests every value."""
    hints = get_type_hints(kind)
    names = kind._fields if hasattr(kind, "_fields") else [field.name for field in fields(kind)]
    places = [(name, _strict(hints[name], time)) for name in names]

    def convert(raw: Any) -> Any:
        if type(raw) is not dict:
            raise ValueError("no table")
        return kind(**{name: convert_field(raw[name]) for name, convert_field in places if name in raw})

    return convert


def _strict(kind: Any, time: Callable[[Any], datetime]) -> Callable[[Any], Any]:
    """Return what makes a value of this type from plain JSON, and raises ValueError for any other."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (dict, Mapping):
        convert_value = _strict(arguments[1], time)
        return lambda raw: {_text(key): convert_value(item) for key, item in _of(dict, raw).items()}
    if origin is tuple:
        if arguments[1:] != (...,):
            raise TypeError(f"a tuple of a fixed length: {kind}")
        convert_item = _strict(arguments[0], time)
        return lambda raw: tuple(map(convert_item, _of(list, raw)))
    if origin in _UNIONS:
        choices = [choice for choice in arguments if choice is not NoneType]
        if len(choices) != 1 or len(arguments) != 2:
            raise TypeError(f"an ambiguous union: {kind}")
        convert = _strict(choices[0], time)
        return lambda raw: None if raw is None else convert(raw)
    if is_dataclass(kind) or hasattr(kind, "_fields"):
        return lambda raw: _strict_table(kind, time)(raw)
    if kind is datetime:
        return time
    return _SCALARS[kind] if kind in _SCALARS else _enumeration(kind)


def _of(kind: type[T], raw: Any) -> T:
    if type(raw) is not kind:
        raise ValueError(f"no {kind.__name__}")
    made: T = raw
    return made


# These are called for each value of each probe of two days, at every start.
def _text(raw: Any) -> str:
    if type(raw) is not str:
        raise ValueError("no text")
    if not raw.isascii():
        raw.encode()  # half of a surrogate pair could be written down, but never sent
    return raw


def _count(raw: Any) -> int:
    if type(raw) is not int:
        raise ValueError("no whole number")
    if not 0 <= raw <= MAX_COUNT:
        raise ValueError("a number beyond all bounds")
    return raw


def _number(raw: Any) -> float:
    value = float(raw if type(raw) is int else _of(float, raw))
    if not -MAX_NUMBER <= value <= MAX_NUMBER:  # NaN is neither
        raise ValueError("a number beyond all bounds")
    return value


def _utc_time(raw: Any) -> datetime:
    if type(raw) is not str:
        raise ValueError("no time")
    return _utc(datetime.fromisoformat(raw))


def _near_time(raw: Any) -> datetime:
    at = _utc_time(raw)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError("a time of another age")
    return at


def _enumeration(kind: Any) -> Callable[[Any], Any]:
    if not issubclass(kind, Enum):
        raise TypeError(f"a type that no file holds: {kind}")
    return lambda raw: kind(_of(str, raw))


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"a time without its zone: {at}")
    try:
        return at.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"a time that UTC cannot hold: {at}") from exc


_SCALARS: Mapping[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _count,
    float: _number,
    bool: lambda raw: _of(bool, raw),
}

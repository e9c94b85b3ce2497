"""Declaration of the parts of a configuration: types, constraints, descriptions.

A part is a dataclass; its constraints are markers in `Annotated` that only validation reads (typedjson/validate.py). So
the command starts without pydantic as long as the configuration has not changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, dataclass_transform

from mailmon.text import format_duration, parse_duration

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic_core import CoreSchema

T = TypeVar("T")
BEYOND = 1e15


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass with keyword arguments that nobody compares or prints.

    One constructor for all takes a third of the time of one made for each, and every run starts with them.
    """
    made = dataclass(init=False, kw_only=True, eq=False, repr=False)(cls)
    made.__init__ = _initialise  # type: ignore[method-assign]
    made.__setattr__ = _refuse  # type: ignore[method-assign]
    return made


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def options(cls: type[T]) -> type[T]:
    """Make a class a part of the configuration: `frozen`, unknown keys refused, `ALIASES` as its keys in the file."""
    aliases: dict[str, str] = getattr(cls, "ALIASES", {})
    made = frozen(cls)
    made.__pydantic_config__ = {  # type: ignore[attr-defined]
        "extra": "forbid",
        "hide_input_in_errors": True,
        "alias_generator": lambda name: aliases.get(name, name),
    }
    return made


def _initialise(self: Any, **values: Any) -> None:
    """Take the values of an instance, as a dataclass does."""
    taken = self.__dict__
    for own in fields(self):
        if own.name in values:
            taken[own.name] = values.pop(own.name)
        elif own.default is not MISSING:
            taken[own.name] = own.default
        elif own.default_factory is not MISSING:
            taken[own.name] = own.default_factory()
        else:
            raise TypeError(f"{type(self).__name__}: {own.name} is missing")
    if values:
        raise TypeError(f"{type(self).__name__}: there is no {', '.join(values)}")
    if finish := getattr(self, "__post_init__", None):
        finish()


def _refuse(self: Any, name: str, _value: Any) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


class _Constraint:
    """A constraint on a value. `problem` returns what is wrong, "" where nothing is."""

    schema: Mapping[str, Any] = MappingProxyType({})

    def problem(self, value: Any) -> str:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core import PydanticCustomError, core_schema

        def check(value: Any) -> Any:
            if problem := self.problem(value):
                raise PydanticCustomError("constraint", "{problem}", {"problem": problem})
            return value

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), **self.schema}


class Between(_Constraint):
    """A number from `low` to `high`."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.schema = {"minimum": low, "maximum": high}

    def problem(self, value: float) -> str:
        if self.low <= value <= self.high:
            return ""
        got = f"{value:g}" if abs(value) < BEYOND else "a number beyond all bounds"
        return f"must be between {self.low:g} and {self.high:g}, got {got}"


class Lasting(_Constraint):
    """A duration of `high` seconds at most: a number of seconds, or text like `30m` (see `parse_duration`)."""

    def __init__(self, high: float) -> None:
        self.high = high

    def problem(self, value: float | str) -> str:
        try:
            seconds = parse_duration(value) if isinstance(value, str) else value
        except ValueError as exc:
            return str(exc)
        return "" if 0 <= seconds <= self.high else f"must be between 0 and {format_duration(self.high)}"


class Matching(_Constraint):
    """A string of a certain shape; `what` says which. `is_secret` keeps a wrong value out of the message."""

    def __init__(self, pattern: str, what: str, *, is_secret: bool = False) -> None:
        self.pattern, self.what, self.is_secret = pattern, what, is_secret

    def problem(self, value: str) -> str:
        if re.fullmatch(self.pattern, value, re.ASCII):
            return ""
        may_hold_login = "://" in value and "@" in value
        return f"must be {self.what}" + ("" if self.is_secret or may_hold_login else f", got {value[:80]!r}")


class Mailbox(_Constraint):
    """A mail address, in whatever script (RFC 6531)."""

    def problem(self, value: str) -> str:
        from mailmon.mail.message.address import wire_address

        try:
            wire_address(value)
        except ValueError as exc:
            return f"{exc}, got {value[:80]!r}"
        return ""


class About(_Constraint):
    """The description of an option, for the schema and the documentation."""

    def __init__(self, text: str) -> None:
        self.schema = {"description": text}

    def problem(self, value: Any) -> str:
        return ""


_LOCAL_PART, _DOMAIN = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
# A host name of several labels, and an address literal (RFC 5321 sections 2.3.5 and 4.1.3).
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HELO_NAME = rf"(?!.{{254}})(?:{_LABEL}\.){{1,126}}(?=[A-Za-z]){_LABEL}"
HELO_LITERAL = r"\[(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}|IPv6:[0-9A-Fa-f:.]{2,45})\]"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"

Port = Annotated[int, Between(1, 65535)]
Duration = Annotated[float | str, Lasting(366 * 86400)]
Word = Annotated[str, Matching(r"[^\x00]*", "text without NUL")]
FileName = Annotated[str, Matching(r"[^\x00]+", "the name of a file")]
Timeout = Annotated[float, Between(1, 3600)]
HostPort = Annotated[
    str,
    Matching(
        r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5}(?::[a-z0-9]+)?)?|[0-9A-Fa-f:.]+",
        "HOST, HOST:PORT or HOST:PORT:KIND",
    ),
]
Host = Annotated[
    str, Matching(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]+", "a host name or an IP address")
]
Helo = Annotated[str, Matching(f"{HELO_NAME}|{HELO_LITERAL}", "a full host name or an address literal ([192.0.2.1])")]
Address = Annotated[str, Matching(f"{_LOCAL_PART}@{_DOMAIN}", "a mail address of ASCII characters (user@example.org)")]
AnyAddress = Annotated[str, Mailbox()]
# In any script; sent in modified UTF-7 (mail/folder_names.py).
Folder = Annotated[
    str,
    Matching(
        r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}", "a folder name of 1 to 200 printable characters"
    ),
]
Name = Annotated[str, Matching(_NAME, "a name of letters, digits, '_', '.' and '-'")]
ZoneName = Annotated[str, Matching(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", "a DNS zone")]
Digest = Annotated[
    str, Matching(r"\s*(?:[0-9A-Fa-f]{2}:?){32}\s*", "a SHA-256 digest of 64 hexadecimal digits, colons allowed")
]
Url = Annotated[
    str,
    Matching(
        r"https?://[^\s/?#@]+(?:/\S*)?", "a URL that begins with https:// or http://, without a login", is_secret=True
    ),
]
SecretText = Annotated[str, Matching(r"[^\x00\r\n]+", "one line of text that is not empty", is_secret=True)]


def seconds(duration: float | str) -> float:
    """Return the seconds of a duration.

    >>> seconds("30m"), seconds(90)
    (1800.0, 90.0)
    """
    return parse_duration(duration) if isinstance(duration, str) else float(duration)

"""What types do configuration values have, and what does a wrong one say?"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?", re.ASCII
)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


class Options(BaseModel):
    """A part of the configuration: unknown keys are refused, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=False)


def between(low: float, high: float) -> AfterValidator:
    """Return a validator that says both ends of the range at once."""

    def check(value: float) -> float:
        if not low <= value <= high:
            context = {"low": f"{low:g}", "high": f"{high:g}", "value": f"{value:g}"}
            raise PydanticCustomError("range", "must be between {low} and {high}, got {value}", context)
        return value

    return AfterValidator(check)


def matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    """Return a validator for a whole string, with words for what it must be."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise PydanticCustomError("shape", "must be {what}, got {value}", {"what": what, "value": repr(value[:80])})
        return value

    return AfterValidator(check)


def _digest(value: str) -> str:
    digest = value.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise PydanticCustomError("shape", "must be a SHA-256 digest of 64 hexadecimal digits", {})
    return digest


def _url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s]*)?", value):
        raise PydanticCustomError("shape", "must be a URL that begins with https:// or http://, without a login", {})
    return value


def _argv(value: object) -> object:
    if isinstance(value, str):
        raise PydanticCustomError("argv", "must be a list of words, not one string: no shell is involved", {})
    return value


Port = Annotated[int, between(1, 65535), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})]
Timeout = Annotated[float, between(1, 3600), WithJsonSchema({"type": "number", "minimum": 1, "maximum": 3600})]
Host = Annotated[str, matching(_HOST, "a host name or an IP address")]
Address = Annotated[str, matching(_ADDRESS, "a mail address of ASCII characters (user@example.org)")]
Name = Annotated[str, matching(_NAME, "a name of letters, digits, '_', '.' and '-'")]
Digest = Annotated[str, AfterValidator(_digest)]
Url = Annotated[str, AfterValidator(_url)]
Argv = Annotated[list[str], BeforeValidator(_argv), Field(min_length=1)]

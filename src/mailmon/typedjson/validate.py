"""Validation of plain JSON against a dataclass, by pydantic; only for what was not checked before."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails


def find_errors(kind: Any, raw: Any) -> list[ErrorDetails]:
    """Return every mistake in `raw`, none when it fits. Strict: no text is taken for a number."""
    try:
        TypeAdapter(kind).validate_json(json.dumps(raw), strict=True)
    except ValidationError as exc:
        return exc.errors(include_url=False, include_input=False)
    return []


def json_schema(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a dataclass."""
    return TypeAdapter(kind).json_schema(by_alias=True)

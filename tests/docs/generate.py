"""Write the generated parts of the documentation: `python -m tests.docs.generate`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mailmon.cli.config import complete_schema
from mailmon.config import flat
from mailmon.notify import NOTIFIERS
from mailmon.typedjson.validate import json_schema

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "configuration.md"
BEGIN, END = "<!-- generated: make docs -->", "<!-- end of the generated part -->"

# The parts in the order in which a reader wants them: (heading, definition).
_ACCOUNTS_AND_ROUTES = (
    ("The whole file", ""),
    ("`accounts.<name>`", "AccountOptions"),
    ("`accounts.<name>.smtp`", "SmtpOptions"),
    ("`accounts.<name>.imap`", "ImapOptions"),
    ("`accounts.<name>.pop3`", "Pop3Options"),
    ("`accounts.<name>.bounces`", "BounceOptions"),
    ("`accounts.<name>.bounces.test`", "BounceFolderOptions"),
    ("`accounts.<name>.oauth`", "OAuthOptions"),
    ("`routes.<name>`", "RouteOptions"),
    ("`routes.<name>.expect`", "ExpectOptions"),
)
_OTHERS = (
    ("`bounce_notices`", "NoticeOptions"),
    ("`ping`", "PingOptions"),
    ("`dns`", "DnsOptions"),
    ("`limits`", "LimitOptions"),
)


def _parts(definitions: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield all parts; those of checks and channels as they are registered."""
    yield from _ACCOUNTS_AND_ROUTES
    checks: dict[str, list[str]] = {}
    for name, option in definitions["ChecksOptions"]["properties"].items():
        checks.setdefault(_name_of(option), []).append(name)
    for definition, names in checks.items():
        yield ", ".join(f"`checks.{name}`" for name in names), definition
        for key, option in definitions[definition]["properties"].items():
            if "$ref" in (entry := option.get("additionalProperties") or {}):
                yield f"`checks.{names[0]}.{key}.<name>`", _name_of(entry)
    for name, notifier in NOTIFIERS.items():
        yield f"`notify.<name>`, type {name}", notifier.options.__name__
    yield from _OTHERS


def _name_of(option: dict[str, Any]) -> str:
    return str(option["$ref"]).rpartition("/")[2]


def reference() -> str:
    """Return the tables of all options."""
    return "\n".join(_lines()).rstrip() + "\n"


def page_with(generated: str, page: str) -> str:
    """Return a page with its generated part replaced."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{generated}\n{END}{tail}"


def _lines() -> Iterator[str]:
    schema = complete_schema(json_schema)
    definitions = schema["$defs"]
    for heading, name in _parts(definitions):
        part = definitions[name] if name else schema
        yield f"### {heading}\n"
        if name:
            yield f"{part['description']}\n"
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        for key, option in part["properties"].items():
            if (name or key not in flat.KEYS) and "const" not in option:
                needed = key in part.get("required", ()) or (not name and key == "accounts")
                default = "**required**" if needed else _default(option)
                yield f"| `{key}` | {_type(option, definitions)} | {default} | {_meaning(option, definitions)} |"
        yield ""
    yield "### The flat keys\n"
    yield "| key | stands for |"
    yield "|---|---|"
    for key in flat.KEYS:
        yield f"| `{key}` | {' and '.join('`' + '.'.join(place) + '`' for place in flat.places(key))} |"


def _type(option: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in option:
        name = option["$ref"].rpartition("/")[2]
        target = definitions[name]
        return " or ".join(f"`{value}`" for value in target["enum"]) if "enum" in target else "table"
    if "anyOf" in option:
        kinds = [_type(kind, definitions) for kind in option["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in option:
        return " or ".join(f"`{value}`" for value in option["enum"])
    if "const" in option:
        return f'`"{option["const"]}"`'
    names = {"object": "table", "array": "list", "integer": "integer", "number": "number", "boolean": "true or false"}
    kind = names.get(str(option.get("type")), "text")
    low, high = option.get("minimum"), option.get("maximum")
    return f"{kind}, {_number(low)} to {_number(high)}" if low is not None and high is not None else kind


def _number(value: float) -> str:
    """Return a number as the file writes it: 25000000, not 2.5e+07."""
    return str(int(value)) if float(value).is_integer() else str(value)


def _default(option: dict[str, Any]) -> str:
    default = option.get("default")
    if default in (None, [], "") or isinstance(default, dict):
        return "–"
    if isinstance(default, int | float) and not isinstance(default, bool):
        return f"`{_number(default)}`"
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def _meaning(option: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "description" in option:
        return str(option["description"])
    for variant in (option, *option.get("anyOf", ()), *option.get("allOf", ())):
        if "$ref" in variant:
            return str(definitions[variant["$ref"].rpartition("/")[2]].get("description", ""))
    return ""


if __name__ == "__main__":
    PAGE.write_text(page_with(reference(), PAGE.read_text("utf-8")), "utf-8")

"""`mailmon config`: validate the configuration, print its schema or an example."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from mailmon.cli import common
from mailmon.config import flat
from mailmon.config.models import complete_config
from mailmon.config.placeholders import placeholders
from mailmon.errors import ConfigError
from mailmon.notify import NOTIFIERS
from mailmon.text import count

_EXAMPLE = Path(__file__).parent.parent / "config" / "example.json"


@click.group("config", short_help="Validate the configuration; print its schema or an example.")
def config() -> None:
    """Validate the configuration; print its schema or an example."""


@config.command("validate", short_help="Report all mistakes in the configuration.")
@click.option(
    "--no-secrets", is_flag=True, help="Do not read password files and other secrets, for example on a build machine."
)
@common.verbose_option
@common.common_options
def validate(no_secrets: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Report all mistakes in the configuration at once. Exits 78 if there are any."""
    del color
    path = common.config_file(config_path)
    setup = common.load_setup(config_path, with_secrets=not no_secrets, must_check=True, uses_state=False)
    without_channel = [warning for warning in setup.warnings if warning.startswith("no alert channel")]
    if without_channel:
        raise ConfigError(str(path or "options"), [f"notify: {without_channel[0]}"])
    for warning in setup.warnings:
        common.warn(warning)
    if as_json:
        places = {"file": str(path), "state_file": str(setup.state_file)}
        common.print_json({"schema": "mailmon/config/1", **places, "warnings": list(setup.warnings)})
        return
    parts = (("account", setup.accounts), ("route", setup.routes), ("channel", setup.channels))
    counts = ", ".join(count(len(things), word) for word, things in parts)
    common.say(f"{path}: valid ({counts}; a run takes at most {setup.deadline_s:g} s)")
    common.say(f"state: {setup.state_file}")


@config.command("schema", short_help="Print the JSON Schema of the configuration.")
def schema() -> None:
    """Print the JSON Schema of the configuration, including the flat keys."""
    from mailmon.typedjson.validate import json_schema

    common.print_json(complete_schema(json_schema))


@config.command("example", short_help="Print an example configuration.")
@click.option("--flat", "form", flag_value="flat", help="Print only the flat form: one server in a few lines.")
@click.option("--full", "form", flag_value="full", help="Print only the full form.")
def example(form: str | None) -> None:
    """Print an example configuration in both forms, or in one of them.

    Replace its hosts, addresses and files: they are placeholders, and `config validate` lists those that are left. The
    flat form is enough for one server.
    """
    document: dict[str, Any] = json.loads(_EXAMPLE.read_text("utf-8"))
    if form:
        document = {key: value for key, value in document.items() if (key in flat.KEYS) == (form == "flat")}
    common.print_json(document)
    if sys.stderr.isatty():
        for line in placeholders(document):
            common.say(line, err=True)


def complete_schema(json_schema: Any) -> dict[str, Any]:
    """Return the schema of the whole file: the full form, its channels, and the flat keys."""
    document: dict[str, Any] = json_schema(complete_config())
    definitions = document.setdefault("$defs", {})
    for notifier in NOTIFIERS.values():
        part = json_schema(notifier.options)
        definitions.update(part.pop("$defs", {}))
        definitions[notifier.options.__name__] = part
    properties = document["properties"]
    channels = [{"$ref": f"#/$defs/{notifier.options.__name__}"} for notifier in NOTIFIERS.values()]
    description = properties["notify"].get("description", "")
    properties["notify"] = {
        "anyOf": [{"type": "object", "additionalProperties": {"anyOf": channels}}, {"const": "none"}],
        "description": description,
    }
    for key in flat.KEYS:
        properties[key] = {"description": f"Flat form of {' and '.join(map('.'.join, flat.places(key)))}"}
    document.pop("required", None)  # the flat form does without accounts
    return {**document, "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "mailmon"}


COMMAND = config

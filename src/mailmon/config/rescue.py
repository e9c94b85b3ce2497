"""Channels that are usable in an invalid configuration, to alert about just that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailmon.config import flat
from mailmon.config.load import read_source
from mailmon.config.place import place_of
from mailmon.config.secrets import SecretSources, collect_secrets
from mailmon.config.setup import Setup, make_channel
from mailmon.errors import ConfigError
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import AnyChannel
from mailmon.typedjson.convert import build
from mailmon.typedjson.validate import find_errors

DEADLINE_S = 60.0


def rescue(path: Path | None, environ: Mapping[str, str]) -> Setup:
    """Return what can be used of a configuration that has mistakes: its channels, each by itself. Never runs a command.

    Raises ConfigError where the file cannot be read at all, or where it does not say where the state is.
    """
    if path is None:
        raise ConfigError("options", ["no configuration file, so no channel is known"])
    source = read_source(path, environ)
    if source.refusal:
        raise ConfigError(str(path), [f"refused, because {source.refusal}"])
    full, _ = flat.expand(source.document)
    state_file = place_of(full, path, environ).state_file
    sources = SecretSources(path.parent, environ, state_file, refuses_commands=True)
    channels = {}
    for name, table in flat.channels_of(full).items():
        channel = _usable(name, table, path.parent, sources)
        if channel is not None:
            channels[name] = channel
    return Setup(
        accounts={},
        routes={},
        channels=channels,
        ping=None,
        nameservers=(),
        deadline_s=DEADLINE_S,
        state_file=state_file,
        document={},
    )


def _usable(name: str, table: dict[str, Any], base: Path, sources: SecretSources) -> AnyChannel | None:
    """Return one channel, None where it has mistakes of its own or needs what is wrong elsewhere."""
    kind = str(table.get("type"))
    if kind not in NOTIFIERS or kind in ("email", "command") or find_errors(NOTIFIERS[kind].options, table):
        return None
    collected = collect_secrets({"notify": {name: table}}, sources)
    if collected.problems:
        return None
    return make_channel(f"notify.{name}", name, build(NOTIFIERS[kind].options, table), collected.secrets, base)

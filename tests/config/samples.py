"""Configurations as people write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mailmon.config import Overrides, Setup, load, resolve
from mailmon.errors import ConfigError

SENTINEL = "s3ntinel-Value"
PIN = "ab" * 32
FLAT: dict[str, Any] = {
    "smtp_host": "mail.example.org",
    "imap_host": "imap.example.org",
    "username": "monitor@example.org",
    "password": SENTINEL,
}
FULL: dict[str, Any] = {
    "accounts": {
        "main": {
            "address": "monitor@example.org",
            "password": SENTINEL,
            "smtp": {"host": "mail.example.org"},
            "imap": {"host": "imap.example.org"},
        },
    },
    "routes": {"main": {"from": "main", "to": "monitor@example.org", "in": "main"}},
}


def changed(document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a deep copy with values set by path, `__` for the dots; a value of `...` takes the key away."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for path, value in changes.items():
        *steps, last = path.split("__")
        table = copy
        for step in steps:
            table = table.setdefault(step, {})
        if value is ...:
            table.pop(last, None)
        else:
            table[last] = value
    return copy


def write(directory: Path, document: object) -> Path:
    """Write a configuration that only its owner can read, its state beside it."""
    path = directory / "config.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    path.chmod(0o600)
    return path


def set_up(
    directory: Path,
    document: object,
    overrides: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    nameservers: tuple[str, ...] = (),
) -> Setup:
    """Load and resolve a configuration."""
    path = write(directory, document)
    surroundings = {"HOME": str(directory), **(environ or {})}
    loaded = load(path, Overrides(overrides or {}, nameservers), surroundings)
    return resolve(loaded, path, surroundings)


def problems(directory: Path, document: object, overrides: Mapping[str, Any] | None = None, **more: Any) -> list[str]:
    """Return the mistakes in a configuration; none of them may quote a credential."""
    with pytest.raises(ConfigError) as caught:
        set_up(directory, document, overrides, **more)
    assert SENTINEL not in f"{caught.value.message} {caught.value.advice}"
    assert caught.value.exit_code == 78
    assert all(line.startswith(f"{directory}/config.json: ") for line in caught.value.message.splitlines())
    return caught.value.problems

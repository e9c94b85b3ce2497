"""Where is the configuration, and what is wrong with it? Defaults < file < environment < options; all mistakes at once.

No value of a credential is ever quoted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailmon.config import flat
from mailmon.config.models import Config
from mailmon.config.problems import describe, did_you_mean
from mailmon.errors import ConfigError

MAX_BYTES = 4 * 1024 * 1024

# What an option or an environment variable may override: flat keys, and where they belong in a full form that has
# just one account or one route ("*" stands for its name).
_OVERRIDES: dict[str, tuple[str, ...]] = {
    **{key: tuple("*" if step == flat.NAME else step for step in path) for key, path in flat.PLACES.items()},
    "receive_timeout": ("routes", "*", "receive_timeout_s"),
    "state_file": ("state_file",),
}
_PASSWORD_KEYS = ("password", "password_file", "password_command")


@dataclass(frozen=True, slots=True)
class Overrides:
    """Values by flat key that take the place of those in the file; None where nothing was said."""

    values: Mapping[str, Any] = field(default_factory=dict)
    nameservers: tuple[str, ...] = ()


def find_file(explicit: str | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file to read, None where there is none. Raises ConfigError for a named one missing."""
    named = explicit or environ.get("MAILMON_CONFIG")
    if named:
        return Path(named)
    home = environ.get("XDG_CONFIG_HOME") or (f"{environ['HOME']}/.config" if environ.get("HOME") else None)
    places = [Path("/etc/mailmon/config.json"), *([Path(home) / "mailmon/config.json"] if home else [])]
    return next((path for path in places if path.exists()), None)


def load(path: Path | None, overrides: Overrides) -> Config:
    """Read, merge and check the configuration. Raises ConfigError with every mistake."""
    source = str(path) if path else "options"
    document = _read(path) if path else {}
    problems = _override(document, overrides)
    full, more = flat.expand(document)
    problems += more
    flat_keys = [key for key in document if key in flat.PLACES]
    try:
        config = Config.model_validate(full)
    except ValidationError as exc:
        problems += [text for error in exc.errors(include_url=False) if (text := describe(error, flat_keys, problems))]
        raise ConfigError(source, problems, _advice(path)) from None
    problems += _references(config)
    if problems:
        raise ConfigError(source, problems, _advice(path))
    return config


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise ConfigError(str(path), [f"is larger than {MAX_BYTES} bytes"])
        document = json.loads(raw, object_pairs_hook=_without_duplicates)
    except OSError as exc:
        raise ConfigError(str(path), [f"cannot be read: {exc.strerror}"], "Give the right file by --config.") from exc
    except json.JSONDecodeError as exc:
        raise ConfigError(str(path), [f"line {exc.lineno} column {exc.colno}: not JSON: {exc.msg}"]) from None
    except _DuplicateKeyError as exc:
        raise ConfigError(str(path), [f"the key {exc} stands twice in one table"]) from None
    except (ValueError, RecursionError) as exc:
        raise ConfigError(str(path), [f"not JSON in UTF-8 ({type(exc).__name__})"]) from None
    if not isinstance(document, dict):
        raise ConfigError(str(path), ["must be one JSON object: { ... }"])
    return document


class _DuplicateKeyError(Exception):
    pass


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise _DuplicateKeyError(repr(key[:80]))
        table[key] = value
    return table


def _override(document: dict[str, Any], overrides: Overrides) -> list[str]:
    """Put the overrides into a document, flat or full. Returns what could not be placed."""
    problems = []
    is_full = isinstance(document.get("accounts"), dict) and not flat.is_flat(document)
    for key, value in overrides.values.items():
        if value is None:
            continue
        if not is_full or _OVERRIDES[key] == (key,):
            if key in _PASSWORD_KEYS:
                _forget_passwords(document)
            document[key] = value
        elif problem := _override_full(document, key, value):
            problems.append(problem)
    if overrides.nameservers:
        document["dns"] = {"nameservers": list(overrides.nameservers)}
    return problems


def _override_full(document: dict[str, Any], key: str, value: object) -> str:
    *steps, last = _OVERRIDES[key]
    table: Any = document
    for step in steps:
        if step == "*":
            if not isinstance(table, dict) or len(table) != 1:
                return f"--{key.replace('_', '-')}: which one of several {steps[0]}? Set it in the file"
            step = next(iter(table))
        table = table.setdefault(step, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return f"--{key.replace('_', '-')}: {'.'.join(steps)} in the file is not a table"
    if key in _PASSWORD_KEYS:
        _forget_passwords(table)
    if key == "ntfy_topic":
        table.pop("topic_file", None)
    table[last] = value
    return ""


def _forget_passwords(table: dict[str, Any]) -> None:
    for key in _PASSWORD_KEYS:
        table.pop(key, None)


def _references(config: Config) -> list[str]:
    """Return what routes name that is not there."""
    problems = []
    for name, route in config.routes.items():
        for key, account, service in (("from", route.sender, "smtp"), ("in", route.reader, "imap")):
            if account not in config.accounts:
                problems.append(
                    f"routes.{name}.{key}: there is no account {account!r}{did_you_mean(account, config.accounts)}"
                )
            elif getattr(config.accounts[account], service) is None:
                problems.append(f"routes.{name}.{key}: accounts.{account} has no {service} server")
    longest_s = longest_wait_s(config)
    if config.deadline_s is not None and config.deadline_s < longest_s + 30:
        problems.append(
            f"deadline_s: must be at least {longest_s + 30:g}, 30 more than the longest receive timeout, "
            f"got {config.deadline_s:g}"
        )
    return problems


def longest_wait_s(config: Config) -> float:
    """Return the longest receive timeout of all routes, in seconds."""
    default_s = config.checks.receive.timeout_s
    return max((route.receive_timeout_s or default_s for route in config.routes.values()), default=default_s)


def _advice(path: Path | None) -> str:
    if path is None:
        return "No configuration file was found; `mailmon config example` prints one for /etc/mailmon/config.json."
    return ""


def environment_overrides(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values that the environment gives: MAILMON_SMTP_HOST for smtp_host, and so on."""
    names = {key: f"MAILMON_{key.upper()}" for key in _OVERRIDES if key != "password_command"}
    return {key: environ[name] for key, name in names.items() if environ.get(name)}

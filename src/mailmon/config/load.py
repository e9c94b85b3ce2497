"""Finding, merging and checking the configuration: defaults < file < environment < options; all mistakes at once.

No value of a credential is ever quoted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mailmon.checks.options import CheckOptions
from mailmon.config import flat
from mailmon.config.checks import build_options
from mailmon.config.contradictions import find_contradictions, without_second_minimum
from mailmon.config.models import Config
from mailmon.config.place import default_files, place_of
from mailmon.config.secrets import SecretSources, collect_secrets
from mailmon.config.trust import risk_of, trusted_users
from mailmon.errors import ConfigError
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import ChannelOptions
from mailmon.safe import open_checked
from mailmon.store.belonging import Place
from mailmon.store.checked import was_checked
from mailmon.text import visible
from mailmon.typedjson.convert import build

MAX_BYTES = 4 * 1024 * 1024

# What an option or an environment variable may override: flat keys, and where they belong in a full form that has
# just one account or one route ("*" stands for its name).
_OVERRIDES: dict[str, tuple[tuple[str, ...], ...]] = {
    **{
        key: tuple(tuple("*" if step == flat.NAME else step for step in path) for path in flat.places(key))
        for key in flat.KEYS
    },
    "receive_timeout": (("routes", "*", "receive_timeout_s"),),
    "state_file": (("state_file",),),
}
# A list of words and a table are no text in a variable.
_NO_VARIABLE = ("password_command", "token_command", "oauth")
_NUMBERS = (
    *("smtp_port", "imap_port", "receive_timeout", "warning_delivery_s", "critical_delivery_s"),
    *("failure_threshold", "success_threshold", "unknown_threshold"),
)
_PASSWORD_KEYS = (
    *("password", "password_file", "password_command"),
    *("token", "token_file", "token_command", "oauth"),
)


class Overrides(NamedTuple):
    """Values by flat key that override those in the file; None where none is given."""

    values: Mapping[str, Any] = MappingProxyType({})
    nameservers: tuple[str, ...] = ()
    # What each value is called where it was given: MAILMON_SMTP_PORT or --smtp-port.
    origins: Mapping[str, str] = MappingProxyType({})


def find_file(explicit: str | None, environ: Mapping[str, str]) -> Path | None:
    """Return the configuration file to read, None where there is none. Raises ConfigError for a named one missing."""
    named = explicit or environ.get("MAILMON_CONFIG")
    if named:
        return Path(named)
    return next((path for path in default_files(environ) if _exists(path)), None)


class Loaded(NamedTuple):
    """A configuration without mistakes, the options of the checks and channels that it names, and its full form."""

    config: Config
    checks: Mapping[str, CheckOptions]
    channels: Mapping[str, ChannelOptions]
    document: dict[str, Any]
    place: Place
    source: Source
    flat_keys: tuple[str, ...] = ()
    origins: Mapping[str, str] = MappingProxyType({})

    @property
    def state_file(self) -> Path:
        """Return where the state file is."""
        return self.place.state_file


class Source(NamedTuple):
    """A configuration file as it was read.

    `risk` is why it must not name a command, `refusal` why it must not be used at all, "" where nothing is wrong.
    """

    document: dict[str, Any]
    risk: str = ""
    refusal: str = ""
    is_readable_by_others: bool = False


def load(
    path: Path | None,
    overrides: Overrides,
    environ: Mapping[str, str],
    *,
    must_check: bool = False,
    with_secrets: bool = True,
) -> Loaded:
    """Read, merge and check the configuration. Raises ConfigError with every mistake.

    A configuration that an earlier run with the same state has checked is taken as it is, unless it `must` be checked.
    """
    name = str(path) if path else "options"
    try:
        source = read_source(path, environ) if path else Source({})
        full, problems = _merge(source.document, overrides, environ)
        place, loaded = place_of(full, path, environ), None
        state_file = place.state_file
        flat_keys = tuple(key for key in source.document if key in flat.KEYS)
        problems += find_contradictions(full, state_file, path, flat_keys, problems)
        # What will be refused is not checked, and the state that it names is not read.
        if not problems and not must_check and (source.refusal or was_checked(state_file, full)):
            loaded = _build(full, place, source)
        if loaded is None:
            from mailmon.config.problems import find_problems

            problems += without_second_minimum(find_problems(full, flat_keys), problems)
            loaded = None if problems else _build(full, place, source)
        if loaded is None and source.refusal:
            problems = [f"refused, because {source.refusal}"]
        elif loaded is None and with_secrets:
            sources = SecretSources(path.parent if path else Path(), environ, state_file, bool(source.risk))
            problems += [flat.in_form(one, flat_keys) for one in collect_secrets(full, sources).problems]
    except RecursionError:
        raise ConfigError(name, ["is nested too deeply"]) from None
    if loaded is None:
        problems = problems or ["accepted by an earlier version, but not usable by this one: please report this"]
        raise ConfigError.of(
            by_source(name, [visible(one, 1000) for one in problems], overrides.origins, full), _advice(path, environ)
        )
    return loaded._replace(flat_keys=flat_keys, origins=overrides.origins)


def _merge(
    written: dict[str, Any], overrides: Overrides, environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """Return the full form of what is written, with the options and variables in it, and what is wrong so far."""
    problems = _override(written, overrides)
    full, more = flat.expand(written)
    if environ.get("MAILMON_PING_URL"):  # a line in a crontab is all that it takes
        full.setdefault("ping", {})
    return full, [*problems, *more]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _build(full: dict[str, Any], place: Place, source: Source) -> Loaded | None:
    """Return the configuration, None where it was checked by a version that wanted something else."""
    try:
        config, checks = build(Config, full), build_options(full)
        options = {name: build(NOTIFIERS[c["type"]].options, c) for name, c in flat.channels_of(full).items()}
    except (TypeError, ValueError, KeyError, AttributeError):
        return None
    return Loaded(config, checks, options, full, place, source)


def read_source(path: Path, environ: Mapping[str, str]) -> Source:
    """Read a configuration file, and determine who could have written it. Raises ConfigError.

    Root refuses what others can write: it would read and write files for them. For anybody else that matters only where
    the configuration names a command.
    """
    trusted = trusted_users(environ)
    try:
        opened = open_checked(path, trusted)
        with os.fdopen(opened.descriptor, "rb") as file:
            document = _parsed(path, file.read(MAX_BYTES + 1))
    except OSError as exc:
        from mailmon.config.access import unreadable

        raise ConfigError(str(path), [f"cannot be read: {exc.strerror}"], unreadable(path, exc, environ)) from exc
    risk = risk_of(opened, path, trusted, is_strict=True)
    refusal = risk_of(opened, path, trusted, is_strict=False) if risk and os.geteuid() == 0 else ""
    return Source(document, risk, refusal, bool(opened.status.st_mode & 0o44))


def _parsed(path: Path, raw: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises ConfigError."""
    try:
        if len(raw) > MAX_BYTES:
            raise ConfigError(str(path), [f"is larger than {MAX_BYTES} bytes"])
        document = json.loads(raw, object_pairs_hook=_without_duplicates)
    except _DuplicateKeyError as exc:
        raise ConfigError(str(path), [f"duplicate key {exc}"]) from None
    except (ValueError, RecursionError) as exc:
        from mailmon.config.syntax import explain

        mistake = explain(raw)
        said = "is nested too deeply" if isinstance(exc, RecursionError) else mistake.problem
        raise ConfigError(str(path), [said], mistake.advice) from None
    if not isinstance(document, dict):
        from mailmon.config.syntax import not_an_object

        mistake = not_an_object(document)
        raise ConfigError(str(path), [mistake.problem], mistake.advice)
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
        if not is_full or _OVERRIDES[key] == ((key,),):
            if key in _PASSWORD_KEYS:
                _forget_passwords(document)
            _forget_place(document, key)
            document[key] = value
        else:
            problems += _override_full(document, key, value)
    if overrides.nameservers:
        document["dns"] = {"nameservers": list(overrides.nameservers)}
    return problems


def _override_full(document: dict[str, Any], key: str, value: object) -> list[str]:
    """Put an override at its place in the full form; one that is for both servers only where there is a server."""
    if key == "tls_sha256" and isinstance(value, str):
        value = value.replace(",", " ").split()
    problems = []
    for path in _OVERRIDES[key]:
        if problem := _override_at(document, key, path, value):
            problems.append(problem)
    return list(dict.fromkeys(problems))


def _override_at(document: dict[str, Any], key: str, path: tuple[str, ...], value: object) -> str:
    *steps, last = path
    table: Any = document
    for step in steps:
        if step == "*":
            if not isinstance(table, dict) or len(table) != 1:
                return f"--{key.replace('_', '-')}: ambiguous with several {steps[0]}: set it in the file"
            step = next(iter(table))
        if key in flat.SHARED and isinstance(table, dict) and step not in table:
            return ""
        table = table.setdefault(step, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return f"--{key.replace('_', '-')}: {'.'.join(steps)} in the file is not a table"
    if key in _PASSWORD_KEYS:
        _forget_passwords(table)
    if key in ("ntfy_topic", "ntfy_topic_file", "ntfy_token", "ntfy_token_file"):
        table.pop(last.removesuffix("_file") if last.endswith("_file") else f"{last}_file", None)
    table[last] = value
    return ""


def _forget_place(document: dict[str, Any], key: str) -> None:
    """Take out what the file says at the place of an override in the full form, its `_file` form included."""
    for path in flat.places(key) if key in flat.KEYS else ():
        table: Any = document
        *steps, last = path
        for step in steps:
            table = table.get(step) if isinstance(table, dict) else None
        for name in (last, f"{last}_file", last.removesuffix("_file")) if isinstance(table, dict) else ():
            table.pop(name, None)
    for pair in (("ntfy_topic", "ntfy_topic_file"), ("ntfy_token", "ntfy_token_file")):
        for other in pair if key in pair else ():
            document.pop(other, None)


def _forget_passwords(table: dict[str, Any]) -> None:
    for key in _PASSWORD_KEYS:
        table.pop(key, None)


def _advice(path: Path | None, environ: Mapping[str, str]) -> str:
    if path is not None:
        return ""
    looked_in = " or ".join(str(place) for place in default_files(environ))
    return f"No configuration file found at {looked_in}; `mailmon config example --flat` prints one."


def by_source(
    name: str, problems: Iterable[str], origins: Mapping[str, str], full: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Return each mistake with the option or variable that it is in, the file's `name` where it is in that."""
    places: dict[str, str] = {}
    for key, origin in origins.items():
        places |= dict.fromkeys((key, f"--{key.replace('_', '-')}"), origin)
        for path in _OVERRIDES[key]:
            tables = full.get(path[0])
            names = tables if "*" in path and isinstance(tables, dict) else ("",)
            places |= {".".join(path).replace("*", str(one)): origin for one in names}
    if full.get("ping") == {}:  # the variable alone says where it is
        places["ping.url"] = "MAILMON_PING_URL"
    placed: list[tuple[str, str]] = []
    for problem in problems:
        place, _, said = problem.partition(": ")
        whole = place.rstrip("0123456789").removesuffix(".")  # of a list that one value stands for
        found = places.get(place) or places.get(whole)
        placed.append((found, said) if found else (name, problem))
    return placed


def variable_names() -> dict[str, str]:
    """Return the environment variables by the flat key whose value they give."""
    return {key: f"MAILMON_{key.upper()}" for key in _OVERRIDES if key not in _NO_VARIABLE}


def environment_overrides(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values that the environment gives: MAILMON_SMTP_HOST for smtp_host, and so on."""
    given = {key: environ[name] for key, name in variable_names().items() if environ.get(name)}
    return {key: _number(text) if key in _NUMBERS else text for key, text in given.items()}


def _number(text: str) -> int | float | str:
    """Return the number that a variable holds; what is none is left for the check to report."""
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text

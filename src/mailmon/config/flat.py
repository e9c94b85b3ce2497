"""The flat form: the keys of the small NixOS monitor, each a short name for a place in the full form.

They are read as the account `main`, the route `main` and the channel `ntfy`, and may stand beside the full form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAME = "main"
ACCOUNT, ROUTE = ("accounts", NAME), ("routes", NAME)
NTFY = ("notify", "ntfy")
DEFAULTS, RECEIVE = ("checks", "defaults"), ("checks", "receive")

PLACES: dict[str, tuple[str, ...]] = {
    "smtp_host": (*ACCOUNT, "smtp", "host"),
    "smtp_port": (*ACCOUNT, "smtp", "port"),
    "smtp_security": (*ACCOUNT, "smtp", "security"),
    "imap_host": (*ACCOUNT, "imap", "host"),
    "imap_port": (*ACCOUNT, "imap", "port"),
    "imap_security": (*ACCOUNT, "imap", "security"),
    "address": (*ACCOUNT, "address"),
    "username": (*ACCOUNT, "username"),
    "password": (*ACCOUNT, "password"),
    "password_file": (*ACCOUNT, "password_file"),
    "password_command": (*ACCOUNT, "password_command"),
    "token": (*ACCOUNT, "token"),
    "token_file": (*ACCOUNT, "token_file"),
    "token_command": (*ACCOUNT, "token_command"),
    "oauth": (*ACCOUNT, "oauth"),
    "helo": (*ACCOUNT, "helo"),
    "test_recipient": (*ROUTE, "to"),
    "receive_timeout": (*ROUTE, "receive_timeout_s"),
    "ntfy_topic": (*NTFY, "topic"),
    "ntfy_topic_file": (*NTFY, "topic_file"),
    "ntfy_server": (*NTFY, "server"),
    "ntfy_token": (*NTFY, "token"),
    "ntfy_token_file": (*NTFY, "token_file"),
    "ntfy_ca_file": (*NTFY, "ca_file"),
    "failure_threshold": (*DEFAULTS, "failure_threshold"),
    "success_threshold": (*DEFAULTS, "success_threshold"),
    "unknown_threshold": (*DEFAULTS, "unknown_threshold"),
    "reminder_interval": (*DEFAULTS, "reminder_interval"),
    "warning_delivery_s": (*RECEIVE, "warning_delivery_s"),
    "critical_delivery_s": (*RECEIVE, "critical_delivery_s"),
}
# Flat keys that hold for both servers.
SHARED: dict[str, tuple[tuple[str, ...], ...]] = {
    key: ((*ACCOUNT, "smtp", key), (*ACCOUNT, "imap", key)) for key in ("ca_file", "tls_sha256")
}
KEYS = (*PLACES, *SHARED)
# What every flat configuration must have.
REQUIRED = ("smtp_host", "imap_host", "username")


def is_flat(document: Mapping[str, Any]) -> bool:
    """Return whether a configuration names a server by flat keys."""
    return any(places(key)[0][0] in ("accounts", "routes") for key in document if key in KEYS)


def is_account(name: str, keys: Sequence[str]) -> bool:
    """Return whether an account is the one that these flat keys of a configuration are for."""
    return name == NAME and any(places(key)[0][:2] == ACCOUNT for key in keys)


def is_channel(name: str, keys: Sequence[str]) -> bool:
    """Return whether a channel is the one that these flat keys of a configuration are for."""
    return name == NTFY[1] and any(places(key)[0][:2] == NTFY for key in keys)


def places(key: str) -> tuple[tuple[str, ...], ...]:
    """Return where a flat key belongs in the full form: at one place, or at one of each server."""
    return SHARED.get(key) or (PLACES[key],)


def expand(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a configuration in the full form, and what is wrong with its flat keys. The input is not changed."""
    full = _copy({key: value for key, value in document.items() if key not in KEYS})
    # The small monitor's module wrote "" for what was not set.
    flat = {key: value for key, value in document.items() if key in KEYS and value not in (None, "")}
    problems: list[str] = []
    if full.get("notify") == {}:
        del full["notify"]  # an empty table is an oversight; only "none" is deliberate
    elif full.get("notify") == "none":
        full["notify"] = {}
    if is_flat(document):
        problems += _strays(document, flat)
        if not problems:
            problems += [f"{key}: missing" for key in REQUIRED if not flat.get(key)]
            problems += _complete(flat, full)
    if "ntfy_server" in flat and not flat.keys() & {"ntfy_topic", "ntfy_topic_file"} and "notify" not in full:
        del flat["ntfy_server"]  # the small monitor always wrote the server, with or without a topic
    for key, value in flat.items():
        if key in SHARED:
            problems += _share(full, key, value, flat)
        elif problem := place(full, PLACES[key], value):
            problems.append(f"{key}: {problem}")
    if is_flat(document) and not document.get("accounts"):
        _alert_at_once(full)
    return full, problems


def place(document: dict[str, Any], path: Sequence[str], value: object) -> str:
    """Set a value in a nested document; return what is in the way, "" when nothing is."""
    table: Any = document
    for number, step in enumerate(path[:-1]):
        table = table.setdefault(step, {})
        if not isinstance(table, dict):
            return f"{'.'.join(path[: number + 1])} is not a table"
    if path[-1] in table:
        return f"is also set as {'.'.join(path)}: remove one of the two"
    table[path[-1]] = value
    return ""


def name_of(path: Sequence[str], flat_keys: Sequence[str]) -> str:
    """Return the place of a problem as the user wrote it: its flat key where that is used, else its path."""
    wanted = tuple(path)
    for key in flat_keys:
        # In the full form a list has places of its own for its members.
        if key in KEYS and any(wanted[: len(one)] == one for one in places(key)):
            return ".".join((key, *wanted[len(places(key)[0]) :]))
    return ".".join(path)


def in_form(text: str, flat_keys: Sequence[str]) -> str:
    """Return a problem or warning that begins with a place in the full form by its flat key, where those are used.

    >>> in_form("accounts.main.password_file: is empty", ["username", "password_file"])
    'password_file: is empty'
    >>> in_form("notify.ntfy.topic_file: is empty", ["username"])
    'notify.ntfy.topic_file: is empty'
    """
    place, colon, rest = text.partition(":")
    path = tuple(place.split("."))
    is_used = any(one[:2] == path[:2] for key in flat_keys if key in KEYS for one in places(key))
    return f"{name_of(path, KEYS)}{colon}{rest}" if is_used else text


def _strays(document: Mapping[str, Any], flat: dict[str, Any]) -> list[str]:
    """Remove flat keys from a configuration whose servers are all in the full form; return the keys to use instead."""
    if not document.get("accounts") or any(flat.get(key) for key in REQUIRED):
        return []
    strays = [key for key in flat if places(key)[0][0] in ("accounts", "routes")]
    for key in strays:
        del flat[key]
    return [f"{key}: is a flat key in a full configuration: use {_in_any(places(key))}" for key in strays]


def _in_any(paths: Sequence[tuple[str, ...]]) -> str:
    return " and ".join(".".join((path[0], "NAME", *path[2:])) for path in paths)


def _share(full: dict[str, Any], key: str, value: object, flat: Mapping[str, Any]) -> list[str]:
    """Set a value at both servers, but for one that is plain and has no certificate; return what is wrong."""
    if key == "tls_sha256" and isinstance(value, str):
        value = value.replace(",", " ").split()
    problems = []
    secured = [path for path in SHARED[key] if flat.get(f"{path[-2]}_security") != "plain"]
    if not secured:
        return [f"{key}: no server has a certificate to check where both are plain: remove it"]
    for path in secured:
        if problem := place(full, path, value):
            problems.append(f"{key}: {problem}")
    return problems


def _complete(flat: dict[str, Any], full: dict[str, Any]) -> list[str]:
    """Add what the flat form implies: address, recipient, and the two ends of the route."""
    username = flat.get("username")
    if "address" not in flat and isinstance(username, str):
        recipient = flat.get("test_recipient")
        if "@" not in username and not recipient:
            return ["username: is not a mail address: also set address"]
        # With a bare login name, the recipient of the probe is the mailbox's address.
        flat["address"] = username if "@" in username else recipient
    flat.setdefault("test_recipient", flat.get("address"))
    for end in ("from", "in"):
        place(full, (*ROUTE, end), NAME)
    return []


def _alert_at_once(full: dict[str, Any]) -> None:
    """Alert on the first failure by default, as the small monitor did."""
    place(full, (*DEFAULTS, "failure_threshold"), 1)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return value


def channels_of(full: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the channels of a configuration with their types: by default a channel's own name."""
    notify = full.get("notify")
    tables = notify.items() if isinstance(notify, dict) else ()
    return {name: {"type": name, **options} for name, options in tables if isinstance(options, dict)}

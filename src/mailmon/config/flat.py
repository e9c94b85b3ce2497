"""The flat form: the keys of the small NixOS monitor, each a short name for a place in the full form.

They are read as the account `main`, the route `main` and the channel `ntfy`, and may stand beside the full form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAME = "main"
ACCOUNT, ROUTE = ("accounts", NAME), ("routes", NAME)
DEFAULTS, RECEIVE = ("checks", "defaults"), ("checks", "receive")

PLACES: dict[str, tuple[str, ...]] = {
    "smtp_host": (*ACCOUNT, "smtp", "host"),
    "smtp_port": (*ACCOUNT, "smtp", "port"),
    "imap_host": (*ACCOUNT, "imap", "host"),
    "imap_port": (*ACCOUNT, "imap", "port"),
    "address": (*ACCOUNT, "address"),
    "username": (*ACCOUNT, "username"),
    "password": (*ACCOUNT, "password"),
    "password_file": (*ACCOUNT, "password_file"),
    "password_command": (*ACCOUNT, "password_command"),
    "helo": (*ACCOUNT, "helo"),
    "test_recipient": (*ROUTE, "to"),
    "receive_timeout": (*ROUTE, "receive_timeout_s"),
    "ntfy_topic": ("notify", "ntfy", "topic"),
    "ntfy_server": ("notify", "ntfy", "server"),
    "failure_threshold": (*DEFAULTS, "failure_threshold"),
    "success_threshold": (*DEFAULTS, "success_threshold"),
    "unknown_threshold": (*DEFAULTS, "unknown_threshold"),
    "reminder_interval": (*DEFAULTS, "reminder_interval"),
    "warning_delivery_s": (*RECEIVE, "warning_delivery_s"),
    "critical_delivery_s": (*RECEIVE, "critical_delivery_s"),
}
# What every flat configuration must say.
REQUIRED = ("smtp_host", "imap_host", "username")


def is_flat(document: dict[str, Any]) -> bool:
    """Say whether a configuration names a server by flat keys."""
    return any(key in PLACES and PLACES[key][0] in ("accounts", "routes") for key in document)


def expand(document: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a configuration in the full form, and what is wrong with its flat keys. The input is not changed."""
    full = _copy({key: value for key, value in document.items() if key not in PLACES})
    # The small monitor's module wrote "" for what was not set.
    flat = {key: value for key, value in document.items() if key in PLACES and value not in (None, "")}
    problems: list[str] = []
    if full.get("notify") == {}:
        del full["notify"]  # an empty table is an oversight, only the word says that it is meant
    elif full.get("notify") == "none":
        full["notify"] = {}
    if is_flat(document):
        problems += [f"{key}: missing" for key in REQUIRED if not flat.get(key)]
        problems += _complete(flat, full)
    if "ntfy_server" in flat and "ntfy_topic" not in flat and "notify" not in full:
        del flat["ntfy_server"]  # the small monitor always wrote the server, with or without a topic
    for key, value in flat.items():
        problem = place(full, PLACES[key], value)
        if problem:
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
    """Return how the person wrote the place of a problem: by its flat key where they used it, else by its path."""
    for key in flat_keys:
        if PLACES.get(key) == tuple(path):
            return key
    return ".".join(path)


def _complete(flat: dict[str, Any], full: dict[str, Any]) -> list[str]:
    """Add what the flat form leaves unsaid: address, recipient, and the two ends of the route."""
    username = flat.get("username")
    if "address" not in flat and isinstance(username, str):
        recipient = flat.get("test_recipient")
        if "@" not in username and not recipient:
            return ["username: is not a mail address; say the mailbox's address by the key address"]
        # Who logs in by a bare name and tests that mailbox has said its address there.
        flat["address"] = username if "@" in username else recipient
    flat.setdefault("test_recipient", flat.get("address"))
    for end in ("from", "in"):
        place(full, (*ROUTE, end), NAME)
    return []


def _alert_at_once(full: dict[str, Any]) -> None:
    """Who says nothing else in the flat form is told of the first failure, as by the small monitor."""
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

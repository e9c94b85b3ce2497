"""Contradictions between parts of a configuration, found in plain JSON so that they join all other mistakes.

What is not a table, a name or a number is left to the schema.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from mailmon.checks import CHECKS
from mailmon.checks.targets import RECEIVE_TIMEOUT_S
from mailmon.config import flat

# What a run needs besides the longest wait for a probe: logging in, and its last 20 s for state and alerts.
MARGIN_S = 30.0


def find_contradictions(
    full: dict[str, Any],
    state_file: Path,
    path: Path | None,
    flat_keys: Sequence[str] = (),
    known: Collection[str] = (),
) -> list[str]:
    """Return all contradictions, each with its place as the user wrote it, without those that only follow from `known`.

    `known` are mistakes in flat keys: without smtp_host the account has no server either.
    """
    return [
        *_references(full, known),
        *_unknown_channels(full),
        *_nothing_to_check(full, known),
        *_too_short(full),
        *_useless_limits(full, flat_keys),
        *_own_state(full, state_file, path),
        *_bounces_unread(full),
        *_notices_unsent(full),
    ]


def longest_wait_s(full: dict[str, Any]) -> float:
    """Return the longest receive timeout of all routes, in seconds."""
    receive = _tables(full.get("checks")).get("receive", {})
    default_s = _number(receive.get("timeout_s")) or RECEIVE_TIMEOUT_S
    waits = [_number(route.get("receive_timeout_s")) or default_s for route in _tables(full.get("routes")).values()]
    return max(waits, default=default_s)


def _references(full: dict[str, Any], known: Collection[str]) -> Iterator[str]:
    accounts = _tables(full.get("accounts"))
    for name, route in _tables(full.get("routes")).items():
        for key, services in (("from", ("smtp",)), ("in", ("imap", "pop3"))):
            account = route.get(key)
            if not isinstance(account, str):
                continue
            if account not in accounts:
                defined = f"defined: {', '.join(accounts)}" if accounts else "none defined"
                yield f"routes.{name}.{key}: unknown account {account!r} ({defined})"
            elif not any(map(accounts[account].get, services)):
                if account == flat.NAME and f"{services[0]}_host: missing" in known:
                    continue
                yield f"routes.{name}.{key}: accounts.{account} has no {' or '.join(services)} server"
            elif key == "in" and route.get("junk_folders") and not accounts[account].get("imap"):
                yield f"routes.{name}.junk_folders: accounts.{account} has no imap server, and POP3 has no folders"


def _unknown_channels(full: dict[str, Any]) -> Iterator[str]:
    """Yield unknown channels of checks, and unknown accounts of channels."""
    channels, accounts = _tables(full.get("notify")), _tables(full.get("accounts"))
    for check, options in _tables(full.get("checks")).items():
        by_severity = options.get("channels")
        for severity, names in by_severity.items() if isinstance(by_severity, dict) else ():
            for name in names if isinstance(names, list) else ():
                if isinstance(name, str) and name not in channels:
                    defined = f"defined: {', '.join(channels)}" if channels else "none defined"
                    yield f"checks.{check}.channels.{severity}: unknown channel {name!r} ({defined})"
    for name, options in channels.items():
        if options.get("type", name) != "email":
            continue
        named = options.get("accounts")
        for account in named if isinstance(named, list) else ():
            if isinstance(account, str) and not accounts.get(account, {}).get("smtp"):
                yield f"notify.{name}.accounts: no account {account!r} with an smtp server"
        if not named and not any(table.get("smtp") for table in accounts.values()):
            yield f"notify.{name}: no account has an smtp server to send through"


def _useless_limits(full: dict[str, Any], flat_keys: Sequence[str]) -> Iterator[str]:
    """Yield limits of the delivery time that can never be reached, for each route, with the place of the limit."""
    receive = _tables(full.get("checks")).get("receive", {})
    found: set[str] = set()
    for name, route in [*_tables(full.get("routes")).items(), ("", {})]:
        limits_s = {"timeout_s": _number(route.get("receive_timeout_s")) or _number(receive.get("timeout_s"))}
        places = {}
        for key in ("warning_delivery_s", "critical_delivery_s"):
            path = ("routes", name, key) if _number(route.get(key)) else ("checks", "receive", key)
            places[key] = flat.name_of(path, flat_keys)
            limits_s[key] = _number(route.get(key)) or _number(receive.get(key))
        limits_s["timeout_s"] = limits_s["timeout_s"] or RECEIVE_TIMEOUT_S
        for lower, higher, said in _LIMITS:
            if limits_s[lower] >= limits_s[higher] > 0:
                got = f"must be less than the {said} ({limits_s[higher]:g}), got {limits_s[lower]:g}"
                found.add(f"{places[lower]}: {got}")
    yield from sorted(found)


_LIMITS = (
    ("warning_delivery_s", "critical_delivery_s", "critical_delivery_s"),
    ("warning_delivery_s", "timeout_s", "receive timeout"),
    ("critical_delivery_s", "timeout_s", "receive timeout"),
)


def _nothing_to_check(full: dict[str, Any], known: Collection[str]) -> Iterator[str]:
    accounts = full.get("accounts")
    has_server = any(t.get("smtp") or t.get("imap") or t.get("pop3") for t in _tables(accounts).values())
    is_known = any(f"{key}: missing" in known for key in flat.REQUIRED)
    if isinstance(accounts, dict) and not has_server and not is_known and not any(CHECKS.own_targets(full)):
        yield "accounts: no account has an smtp, imap or pop3 server: nothing to check"


def _too_short(full: dict[str, Any]) -> Iterator[str]:
    deadline_s, longest_s = _number(full.get("deadline_s")), longest_wait_s(full)
    if deadline_s and deadline_s < longest_s + MARGIN_S:
        yield (
            f"deadline_s: must be at least {longest_s + MARGIN_S:g}, {MARGIN_S:g} more than the longest receive "
            f"timeout, got {deadline_s:g}"
        )


def without_second_minimum(found: Sequence[str], known: Collection[str]) -> list[str]:
    """Return mistakes without that of a deadline whose greater minimum is among the `known` contradictions."""
    is_known = any(one.startswith("deadline_s: ") for one in known)
    return [one for one in found if not (is_known and one.startswith("deadline_s: "))]


def _own_state(full: dict[str, Any], state_file: Path, path: Path | None) -> Iterator[str]:
    if path is not None and "state_file" in full and state_file.absolute() == path.absolute():
        yield "state_file: is the configuration file itself"


def _bounces_unread(full: dict[str, Any]) -> Iterator[str]:
    """Yield folders that cannot be opened, or whose mail would be moved away from probes."""
    for name, account in _tables(full.get("accounts")).items():
        bounces = account.get("bounces")
        if not isinstance(bounces, dict):
            continue
        if not account.get("imap"):
            yield f"accounts.{name}.bounces: accounts.{name} has no imap server"
        if bounces.get("skipped") and bounces.get("folder") == (account.get("imap") or {}).get("folder", "INBOX"):
            yield (
                f"accounts.{name}.bounces.skipped: would move all mail out of {bounces['folder']}, where probes "
                "arrive: use a separate folder for bounces"
            )


def _notices_unsent(full: dict[str, Any]) -> Iterator[str]:
    notices = full.get("bounce_notices")
    account = notices.get("account") if isinstance(notices, dict) else None
    if isinstance(account, str) and not _tables(full.get("accounts")).get(account, {}).get("smtp"):
        yield f"bounce_notices.account: no account {account!r} with an smtp server"


def _tables(value: object) -> dict[str, dict[str, Any]]:
    items = value.items() if isinstance(value, dict) else ()
    return {name: table for name, table in items if isinstance(table, dict)}


def _number(value: object) -> float:
    """Return a number that can be calculated with, 0 for anything else."""
    usable = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
    return float(value) if usable and isinstance(value, int | float) else 0.0

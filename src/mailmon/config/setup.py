"""The setup of a run: accounts, routes, checks and channels with their credentials."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from mailmon.bounces.context import NoticeSettings
from mailmon.checks import CHECKS
from mailmon.checks.check import ConfigContext, HostCheck, Target
from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Account, Route
from mailmon.config import flat
from mailmon.config.build import make_account, make_nameserver, make_notices, make_route
from mailmon.config.checks import Policies, options_of
from mailmon.config.contradictions import longest_wait_s
from mailmon.config.doubts import find_doubts
from mailmon.config.load import Loaded, by_source
from mailmon.config.models import Config
from mailmon.config.secrets import (
    SecretSources,
    collect_secrets,
    inline_secrets,
)
from mailmon.errors import ConfigError
from mailmon.model import Policy, Secret
from mailmon.model.limits import RunLimits
from mailmon.notify.channel import AnyChannel, Channel, ChannelOptions, Credentials
from mailmon.safe import who_may_read
from mailmon.store.belonging import Place

STATE_AND_ALERTS_S = 20.0


class Setup(NamedTuple):
    """Everything a run needs to know. `warnings` are shown on every run."""

    accounts: Mapping[str, Account]
    routes: Mapping[str, Route]
    channels: Mapping[str, AnyChannel]
    ping: AnyChannel | None
    nameservers: tuple[tuple[str, int], ...]
    deadline_s: float
    state_file: Path
    document: dict[str, Any]
    policies: Mapping[str, Policy] = MappingProxyType({})
    # The options of the checks in use, in their order.
    checks: Mapping[str, CheckOptions] = MappingProxyType({})
    limits: RunLimits = RunLimits()
    notices: NoticeSettings | None = None
    # The targets of checks that have a list of their own.
    hosts: Mapping[str, tuple[Target, ...]] = MappingProxyType({})
    reachability: tuple[str, ...] = ()
    heartbeat_file: Path | None = None
    warnings: tuple[str, ...] = ()
    place: Place | None = None

    def __repr__(self) -> str:
        """Name the accounts only: the document may hold credentials."""
        return f"Setup({', '.join(self.accounts)})"


def resolve(
    loaded: Loaded,
    path: Path | None,
    environ: Mapping[str, str],
    *,
    with_secrets: bool = True,
    must_check: bool = False,
) -> Setup:
    """Turn a checked configuration into accounts, routes and channels. Raises ConfigError with every mistake.

    Without secrets, credentials are left empty and files are not looked at: for a build machine. What a certificate
    file holds is looked at where it `must` be checked; a run goes on without the server that the file is for.
    """
    if loaded.source.refusal:
        raise ConfigError(str(path), [f"{_first_command(loaded)}refused, because {loaded.source.refusal}"])
    config, base = loaded.config, path.parent if path else Path()
    secrets, warnings = _credentials(loaded, path, environ, must_check) if with_secrets else ({}, [])
    flat_keys = loaded.flat_keys
    accounts = {
        name: make_account(name, options, secrets, base, is_flat=flat.is_account(name, flat_keys))
        for name, options in config.accounts.items()
    }
    nameservers = tuple(make_nameserver(text) for text in config.dns.nameservers)
    checks = {name: options_of(loaded.checks, name, CHECKS[name].options) for name in CHECKS.used_by(loaded.document)}
    return Setup(
        accounts=accounts,
        routes={name: make_route(name, options, loaded.checks, accounts) for name, options in config.routes.items()},
        channels=_channels(loaded, secrets, base, accounts),
        ping=make_channel("ping", "ping", config.ping, secrets, base) if config.ping else None,
        nameservers=nameservers,
        deadline_s=config.deadline_s or longest_wait_s(loaded.document) + 90,
        state_file=loaded.state_file,
        document=loaded.document,
        policies=Policies(loaded.checks),
        checks=checks,
        limits=RunLimits(config.limits.workers, config.limits.per_host),
        notices=make_notices(config, accounts),
        hosts=_hosts(checks, ConfigContext(base, nameservers)),
        reachability=config.reachability,
        heartbeat_file=base / config.heartbeat_file if config.heartbeat_file else None,
        warnings=(*warnings, *find_doubts(config, loaded.document, flat_keys, environ)),
        place=loaded.place,
    )


def _channels(
    loaded: Loaded, secrets: Mapping[tuple[str, str], Secret], base: Path, accounts: Mapping[str, Account]
) -> dict[str, AnyChannel]:
    return {
        name: make_channel(f"notify.{name}", name, options, secrets, base, accounts)._replace(
            is_flat=flat.is_channel(name, loaded.flat_keys)
        )
        for name, options in loaded.channels.items()
    }


def _hosts(checks: Mapping[str, CheckOptions], config: ConfigContext) -> dict[str, tuple[Target, ...]]:
    """Return the targets of the checks that have a list of their own."""
    found: dict[str, tuple[Target, ...]] = {}
    for name, options in checks.items():
        check = CHECKS[name]
        if isinstance(check, HostCheck):
            found[name] = tuple(check.targets(options, config))
    return found


def _credentials(
    loaded: Loaded, path: Path | None, environ: Mapping[str, str], must_check: bool
) -> tuple[Mapping[tuple[str, str], Secret], list[str]]:
    """Return all credentials, and what is worth a warning. Raises ConfigError with every mistake."""
    base = path.parent if path else Path()
    problems, warnings = _permissions(loaded, path) if path else ([], [])
    sources = SecretSources(base, environ, loaded.state_file, refuses_commands=bool(problems))
    secrets, more, noted = collect_secrets(loaded.document, sources)
    warnings += [flat.in_form(one, loaded.flat_keys) for one in noted]
    more += [*_unusable_files(loaded, base, must_check), *_missing_extras(loaded.config)]
    problems += dict.fromkeys(flat.in_form(one, loaded.flat_keys) for one in more)
    if problems:
        from mailmon.config.placeholders import advice_on

        placed = by_source(str(path or "options"), problems, loaded.origins, loaded.document)
        raise ConfigError.of(placed, advice_on(loaded.source.document))
    return secrets, warnings


def make_channel(
    place: str,
    name: str,
    options: ChannelOptions,
    secrets: Mapping[tuple[str, str], Secret],
    base: Path,
    accounts: Mapping[str, Account] = MappingProxyType({}),
) -> AnyChannel:
    """Return a channel with its credentials, and with the accounts that it may send through."""
    own = {key: secret for (owner, key), secret in secrets.items() if owner == place}
    if options.ca_file:
        options = replace(options, ca_file=str(base / options.ca_file))
    named = getattr(options, "accounts", ()) or accounts
    return Channel(name, options, Credentials(own), tuple(accounts[n] for n in named if accounts[n].smtp))


def _permissions(loaded: Loaded, path: Path) -> tuple[list[str], list[str]]:
    """Return problems: commands in a file that others can write; and warnings: secrets in one that they can read."""
    problems, warnings = [], []
    inline = inline_secrets(loaded.document)
    if (command := _first_command(loaded)) and loaded.source.risk:
        problems.append(f"{command}refused, because {loaded.source.risk}")
    if inline and loaded.source.is_readable_by_others:
        key = flat.in_form(inline[0], loaded.flat_keys)
        warnings.append(
            f"{path}: contains a secret ({key}) and is readable by other users: chmod 600 {path}, or use {key}_file"
        )
    return problems, warnings


def _first_command(loaded: Loaded) -> str:
    """Return the place of the first command, with a colon, "" where the configuration names none."""
    commands = [
        f"accounts.{name}.{key}"
        for name, account in loaded.config.accounts.items()
        for key in ("password_command", "token_command")
        if getattr(account, key)
    ]
    for name, options in loaded.checks.items():
        commands += (f"checks.{name}.{key}" for key, _ in _values_of(options, options.COMMANDS))
    commands += [f"notify.{name}.command" for name, o in loaded.channels.items() if getattr(o, "command", None)]
    return f"{flat.in_form(commands[0], loaded.flat_keys)}: " if commands else ""


def _values_of(options: object, keys: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Yield what these keys hold in the options of a check, or in a table of them, each with its place there."""
    for key, value in vars(options).items():
        if key in keys and value:
            yield key, value
        for name, inner in value.items() if isinstance(value, Mapping) else ():
            if is_dataclass(inner):
                yield from ((f"{key}.{name}.{place}", found) for place, found in _values_of(inner, keys))


def _unusable_files(loaded: Loaded, base: Path, must_check: bool) -> list[str]:
    """Return the certificate files that cannot be read, or, where that must be checked, hold no certificate."""
    config = loaded.config
    named: list[tuple[str, str | None]] = [
        (f"accounts.{name}.{protocol}", server.ca_file)
        for name, account in config.accounts.items()
        for protocol, server in (("smtp", account.smtp), ("imap", account.imap), ("pop3", account.pop3))
        if server and server.ca_file
    ]
    named += [
        (f"accounts.{name}.oauth", account.oauth.ca_file)
        for name, account in config.accounts.items()
        if account.oauth and account.oauth.ca_file
    ]
    named += [(f"notify.{name}", channel.ca_file) for name, channel in loaded.channels.items()]
    named += [("ping", config.ping.ca_file)] if config.ping else []
    for name, options in loaded.checks.items():
        found = _values_of(options, ("ca_file",))
        named += [(f"checks.{name}.{place}".removesuffix(".ca_file"), file) for place, file in found]
    given = [(place, base / file) for place, file in named if file]
    said = {file: _unusable(file, must_check) for _, file in given}
    return [f"{place}.ca_file: {file}: {said[file]}" for place, file in given if said[file]]


def _unusable(file: Path, must_check: bool) -> str:
    """Return why a file cannot be used, "" where it can: a pipe or a device would never come to its end."""
    if not os.access(file, os.R_OK):
        why = who_may_read(file)
        return f"cannot be read. {why}" if why else "cannot be read"
    if not file.is_file():
        return "is not a regular file"
    if not must_check:
        return ""
    from mailmon.clients.failure import unusable_ca

    return unusable_ca(str(file))


def _missing_extras(config: Config) -> list[str]:
    if config.bounce_notices is None or not config.bounce_notices.cc:
        return []
    from importlib.util import find_spec

    return [] if find_spec("dkim") else ["bounce_notices.cc: needs dkimpy: pip install 'mailmon[dkim]'"]

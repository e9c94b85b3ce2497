"""What does the configuration amount to? Accounts, routes and channels with their credentials at hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mailmon.checks.subjects import Account, Host, NoticeSettings, Route
from mailmon.clients.account import BounceFolder
from mailmon.clients.server import Security, Server, Trust, default_security
from mailmon.config.bounce_folders import BounceFolderOptions
from mailmon.config.contradictions import longest_wait_s
from mailmon.config.host_checks import hosts_of, seconds
from mailmon.config.load import Loaded
from mailmon.config.models import (
    AccountOptions,
    Config,
    ExpectOptions,
    ImapOptions,
    OAuthOptions,
    RouteOptions,
    SmtpOptions,
)
from mailmon.config.policies import bounce_limits, policies
from mailmon.config.secrets import (
    SecretSources,
    collect_secrets,
    inline_secrets,
    is_readable_by_others,
    write_risk,
)
from mailmon.errors import ConfigError
from mailmon.mail.probe_body import Form
from mailmon.model import Policy, Secret
from mailmon.model.limits import BounceLimits
from mailmon.notify.channel import AnyChannel, Channel, ChannelOptions, Credentials

if TYPE_CHECKING:
    from mailmon.clients.oauth import OAuth
    from mailmon.mail.received import Expected

STATE_AND_ALERTS_S = 20.0


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a run needs to know. `warnings` are worth a line on every run."""

    accounts: Mapping[str, Account]
    routes: Mapping[str, Route]
    channels: Mapping[str, AnyChannel]
    ping: AnyChannel | None
    nameservers: tuple[tuple[str, int], ...]
    deadline_s: float
    state_file: Path
    document: dict[str, Any] = field(repr=False)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    certificate_days: Mapping[str, float] = field(default_factory=dict)
    bounce_limits: BounceLimits = field(default_factory=BounceLimits)
    notices: NoticeSettings | None = None
    hosts: Mapping[str, tuple[Host, ...]] = field(default_factory=dict)
    reachability: tuple[str, ...] = ()
    heartbeat_file: Path | None = None
    warnings: tuple[str, ...] = ()


def resolve(loaded: Loaded, path: Path | None, environ: Mapping[str, str], *, with_secrets: bool = True) -> Setup:
    """Turn a checked configuration into accounts, routes and channels. Raises ConfigError with every mistake.

    Without secrets, credentials are left empty and files are not looked at: for a build machine.
    """
    config = loaded.config
    base = path.parent if path else Path()
    problems, warnings = _permissions(loaded, path) if with_secrets and path else ([], [])
    secrets: Mapping[tuple[str, str], Secret] = {}
    if with_secrets:
        sources = SecretSources(base, environ, refuses_commands=bool(problems))
        secrets, more = collect_secrets(loaded.document, sources)
        problems += [*more, *_missing_files(config, base), *_missing_extras(config)]
    if problems:
        raise ConfigError(str(path or "options"), problems)
    accounts = {name: _account(name, options, secrets, base) for name, options in config.accounts.items()}
    nameservers = tuple(_nameserver(text) for text in config.dns.nameservers)
    channels = {
        name: make_channel(f"notify.{name}", name, o, secrets, base, accounts) for name, o in loaded.channels.items()
    }
    return Setup(
        accounts=accounts,
        routes={name: _route(name, options, config, accounts) for name, options in config.routes.items()},
        channels=channels,
        ping=make_channel("ping", "ping", config.ping, secrets, base) if config.ping else None,
        nameservers=nameservers,
        deadline_s=config.deadline_s or longest_wait_s(loaded.document) + 90,
        state_file=loaded.state_file,
        document=loaded.document,
        policies=policies(config.checks),
        certificate_days={
            "imap_auth": config.checks.imap_auth.certificate_days,
            "smtp_auth": config.checks.smtp_auth.certificate_days,
        },
        bounce_limits=bounce_limits(config.checks.bounces),
        notices=_notices(config, accounts),
        hosts=hosts_of(config.checks, nameservers, base),
        reachability=config.reachability,
        heartbeat_file=base / config.heartbeat_file if config.heartbeat_file else None,
        warnings=(*warnings, *_warnings(config)),
    )


def _account(name: str, options: AccountOptions, secrets: Mapping[tuple[str, str], Secret], base: Path) -> Account:
    return Account(
        name,
        options.address,
        options.username or options.address,
        secrets.get((f"accounts.{name}", "password"), Secret("")),
        _server("smtp", options.smtp, base) if options.smtp else None,
        _server("imap", options.imap, base) if options.imap else None,
        options.imap.folder if options.imap else "INBOX",
        _bounces(options.bounces, options.bounces.sent) if options.bounces else None,
        _bounces(options.bounces.test) if options.bounces and options.bounces.test else None,
        secrets.get((f"accounts.{name}", "token")),
        _oauth(name, options.oauth, secrets, base) if options.oauth else None,
    )


def _oauth(name: str, options: OAuthOptions, secrets: Mapping[tuple[str, str], Secret], base: Path) -> OAuth:
    from mailmon.clients.oauth import OAuth

    place = f"accounts.{name}.oauth"
    return OAuth(
        options.token_url,
        options.client_id,
        options.scope,
        secrets.get((place, "client_secret"), Secret("")),
        secrets.get((place, "refresh_token"), Secret("")),
        str(base / options.ca_file) if options.ca_file else None,
    )


def _notices(config: Config, accounts: Mapping[str, Account]) -> NoticeSettings | None:
    options = config.bounce_notices
    if options is None:
        return None
    from mailmon.clients.signatures import signature_check, txt_by
    from mailmon.mail.bounce.addressees import NoticeRules

    account = accounts[options.account]
    sender = options.sender or account.address
    own = (sender, *(one.address for one in accounts.values()))
    rules = NoticeRules(options.to, options.cc, options.cc_domains, options.max_cc, own)
    look_up = txt_by(tuple(_nameserver(text) for text in config.dns.nameservers))
    is_signed = signature_check(look_up) if options.cc else None
    return NoticeSettings(account, sender, rules, options.test_to, options.max_per_hour, is_signed)


def _bounces(options: BounceFolderOptions, sent: str | None = None) -> BounceFolder:
    targets = {"processed": options.processed, "skipped": options.skipped, "problem": options.problem}
    return BounceFolder(options.folder, {k: v for k, v in targets.items() if v}, options.create_folders, sent)


def _route(name: str, options: RouteOptions, config: Config, accounts: Mapping[str, Account]) -> Route:
    receive = config.checks.receive
    return Route(
        name,
        accounts[options.sender],
        options.to,
        accounts[options.reader],
        options.receive_timeout_s or receive.timeout_s,
        options.warning_delivery_s or receive.warning_delivery_s,
        options.critical_delivery_s or receive.critical_delivery_s,
        seconds(options.interval or 0),
        seconds(options.arrives_within) if options.arrives_within else None,
        options.junk_folders,
        Form(options.probe, options.attachment_bytes),
        _expected(options.expect) if options.expect else None,
    )


def _expected(options: ExpectOptions) -> Expected:
    from mailmon.mail.received import METHODS, Expected

    methods = tuple(name for name in METHODS if getattr(options, name))
    return Expected(methods, options.authserv or "", options.tls or "", options.unmodified)


def _server(protocol: str, options: SmtpOptions | ImapOptions, base: Path) -> Server:
    ca_file = str(base / options.ca_file) if options.ca_file else None
    return Server(
        protocol,
        options.host,
        options.port,
        options.security or default_security(protocol, options.port),
        Trust(ca_file, tuple(map(_normal_digest, options.tls_sha256)), options.insecure),
        options.timeout_s,
        options.family,
        options.connect_to or "",
        getattr(options, "auth", "auto") != "none",
    )


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
    """A configuration that others can write must not name a command; one they can read should hold no secret."""
    problems, warnings = [], []
    commands = [
        f"accounts.{name}.{key}"
        for name, account in loaded.config.accounts.items()
        for key in ("password_command", "token_command")
        if getattr(account, key)
    ]
    commands += [f"notify.{name}.command" for name, o in loaded.channels.items() if getattr(o, "command", None)]
    inline = inline_secrets(loaded.document)
    if commands and (risk := write_risk(path)):
        problems.append(f"{commands[0]}: refused, because {risk}")
    if inline and is_readable_by_others(path):
        warnings.append(f"{path}: others may read the {inline[0]} in it: chmod 600, or use {inline[0]}_file")
    return problems, warnings


def _missing_files(config: Config, base: Path) -> list[str]:
    """Return the certificate files that cannot be read."""
    named = [
        (f"accounts.{name}.{protocol}.ca_file", server.ca_file)
        for name, account in config.accounts.items()
        for protocol, server in (("smtp", account.smtp), ("imap", account.imap))
        if server and server.ca_file
    ]
    return [f"{place}: {base / file}: cannot be read" for place, file in named if not os.access(base / file, os.R_OK)]


def _missing_extras(config: Config) -> list[str]:
    if config.bounce_notices is None or not config.bounce_notices.cc:
        return []
    from importlib.util import find_spec

    return [] if find_spec("dkim") else ["bounce_notices.cc: needs dkimpy: pip install 'mailmon[dkim]'"]


def _warnings(config: Config) -> list[str]:
    warnings = []
    if config.notify is None:
        warnings.append('no channel is configured, nobody will be told; say `"notify": "none"` if that is meant')
    for name, account in config.accounts.items():
        for service in (account.smtp, account.imap):
            if service and service.insecure:
                warnings.append(f"accounts.{name}: insecure, the certificate of {service.host} is not verified")
            if service and service.security is Security.PLAIN:
                warnings.append(f"accounts.{name}: plain, the password travels to {service.host} in clear text")
    return warnings


def _nameserver(text: str) -> tuple[str, int]:
    """Split `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:53`."""
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port.lstrip(":") or 53)
    if text.count(":") == 1:
        address, _, port = text.partition(":")
        return address, int(port)
    return text, 53


def _normal_digest(text: str) -> str:
    return text.replace(":", "").strip().lower()

"""What does the configuration amount to? Accounts, routes and channels with their credentials at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailmon.checks.subjects import Account, Route
from mailmon.clients.server import Security, Server, Trust, default_security
from mailmon.config.load import Loaded, longest_wait_s
from mailmon.config.models import AccountOptions, Config, ImapOptions, SmtpOptions
from mailmon.config.secrets import SecretProblemError, SecretSources, others_may
from mailmon.errors import ConfigError
from mailmon.model import Secret
from mailmon.notify.channel import Channel, ChannelOptions, Credentials

STATE_AND_ALERTS_S = 20.0


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything a run needs to know. `warnings` are worth a line on every run."""

    accounts: Mapping[str, Account]
    routes: Mapping[str, Route]
    channels: Mapping[str, Channel]
    ping: Channel | None
    nameservers: tuple[tuple[str, int], ...]
    deadline_s: float
    state_file: Path
    document: dict[str, Any] = field(repr=False)
    warnings: tuple[str, ...] = ()


def resolve(loaded: Loaded, path: Path | None, environ: Mapping[str, str], *, with_secrets: bool = True) -> Setup:
    """Turn a checked configuration into accounts, routes and channels. Raises ConfigError with every mistake.

    Without secrets, credentials are left empty and files are not looked at: for a build machine.
    """
    config = loaded.config
    resolver = _Resolver(path, environ, with_secrets)
    accounts = {name: resolver.account(name, options) for name, options in config.accounts.items()}
    channels = {name: resolver.channel(name, options) for name, options in loaded.channels.items()}
    ping = resolver.channel("ping", config.ping) if config.ping else None
    if with_secrets and path:
        resolver.check_permissions(loaded, path)
    if resolver.problems:
        raise ConfigError(str(path or "options"), resolver.problems)
    default_s = config.checks.receive.timeout_s
    routes = {
        name: Route(name, accounts[r.sender], r.to, accounts[r.reader], r.receive_timeout_s or default_s)
        for name, r in config.routes.items()
    }
    warnings = [*resolver.warnings, *_warnings(config)]
    deadline_s = config.deadline_s or longest_wait_s(config) + 90
    nameservers = tuple(_nameserver(text) for text in config.dns.nameservers)
    return Setup(
        accounts, routes, channels, ping, nameservers, deadline_s, loaded.state_file, loaded.document, tuple(warnings)
    )


class _Resolver:
    """Collects every problem on the way, so that all are reported at once."""

    def __init__(self, path: Path | None, environ: Mapping[str, str], with_secrets: bool) -> None:
        self._base = path.parent if path else Path()
        self._sources = SecretSources(self._base, environ)
        self._with_secrets = with_secrets
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def account(self, name: str, options: AccountOptions) -> Account:
        password = self._secret(f"accounts.{name}", name, "password", options, is_required=True)
        return Account(
            name,
            options.address,
            options.username or options.address,
            password or Secret(""),
            self._server("smtp", options.smtp) if options.smtp else None,
            self._server("imap", options.imap) if options.imap else None,
            options.imap.folder if options.imap else "INBOX",
        )

    def channel(self, name: str, options: ChannelOptions) -> Channel:
        place = "ping" if options.type == "ping" else f"notify.{name}"
        secrets = {}
        for key in options.SECRETS:
            secret = self._secret(place, name, key, options, is_required=key in options.REQUIRED_SECRETS)
            if secret:
                secrets[key] = secret
            if secret and key in ("webhook", "url") and not secret.value.startswith(("https://", "http://")):
                self.problems.append(f"{place}.{key}: must begin with https:// or http://")
        return Channel(name, options, Credentials(secrets))

    def check_permissions(self, loaded: Loaded, path: Path) -> None:
        """A configuration that others can write must not name a command; one they can read should hold no secret."""
        config = loaded.config
        inline = [f"accounts.{name}.password" for name, a in config.accounts.items() if a.password]
        commands = [f"accounts.{name}.password_command" for name, a in config.accounts.items() if a.password_command]
        for name, channel in loaded.channels.items():
            inline += [f"notify.{name}.{key}" for key in channel.SECRETS if getattr(channel, key)]
        if commands and others_may(path, 0o22):
            self.problems.append(f"{commands[0]}: refused, because others may write this file: chmod go-w {path}")
        if inline and others_may(path, 0o44):
            self.warnings.append(f"{path}: others may read the {inline[0]} in it: chmod 600, or use {inline[0]}_file")

    def _secret(self, place: str, owner: str, key: str, options: Any, *, is_required: bool) -> Secret | None:
        if not self._with_secrets:
            return None
        try:
            secret = self._sources.find(owner, key, options)
        except SecretProblemError as exc:
            self.problems.append(f"{place}.{exc}")
            return None
        if secret is None and is_required:
            self.problems.append(f"{place}.{key}: missing; give {key}_file, or the systemd credential {owner}.{key}")
        return secret

    def _server(self, protocol: str, options: SmtpOptions | ImapOptions) -> Server:
        ca_file = str(self._base / options.ca_file) if options.ca_file else None
        return Server(
            protocol,
            options.host,
            options.port,
            options.security or default_security(protocol, options.port),
            Trust(ca_file, tuple(map(_normal_digest, options.tls_sha256)), options.insecure),
            options.timeout_s,
        )


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

"""What does the configuration amount to? Accounts, routes and channels with their credentials at hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailmon.checks.subjects import Account, Route
from mailmon.clients.server import Security, Server, Trust, default_security
from mailmon.config.load import longest_wait_s
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
    warnings: tuple[str, ...] = ()


def resolve(config: Config, path: Path | None, environ: Mapping[str, str], *, with_secrets: bool = True) -> Setup:
    """Turn a checked configuration into accounts, routes and channels. Raises ConfigError with every mistake.

    Without secrets, credentials are left empty and files are not looked at: for a build machine.
    """
    resolver = _Resolver(path, environ, with_secrets)
    accounts = {name: resolver.account(name, options) for name, options in config.accounts.items()}
    channels = {name: resolver.channel(name, options) for name, options in (config.notify or {}).items()}
    ping = resolver.channel("ping", config.ping) if config.ping else None
    if with_secrets and path:
        resolver.check_permissions(config, path)
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
    state_file = state_path(config.state_file, path, environ)
    return Setup(accounts, routes, channels, ping, nameservers, deadline_s, state_file, tuple(warnings))


def state_path(configured: str | None, config_file: Path | None, environ: Mapping[str, str]) -> Path:
    """Return where the state file is. Raises ConfigError where no place can be told."""
    if configured:
        return (config_file.parent if config_file else Path()) / configured
    if environ.get("STATE_DIRECTORY"):
        return Path(environ["STATE_DIRECTORY"].partition(":")[0]) / "state.json"
    home = environ.get("XDG_STATE_HOME") or (f"{environ['HOME']}/.local/state" if environ.get("HOME") else None)
    if home is None:
        problem = "state_file: missing, and neither STATE_DIRECTORY nor HOME says where to remember"
        raise ConfigError(str(config_file or "options"), [problem])
    return Path(home) / "mailmon/state.json"


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
        for field in options.secret_fields:
            secret = self._secret(place, name, field, options, is_required=field in options.required_secrets)
            if secret:
                secrets[field] = secret
        for field in ("webhook", "url"):
            if field in secrets and not secrets[field].value.startswith(("https://", "http://")):
                self.problems.append(f"{place}.{field}: must begin with https:// or http://")
        return Channel(name, options, Credentials(secrets))

    def check_permissions(self, config: Config, path: Path) -> None:
        """A configuration that others can write must not name a command; one they can read should hold no secret."""
        inline = [f"accounts.{name}.password" for name, a in config.accounts.items() if a.password]
        commands = [f"accounts.{name}.password_command" for name, a in config.accounts.items() if a.password_command]
        for name, channel in (config.notify or {}).items():
            inline += [f"notify.{name}.{field}" for field in channel.secret_fields if getattr(channel, field)]
        if commands and others_may(path, 0o22):
            self.problems.append(f"{commands[0]}: refused, because others may write this file: chmod go-w {path}")
        if inline and others_may(path, 0o44):
            self.warnings.append(f"{path}: others may read the {inline[0]} in it: chmod 600, or use {inline[0]}_file")

    def _secret(self, place: str, owner: str, field: str, options: Any, *, is_required: bool) -> Secret | None:
        if not self._with_secrets:
            return None
        try:
            secret = self._sources.find(owner, field, options)
        except SecretProblemError as exc:
            self.problems.append(f"{place}.{exc}")
            return None
        if secret is None and is_required:
            self.problems.append(
                f"{place}.{field}: missing; give {field}_file, or the systemd credential {owner}.{field}"
            )
        return secret

    def _server(self, protocol: str, options: SmtpOptions | ImapOptions) -> Server:
        ca_file = str(self._base / options.ca_file) if options.ca_file else None
        return Server(
            protocol,
            options.host,
            options.port,
            options.security or default_security(protocol, options.port),
            Trust(ca_file, options.tls_sha256, options.insecure),
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

"""Accounts with their credentials, routes, and recipients of bounce notices, made from options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mailmon.checks.options import CheckOptions
from mailmon.checks.targets import Account, Route
from mailmon.clients.account import BounceFolder
from mailmon.clients.server import Keys, Server, Trust, default_security
from mailmon.config.account_options import AccountOptions, ImapOptions, OAuthOptions, Pop3Options, SmtpOptions
from mailmon.config.bounce_folders import BounceFolderOptions
from mailmon.config.checks import options_of
from mailmon.config.models import Config
from mailmon.config.route_options import ExpectOptions, RouteOptions
from mailmon.mail.message.address import wire_address
from mailmon.mail.probe.probe import Form
from mailmon.model import Secret
from mailmon.typedjson.declare import seconds

if TYPE_CHECKING:
    from mailmon.bounces.context import NoticeSettings
    from mailmon.clients.oauth import OAuth
    from mailmon.mail.probe.expected import Expected


def make_account(
    name: str, options: AccountOptions, secrets: Mapping[tuple[str, str], Secret], base: Path, *, is_flat: bool = False
) -> Account:
    """Return a mailbox with its credentials; `is_flat`: it is configured by the flat keys."""

    def server(protocol: str, own: SmtpOptions | ImapOptions | Pop3Options) -> Server:
        return _server(protocol, own, base, Keys(f"accounts.{name}.{protocol}", is_flat))

    return Account(
        name,
        wire_address(options.address),
        options.username or options.address,
        secrets.get((f"accounts.{name}", "password"), Secret("")),
        server("smtp", options.smtp)._replace(helo=options.helo or "") if options.smtp else None,
        server("imap", options.imap) if options.imap else None,
        server("pop3", options.pop3) if options.pop3 else None,
        options.imap.folder if options.imap else "INBOX",
        _bounces(options.bounces, options.bounces.sent) if options.bounces else None,
        _bounces(options.bounces.test) if options.bounces and options.bounces.test else None,
        secrets.get((f"accounts.{name}", "token")),
        _oauth(name, options.oauth, secrets, base) if options.oauth else None,
        seconds(options.wrong_password_interval) if options.wrong_password_interval else None,
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


def make_notices(config: Config, accounts: Mapping[str, Account]) -> NoticeSettings | None:
    """Return the settings of bounce notices, None where there are none."""
    options = config.bounce_notices
    if options is None:
        return None
    from mailmon.bounces.context import NoticeSettings
    from mailmon.clients.signatures import signature_check, txt_by
    from mailmon.mail.bounce.notice_recipients import NoticeRules

    account = accounts[options.account]
    sender = options.sender or account.address
    own = (sender, *(one.address for one in accounts.values()))
    rules = NoticeRules(options.to, options.cc, options.cc_domains, options.max_cc, own)
    look_up = txt_by(tuple(make_nameserver(text) for text in config.dns.nameservers))
    is_signed = signature_check(look_up) if options.cc else None
    return NoticeSettings(account, sender, rules, options.test_to, options.max_per_hour, is_signed)


def _bounces(options: BounceFolderOptions, sent: str | None = None) -> BounceFolder:
    targets = {"processed": options.processed, "skipped": options.skipped, "problem": options.problem}
    return BounceFolder(options.folder, {k: v for k, v in targets.items() if v}, options.create_folders, sent)


def make_route(
    name: str, options: RouteOptions, checks: Mapping[str, CheckOptions], accounts: Mapping[str, Account]
) -> Route:
    """Return a delivery path; the options of the check `receive` apply where it has none of its own."""
    from mailmon.checks.receive import ReceiveOptions  # with a route it is needed anyway

    receive = options_of(checks, "receive", ReceiveOptions)
    return Route(
        name,
        accounts[options.sender],
        wire_address(options.to),
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
    from mailmon.mail.probe.expected import METHODS, Expected

    methods = tuple(name for name in METHODS if getattr(options, name))
    return Expected(methods, options.authserv or "", options.tls or "", options.unmodified)


def _server(protocol: str, options: SmtpOptions | ImapOptions | Pop3Options, base: Path, keys: Keys) -> Server:
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
        keys=keys,
    )


def make_nameserver(text: str) -> tuple[str, int]:
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

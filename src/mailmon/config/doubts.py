"""Warnings about a valid configuration: settings that are probably a mistake, shown on every run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailmon.clients.server import Security
from mailmon.config import flat
from mailmon.config.account_options import AccountOptions, ServerOptions, SmtpOptions
from mailmon.config.load import variable_names
from mailmon.config.models import Config
from mailmon.config.secrets import secret_variables
from mailmon.text import visible

# Variables that are read elsewhere, or set by ourselves for programs that we start.
_VARIABLES = ("CONFIG", "CONFIG_OWNER", "BOOT_ID", "PING_URL", "ALERT_ID", "ALERT_KIND", "ALERT_TITLE", "TEST_DATA")
_PREFIX = "MAILMON_"
_TLS_PORTS = (465, 993, 995)
_PLAIN_PORTS = (25, 587, 143, 110)


def find_doubts(
    config: Config, document: Mapping[str, Any], flat_keys: Sequence[str], environ: Mapping[str, str]
) -> list[str]:
    """Return the warnings, each with its place as the user wrote it; never the value of a variable."""
    doubts = []
    if config.notify is None:
        where = "set ntfy_topic, or add a channel to notify" if flat_keys else "add one to notify"
        doubts.append(f'no alert channel configured: {where} ("notify": "none" to disable alerts)')
    for name, account in config.accounts.items():
        for protocol, service in (("smtp", account.smtp), ("imap", account.imap), ("pop3", account.pop3)):
            if service:
                is_flat = flat.is_account(name, flat_keys)
                said = list(_of_a_server(f"accounts.{name}", protocol, account, service, is_flat))
                # A flat key may be for both servers, and is reported once.
                doubts += [one for one in said if not (is_flat and one in doubts)]
    return [*doubts, *_mistyped(document, environ)]


def _of_a_server(
    place: str, protocol: str, account: AccountOptions, service: ServerOptions, is_flat: bool
) -> Iterator[str]:
    if service.insecure:
        yield f"{place}: insecure, the certificate of {service.host} is not verified"
    logs_in = not (isinstance(service, SmtpOptions) and service.auth == "none")
    if logs_in and service.security is Security.PLAIN:
        has_token = any((account.token, account.token_file, account.token_command, account.oauth))
        what = "token" if has_token else "password"
        where = f"{protocol}_security" if is_flat else place
        yield f"{where}: plain, the {what} travels to {service.host} in clear text"
    own = "" if is_flat else f"{place}.{protocol}."
    if service.tls_sha256 and service.ca_file:
        yield f"{own}ca_file: unused, because with tls_sha256 chain and name are not checked: remove one"
    port: int = getattr(service, "port", 0)
    said = f"{protocol}_security" if is_flat else f"{own}security"
    if port in _TLS_PORTS and service.security is Security.STARTTLS:
        yield f"{said}: is starttls, but port {port} is for TLS from the start (RFC 8314): set tls"
    elif port in _PLAIN_PORTS and service.security is Security.TLS:
        yield f"{said}: is tls, but port {port} begins in clear text: set starttls, or the port for TLS"


def _mistyped(document: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables whose names are nearly those of ours; their values are neither used nor shown."""
    known = {*variable_names().values(), *secret_variables(document), *(_PREFIX + name for name in _VARIABLES)}
    for name in sorted(environ):
        if name.startswith(_PREFIX) and name not in known:
            from difflib import get_close_matches

            if close := get_close_matches(name, known, n=1, cutoff=0.85):
                yield f"{visible(name, 80)}: unknown variable; did you mean {close[0]}?"

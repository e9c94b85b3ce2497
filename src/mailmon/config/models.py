"""What may stand in the configuration? The full form; the flat one is a notation for it (flat.py)."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from mailmon.clients.server import Security
from mailmon.notify import AnyChannelOptions
from mailmon.notify.ping import PingOptions
from mailmon.options import Address, Argv, Digest, Host, Name, Options, Port, Timeout, between, matching

DEFAULT_RECEIVE_TIMEOUT_S = 60.0

_FOLDER = re.compile(r"[ -~]{1,200}", re.ASCII)
_NAMESERVER = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9A-Fa-f:]{2,45}\]?)(?::(\d{1,5}))?", re.ASCII)

Folder = Annotated[str, matching(_FOLDER, "a folder name of printable ASCII characters")]
Nameserver = Annotated[str, matching(_NAMESERVER, "an IP address, a port behind a colon if it is not 53")]


class ServerOptions(Options):
    """Where a mail service is, and how its certificate is verified."""

    host: Host = Field(description="Host name; certificates are verified against it")
    security: Security | None = Field(None, description="tls, starttls or plain; the default depends on the port")
    ca_file: str | None = Field(None, description="PEM file of the CA; replaces the system's certificates")
    tls_sha256: tuple[Digest, ...] = Field(
        (), description="SHA-256 digests of accepted certificates; replace the checks of chain and name"
    )
    insecure: bool = Field(False, description="Accept any certificate; refused beside a pin")
    timeout_s: Timeout = Field(20.0, description="Seconds that each single command may take")

    @model_validator(mode="after")
    def _pin_or_insecure(self) -> ServerOptions:
        if self.insecure and self.tls_sha256:
            raise PydanticCustomError("conflict", "insecure and tls_sha256 exclude each other: remove one", {})
        if self.security is Security.PLAIN and (self.tls_sha256 or self.ca_file):
            raise PydanticCustomError("conflict", "security plain has no certificate to check: remove the other", {})
        return self


class SmtpOptions(ServerOptions):
    """The submission server of an account."""

    port: Port = Field(587, description="465 means tls, any other port starttls, unless security says otherwise")


class ImapOptions(ServerOptions):
    """The IMAP server of an account."""

    port: Port = Field(993, description="143 means starttls, any other port tls, unless security says otherwise")
    folder: Folder = Field("INBOX", description="Folder in which probes arrive")


class AccountOptions(Options):
    """A mailbox with its servers and its credential."""

    secret_fields: ClassVar[tuple[str, ...]] = ("password",)

    address: Address = Field(description="Envelope sender and From of probes")
    username: str | None = Field(None, min_length=1, description="Login name; by default the address")
    password: SecretStr | None = Field(None, description="Password; a file is better")
    password_file: str | None = Field(None, description="File that holds the password")
    password_command: Argv | None = Field(None, description="Command that prints the password: a list of words")
    smtp: SmtpOptions | None = None
    imap: ImapOptions | None = None


class RouteOptions(Options):
    """A way that mail must go."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True)

    sender: Name = Field(alias="from", description="Account that sends")
    to: Address = Field(description="Address that the probe is sent to")
    reader: Name = Field(alias="in", description="Account in which the probe is seen")
    receive_timeout_s: Timeout | None = Field(None, description="Seconds until the probe must have arrived")


class ReceiveOptions(Options):
    """The wait for a probe."""

    timeout_s: Timeout = Field(DEFAULT_RECEIVE_TIMEOUT_S, description="Seconds until a probe must have arrived")


class ChecksOptions(Options):
    """Options of single checks, for all accounts and routes."""

    receive: ReceiveOptions = ReceiveOptions()


class DnsOptions(Options):
    """How names are looked up."""

    nameservers: tuple[Nameserver, ...] = Field((), description="Name servers to ask instead of the system's resolver")


def _none_is_a_choice(value: object) -> object:
    return {} if value == "none" else value


def _typed_channels(value: object) -> object:
    """Give every channel its type: its own name, unless it says another."""
    if not isinstance(value, dict):
        return value
    return {
        name: {"type": name, **options} if isinstance(options, dict) else options for name, options in value.items()
    }


def _named(value: dict[str, Any]) -> dict[str, Any]:
    for name in value:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name, re.ASCII):
            raise PydanticCustomError(
                "shape", "{name} is no name: use letters, digits, '_', '.' and '-'", {"name": repr(name[:80])}
            )
    return value


Channels = Annotated[dict[str, AnyChannelOptions], BeforeValidator(_typed_channels), AfterValidator(_named)]


class Config(Options):
    """The whole configuration."""

    accounts: Annotated[dict[str, AccountOptions], AfterValidator(_named)] = Field(min_length=1)
    routes: Annotated[dict[str, RouteOptions], AfterValidator(_named)] = Field({}, description="Ways that mail must go")
    checks: ChecksOptions = ChecksOptions()
    notify: Annotated[Channels | None, BeforeValidator(_none_is_a_choice)] = Field(
        None, description='Channels by name, or "none" for no alerts on purpose'
    )
    ping: PingOptions | None = Field(None, description="Outside watcher that notices when mailmon no longer runs")
    dns: DnsOptions = DnsOptions()
    deadline_s: Annotated[float, between(30, 86400)] | None = Field(
        None, description="Seconds that a run may take; by default the longest receive timeout + 90"
    )
    state_file: str | None = Field(None, description="Where mailmon remembers; by default in the state directory")

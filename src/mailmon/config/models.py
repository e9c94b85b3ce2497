"""What may stand in the configuration? The full form; the flat one is a notation for it (flat.py)."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

from mailmon.clients.server import Family, Security
from mailmon.config.bounce_folders import BounceOptions, NoticeOptions
from mailmon.config.check_options import CheckOptions, Duration
from mailmon.config.host_checks import DiagnoseOptions, DnsblOptions, HttpOptions, PublishedOptions
from mailmon.notify.ping import PingOptions
from mailmon.options import (
    About,
    Address,
    Between,
    Digest,
    Folder,
    Host,
    Lasting,
    Matching,
    Name,
    Port,
    SecretText,
    Timeout,
    options,
)

DEFAULT_RECEIVE_TIMEOUT_S = 60.0
# A probe that was not seen for a day is lost (mail/ledger.py).
MAX_PATIENCE_S = 72000.0

_OCTET, _PORT = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)", r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]?\d{1,4})"
_IPV4, _IPV6 = rf"{_OCTET}(?:\.{_OCTET}){{3}}", r"[0-9A-Fa-f:]{2,45}"
Nameserver = Annotated[
    str,
    Matching(
        rf"{_IPV4}(?::{_PORT})?|{_IPV6}|\[{_IPV6}\](?::{_PORT})?",
        "an IP address, with a port behind a colon if it is not 53",
    ),
]
DeliveryLimit = Annotated[float, Between(0.01, 3600)]
Count = Annotated[int, Between(0, 1_000_000)]
Target = Annotated[
    str,
    Matching(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}", "HOST:PORT, an IPv6 address in brackets"),
]
Word = Annotated[str, Matching(r"[^\x00]*", "text without NUL")]
FileName = Annotated[str, Matching(r"[^\x00]+", "the name of a file")]


@options
class ServerOptions:
    """Where a mail service is, and how its certificate is verified."""

    host: Annotated[Host, About("Host name; certificates are verified against it")]
    security: Annotated[Security | None, About("tls, starttls or plain; the default depends on the port")] = None
    ca_file: Annotated[FileName | None, About("PEM file of the CA; replaces the system's certificates")] = None
    tls_sha256: Annotated[
        tuple[Digest, ...],
        About("SHA-256 digests of accepted leaf certificates; they replace the checks of chain and name"),
    ] = ()
    insecure: Annotated[bool, About("Accept any certificate; refused beside a pin")] = False
    timeout_s: Annotated[Timeout, About("Seconds that each single command may take")] = 20.0
    family: Annotated[Family, About("auto, 4 or 6: connect by IPv4 or IPv6 only")] = Family.AUTO
    connect_to: Annotated[
        Host | None,
        About("Host or address to connect to instead; the certificate must be that of `host`"),
    ] = None

    def __post_init__(self) -> None:
        if self.insecure and self.tls_sha256:
            raise ValueError("insecure and tls_sha256 exclude each other: remove one")
        if self.security is Security.PLAIN and (self.tls_sha256 or self.ca_file):
            raise ValueError("security plain has no certificate to check: remove ca_file and tls_sha256")


@options
class SmtpOptions(ServerOptions):
    """The submission server of an account."""

    port: Annotated[Port, About("465 means tls, any other port starttls, unless security says otherwise")] = 587
    auth: Annotated[
        Literal["auto", "none"], About("none: send without logging in, as a foreign server does on port 25")
    ] = "auto"


@options
class ImapOptions(ServerOptions):
    """The IMAP server of an account."""

    port: Annotated[Port, About("143 means starttls, any other port tls, unless security says otherwise")] = 993
    folder: Annotated[Folder, About("Folder in which probes arrive")] = "INBOX"


@options
class OAuthOptions:
    """Where access tokens come from (OAuth 2.0): a refresh token, else the client's own credentials."""

    token_url: Annotated[str, Matching(r"https://[!-~]{1,500}|http://127\.0\.0\.1[!-~]{0,500}", "an https URL")]
    client_id: Annotated[Word, About("The application's id")]
    scope: Annotated[Word, About("What the token is for, like https://outlook.office365.com/.default")] = ""
    client_secret: Annotated[SecretText | None, About("The application's secret; a file is better")] = field(
        default=None, repr=False
    )
    client_secret_file: Annotated[FileName | None, About("File that holds the secret")] = None
    refresh_token: Annotated[SecretText | None, About("A refresh token; a file is better")] = field(
        default=None, repr=False
    )
    refresh_token_file: Annotated[FileName | None, About("File that holds the refresh token")] = None
    ca_file: Annotated[FileName | None, About("CA certificates to trust instead of the usual ones")] = None


@options
class AccountOptions:
    """A mailbox with its servers and its credential."""

    address: Annotated[Address, About("Envelope sender and From of probes")]
    username: Annotated[Word | None, About("Login name; by default the address")] = None
    password: Annotated[SecretText | None, About("Password; a file is better")] = field(default=None, repr=False)
    password_file: Annotated[FileName | None, About("File that holds the password")] = None
    password_command: Annotated[
        tuple[Word, ...] | None, About("Command that prints the password, as a list of words: no shell is involved")
    ] = None
    token: Annotated[SecretText | None, About("OAuth 2.0 access token in place of a password")] = field(
        default=None, repr=False
    )
    token_file: Annotated[FileName | None, About("File that holds the token")] = None
    token_command: Annotated[
        tuple[Word, ...] | None, About("Command that prints the token, as a list of words: no shell is involved")
    ] = None
    oauth: OAuthOptions | None = None
    smtp: SmtpOptions | None = None
    imap: ImapOptions | None = None
    bounces: BounceOptions | None = None

    def __post_init__(self) -> None:
        has_password = any((self.password, self.password_file, self.password_command))
        has_token = any((self.token, self.token_file, self.token_command))
        if has_password + has_token + (self.oauth is not None) > 1:
            raise ValueError("password, token and oauth exclude each other: keep one")


@options
class ExpectOptions:
    """What a probe must be like when it has arrived; what is not is told as a failure of its own."""

    authserv: Annotated[
        Host | None, About("Name by which your own server signs Authentication-Results (RFC 8601); only it is believed")
    ] = None
    dkim: Annotated[bool, About("DKIM must pass, as `authserv` says")] = False
    spf: Annotated[bool, About("SPF must pass, as `authserv` says")] = False
    dmarc: Annotated[bool, About("DMARC must pass, as `authserv` says")] = False
    tls: Annotated[
        Literal["any", "1.2", "1.3"] | None, About("Every hop between hosts must be encrypted, at least so well")
    ] = None
    unmodified: Annotated[bool, About("Nothing may be changed on the way: no footer, no pixel, no header")] = False

    def __post_init__(self) -> None:
        if (self.dkim or self.spf or self.dmarc) and not self.authserv:
            raise ValueError("dkim, spf and dmarc need authserv: whose Authentication-Results are believed?")


@options
class RouteOptions:
    """A way that mail must go."""

    ALIASES: ClassVar[dict[str, str]] = {"sender": "from", "reader": "in"}

    sender: Annotated[Name, About("Account that sends")]
    to: Annotated[Address, About("Address that the probe is sent to")]
    reader: Annotated[Name, About("Account in which the probe is seen")]
    receive_timeout_s: Annotated[Timeout | None, About("Seconds until the probe must have arrived")] = None
    warning_delivery_s: Annotated[DeliveryLimit | None, About("Seconds above which a delivery is warned of")] = None
    critical_delivery_s: Annotated[DeliveryLimit | None, About("Seconds above which it counts as failed")] = None
    interval: Annotated[
        Duration | None, About("Time between two probes; runs between skip the route. By default every run sends one")
    ] = None
    arrives_within: Annotated[
        Annotated[float | str, Lasting(MAX_PATIENCE_S)] | None,
        About("For slow ways, up to 20h: no run waits, later runs look whether the probe has arrived"),
    ] = None
    junk_folders: Annotated[tuple[Folder, ...], About("Folders in which an arrival counts as failed, like Junk")] = ()
    probe: Annotated[
        Literal["plain", "html", "8bit"], About("What the probe is: plain, html beside plain text, or 8-bit text")
    ] = "plain"
    attachment_bytes: Annotated[int, Between(0, 25_000_000), About("Size of a file that is attached, in bytes")] = 0
    expect: ExpectOptions | None = None


@options
class LoginOptions(CheckOptions):
    """The login of an account."""

    certificate_days: Annotated[
        float, Between(0, 365), About("Days before its end at which a certificate is warned of")
    ] = 21.0


@options
class ReceiveOptions(CheckOptions):
    """The wait for a probe."""

    timeout_s: Annotated[Timeout, About("Seconds until a probe must have arrived")] = DEFAULT_RECEIVE_TIMEOUT_S
    warning_delivery_s: Annotated[DeliveryLimit | None, About("Seconds above which a delivery is warned of")] = None
    critical_delivery_s: Annotated[DeliveryLimit | None, About("Seconds above which it counts as failed")] = None


@options
class BouncesOptions(CheckOptions):
    """The folders with bounces. Limits are counts in the last 24 hours; a figure without one is never told."""

    max_hard: Annotated[Count | None, About("Hard bounces above which a warning is told")] = None
    max_soft: Annotated[Count | None, About("Soft bounces above which a warning is told")] = None
    max_delayed: Annotated[Count | None, About("Delay warnings above which a warning is told")] = None
    max_complaints: Annotated[Count | None, About("Complaints above which a warning is told")] = None
    max_per_domain: Annotated[Count | None, About("Bounces for one domain above which a warning is told")] = None
    max_by_domain: Annotated[dict[Host, Count], About("The same for single domains")] = field(default_factory=dict)
    refusals: Annotated[
        bool,
        About("Tell of permanent refusals that concern all mail: authentication, reputation, block lists, reverse DNS"),
    ] = True


@options
class ChecksOptions:
    """Options of single checks, for all accounts and routes; `defaults` are for those that say nothing."""

    defaults: CheckOptions = CheckOptions()
    imap_auth: LoginOptions = LoginOptions()
    smtp_auth: LoginOptions = LoginOptions()
    bounces: BouncesOptions = BouncesOptions()
    send: CheckOptions = CheckOptions()
    receive: ReceiveOptions = ReceiveOptions()
    cleanup: CheckOptions = CheckOptions()
    diagnose: DiagnoseOptions = DiagnoseOptions()
    dnsbl: DnsblOptions = DnsblOptions()
    dns: PublishedOptions = PublishedOptions()
    http: HttpOptions = HttpOptions()


@options
class DnsOptions:
    """How host names are looked up."""

    nameservers: Annotated[
        tuple[Nameserver, ...], About("Name servers to ask instead of the system's resolver, ADDRESS[:PORT]")
    ] = ()


@options
class Config:
    """The whole configuration. What a channel takes is in its notifier's options (notify/)."""

    accounts: Annotated[dict[Name, AccountOptions], About("Mailboxes by name")]
    routes: Annotated[dict[Name, RouteOptions], About("Ways that mail must go, by name")] = field(default_factory=dict)
    checks: ChecksOptions = ChecksOptions()
    notify: Annotated[
        dict[Name, dict[str, Any]] | None, About('Channels by name, or "none" for no alerts on purpose')
    ] = None
    bounce_notices: NoticeOptions | None = None
    ping: PingOptions | None = None
    dns: DnsOptions = DnsOptions()
    reachability: Annotated[
        tuple[Target, ...],
        About(
            "Hosts, as HOST:PORT, that answer when our own network works; those of a monitored server do not count. "
            "The channels count by themselves"
        ),
    ] = ()
    heartbeat_file: Annotated[
        FileName | None, About("File that every complete run writes anew, for whoever watches its age")
    ] = None
    deadline_s: Annotated[
        Annotated[float, Between(30, 86400)] | None,
        About("Seconds that a run may take; by default the longest receive timeout + 90"),
    ] = None
    state_file: Annotated[FileName | None, About("Where mailmon remembers; by default in the state directory")] = None

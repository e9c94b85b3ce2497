"""What may stand in the configuration? The full form; the flat one is a notation for it (flat.py)."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

from mailmon.config.account_options import AccountOptions, FileName
from mailmon.config.bounce_folders import NoticeOptions
from mailmon.config.check_options import CertificateDays, CheckOptions, CriticalDays
from mailmon.config.host_checks import DiagnoseOptions, DnsblOptions, HttpOptions, PublishedOptions
from mailmon.config.local_checks import CertificateFilesOptions, QueueOptions
from mailmon.config.route_options import DeliveryLimit, RouteOptions
from mailmon.notify.ping import PingOptions
from mailmon.typedjson.declare import About, Between, Host, Matching, Name, Timeout, options

DEFAULT_RECEIVE_TIMEOUT_S = 60.0

_OCTET, _PORT = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)", r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]?\d{1,4})"
_IPV4, _IPV6 = rf"{_OCTET}(?:\.{_OCTET}){{3}}", r"[0-9A-Fa-f:]{2,45}"
Nameserver = Annotated[
    str,
    Matching(
        rf"{_IPV4}(?::{_PORT})?|{_IPV6}|\[{_IPV6}\](?::{_PORT})?",
        "an IP address, with a port behind a colon if it is not 53",
    ),
]
Count = Annotated[int, Between(0, 1_000_000)]
Target = Annotated[
    str,
    Matching(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}", "HOST:PORT, an IPv6 address in brackets"),
]


@options
class LoginOptions(CheckOptions):
    """The login of an account."""

    certificate_days: CertificateDays = None
    certificate_critical_days: CriticalDays = None


@options
class ImapLoginOptions(LoginOptions):
    """The login of an account by IMAP."""

    quota_percent: Annotated[
        Annotated[float, Between(1, 1000)],
        About("Share of its quota from which on a full mailbox is warned of, in percent"),
    ] = 90.0


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
    imap_auth: ImapLoginOptions = ImapLoginOptions()
    pop3_auth: LoginOptions = LoginOptions()
    smtp_auth: LoginOptions = LoginOptions()
    wrong_password: CheckOptions = CheckOptions()
    bounces: BouncesOptions = BouncesOptions()
    send: CheckOptions = CheckOptions()
    receive: ReceiveOptions = ReceiveOptions()
    cleanup: CheckOptions = CheckOptions()
    diagnose: DiagnoseOptions = DiagnoseOptions()
    dnsbl: DnsblOptions = DnsblOptions()
    dns: PublishedOptions = PublishedOptions()
    http: HttpOptions = HttpOptions()
    queue: QueueOptions = QueueOptions()
    certificate_file: CertificateFilesOptions = CertificateFilesOptions()
    certificate: CheckOptions = CheckOptions()


@options
class LimitOptions:
    """How much goes on at a time."""

    workers: Annotated[
        Annotated[int, Between(1, 64)],
        About("Steps at a time; more than 16 only make the logins wait for each other"),
    ] = 16
    per_host: Annotated[
        Annotated[int, Between(1, 64)] | None,
        About("Steps at a time on one host; by default all workers, or three quarters where there are several hosts"),
    ] = None


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
    limits: LimitOptions = LimitOptions()
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

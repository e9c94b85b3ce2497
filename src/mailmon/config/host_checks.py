"""What may be said of the checks of hosts: how often, which, and what nobody wants to hear of?"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mailmon.config.check_options import CertificateDays, CheckOptions, CriticalDays, Duration
from mailmon.config.local_checks import certificates_of, queues_of
from mailmon.text import parse_duration
from mailmon.typedjson.declare import About, Address, Between, Helo, Host, HostPort, Matching, Name, Timeout, options

if TYPE_CHECKING:
    from mailmon.checks.targets import Host as HostSubject
    from mailmon.config.models import ChecksOptions

Status = Annotated[int, Between(100, 599)]
Ids = Annotated[str, Matching(r"[a-z0-9_.*]{1,80}", "a finding's id, like tls.no_tls13 or dns.*")]
Code = Annotated[str, Matching(r"127(?:\.\d{1,3}){3}", "an address in 127.0.0.0/8")]
Selector = Annotated[str, Matching(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?", "a DKIM selector")]
AddressLiteral = Annotated[
    str, Matching(r"(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", "an IPv4 or IPv6 address")
]
ZoneName = Annotated[str, Matching(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", "a DNS zone")]


@options
class DiagnoseOptions(CheckOptions):
    """What `mailmon diagnose` says, now and then; a new finding is told like any other change."""

    hosts: Annotated[tuple[HostPort, ...], About("Hosts to look at: HOST, or HOST:PORT:KIND for one port")] = ()
    interval: Annotated[Duration, About("Time between two looks; a host that is not well is looked at every hour")] = (
        "1d"
    )
    timeout_s: Annotated[Timeout, About("Seconds that each step of a conversation may take")] = 10.0
    ca_file: Annotated[str | None, About("CA certificates to trust instead of the system's")] = None
    relay_test: Annotated[bool, About("Try every form of relaying, not just one recipient")] = True
    trusted_client: Annotated[bool, About("The server trusts this machine: do not report relaying for it")] = False
    nolisting: Annotated[bool, About("The preferred MX host refuses connections on purpose")] = False
    helo: Annotated[
        Helo | None, About("Name to send in EHLO; by default the machine's host name, else its address")
    ] = None
    mailbox: Annotated[Address | None, About("A mailbox that exists there; by default postmaster@HOST")] = None
    skip: Annotated[tuple[Ids, ...], About("Findings that nobody wants to hear of")] = ()

    def __post_init__(self) -> None:
        if self.hosts:
            from mailmon.diagnose.plan import kinds_for, split_target

            for host in self.hosts:
                kinds_for(split_target(host)[1], None)


@options
class ListOptions:
    """A block list of your own choice."""

    codes: Annotated[dict[Code, str], About("Answers that are a listing, with what they mean")] = field(
        default_factory=lambda: {"127.0.0.2": "listed"}
    )
    removal: Annotated[str, About("Where removal is asked for; {address} stands for the address")] = ""
    ipv6: Annotated[bool, About("It lists IPv6 addresses too")] = False


@options
class DnsblOptions(CheckOptions):
    """Block lists, asked now and then for our own addresses."""

    hosts: Annotated[tuple[Host, ...], About("Addresses to ask for, or names whose addresses are")] = ()
    interval: Annotated[Duration, About("Time between two rounds; a listed address is asked for every hour")] = "6h"
    lists: Annotated[dict[ZoneName, ListOptions], About("Further block lists, by their zone")] = field(
        default_factory=dict
    )
    without: Annotated[tuple[ZoneName, ...], About("Zones of built-in lists that are not asked")] = ()
    skip: Annotated[tuple[Ids, ...], About("Findings that nobody wants to hear of")] = ()


@options
class DomainOptions:
    """One domain, and what is known of its mail."""

    selectors: Annotated[
        tuple[Selector, ...], About("DKIM selectors in use; those on arriving probes are learnt, common ones are tried")
    ] = ()
    addresses: Annotated[tuple[AddressLiteral, ...], About("Addresses that its mail is sent from")] = ()


@options
class PublishedOptions(CheckOptions):
    """What `mailmon dns` says of domains, now and then; a new finding and a changed record are told."""

    domains: Annotated[dict[ZoneName, DomainOptions], About("Domains to look at")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two looks; what is not well is looked at every hour")] = "1d"
    timeout_s: Annotated[Timeout, About("Seconds that each question may take")] = 5.0
    connect: Annotated[bool, About("Also fetch policies and look at certificates; else only DNS is asked")] = True
    ca_file: Annotated[str | None, About("CA certificates to trust instead of the system's")] = None
    skip: Annotated[tuple[Ids, ...], About("Findings that nobody wants to hear of")] = ()


@options
class PageOptions:
    """A web page, and how it must answer. Redirects are not followed: a redirect can be what is expected."""

    url: Annotated[str, Matching(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[!-~]*)?", "an http or https URL")]
    status: Annotated[tuple[Status, ...], About("Statuses that are right")] = (200,)
    contains: Annotated[str, About("Words that must stand in the page")] = ""
    headers: Annotated[dict[str, str], About("Header fields, and what each must hold")] = field(default_factory=dict)
    ca_file: Annotated[str | None, About("CA certificates to trust instead of the system's")] = None
    timeout_s: Annotated[Timeout, About("Seconds that the whole answer may take")] = 10.0


@options
class HttpOptions(CheckOptions):
    """Web pages: webmail, CalDAV, whatever answers by HTTP."""

    pages: Annotated[dict[Name, PageOptions], About("Pages by name")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two looks; by default every run looks")] = 0
    certificate_days: CertificateDays = None
    certificate_critical_days: CriticalDays = None


def hosts_of(
    checks: ChecksOptions, nameservers: tuple[tuple[str, int], ...], base: Path
) -> dict[str, tuple[HostSubject, ...]]:
    """Return which hosts are looked at, by the name of the check; without any, nothing is loaded for it."""
    found = {}
    if checks.diagnose.hosts:
        found["diagnose"] = _diagnosed(checks.diagnose, nameservers, base)
    if checks.dnsbl.hosts:
        found["dnsbl"] = _looked_up(checks.dnsbl, nameservers)
    if checks.http.pages:
        found["http"] = _pages(checks.http, base)
    if checks.queue.instances:
        found["queue"] = queues_of(checks.queue, base)
    if checks.certificate_file.files:
        found["certificate_file"] = certificates_of(checks.certificate_file, base)
    if checks.dns.domains:
        found["dns"] = _surveyed(checks.dns, nameservers, base)
    return found


def _surveyed(asked: PublishedOptions, nameservers: tuple[tuple[str, int], ...], base: Path) -> tuple[HostSubject, ...]:
    from mailmon.checks.targets import Host as Subject
    from mailmon.domain.options import Options

    ca_file = str(base / asked.ca_file) if asked.ca_file else None
    how = Options(nameservers, asked.timeout_s, max(30.0, 4 * asked.timeout_s), asked.connect, ca_file)
    return tuple(
        Subject(
            domain.lower(),
            seconds(asked.interval),
            asked.skip,
            survey=how._replace(selectors=own.selectors, own_addresses=own.addresses),
        )
        for domain, own in asked.domains.items()
    )


def _pages(asked: HttpOptions, base: Path) -> tuple[HostSubject, ...]:
    from urllib.parse import urlsplit

    from mailmon.checks.certificate import CertificateLimits
    from mailmon.checks.http import Page
    from mailmon.checks.targets import Host as Subject

    found = []
    for name, own in asked.pages.items():
        parts = urlsplit(own.url)
        is_tls = parts.scheme == "https"
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        page = Page(
            parts.hostname or "",
            parts.port or (443 if is_tls else 80),
            path,
            is_tls,
            own.status,
            own.contains,
            tuple(own.headers.items()),
            str(base / own.ca_file) if own.ca_file else None,
            own.timeout_s,
            CertificateLimits(asked.certificate_days, asked.certificate_critical_days),
        )
        found.append(Subject(name, seconds(asked.interval), page=page))
    return tuple(found)


def _diagnosed(asked: DiagnoseOptions, nameservers: tuple[tuple[str, int], ...], base: Path) -> tuple[HostSubject, ...]:
    from mailmon.checks.targets import Host as Subject
    from mailmon.diagnose.plan import Options

    how = Options(
        str(base / asked.ca_file) if asked.ca_file else None,
        asked.timeout_s,
        max(30.0, 4 * asked.timeout_s),
        "all" if asked.relay_test else "one",
        is_trusted=asked.trusted_client,
        is_nolisting=asked.nolisting,
        helo=asked.helo or "",
        mailbox=asked.mailbox or "",
    )
    interval_s = seconds(asked.interval)
    return tuple(Subject(name, interval_s, asked.skip, nameservers, how) for name in dict.fromkeys(asked.hosts))


def _looked_up(asked: DnsblOptions, nameservers: tuple[tuple[str, int], ...]) -> tuple[HostSubject, ...]:
    from mailmon.checks.targets import Host as Subject
    from mailmon.diagnose.blocklists import LISTS, BlockList

    lists = [one for one in LISTS if one.zone not in asked.without and one.zone not in asked.lists]
    lists += [BlockList(zone, own.codes, own.removal, own.ipv6) for zone, own in asked.lists.items()]
    interval_s = seconds(asked.interval)
    names = dict.fromkeys(asked.hosts)
    return tuple(Subject(name, interval_s, asked.skip, nameservers, None, tuple(lists)) for name in names)


def seconds(duration: float | str) -> float:
    """Return the seconds of a duration."""
    return parse_duration(duration) if isinstance(duration, str) else float(duration)

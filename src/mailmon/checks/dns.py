"""What a domain publishes about its mail: new faults, and changed records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING, Annotated, NamedTuple

from mailmon.checks.check import ConfigContext, HostCheck, failing
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions, Ids
from mailmon.model import Fact, Severity, Verdict
from mailmon.typedjson.declare import About, Duration, Matching, Timeout, ZoneName, options, seconds

if TYPE_CHECKING:
    from mailmon.domain.options import Options

# The rest of the run is for accounts and routes.
MAX_SHARE = 0.8
Selector = Annotated[str, Matching(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?", "a DKIM selector")]
AddressLiteral = Annotated[
    str, Matching(r"(?:\d{1,3}\.){3}\d{1,3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*", "an IPv4 or IPv6 address")
]


@options
class DomainOptions:
    """One domain, and what is known of its mail."""

    selectors: Annotated[
        tuple[Selector, ...],
        About("DKIM selectors in use; those of arriving probes are learnt, and common ones are tried"),
    ] = ()
    addresses: Annotated[tuple[AddressLiteral, ...], About("Addresses that its mail is sent from")] = ()


@options
class PublishedOptions(CheckOptions):
    """What `mailmon dns` reports, from time to time; a new finding and a changed record alert."""

    domains: Annotated[dict[ZoneName, DomainOptions], About("Domains to check")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two checks; a domain with failures is checked hourly")] = "1d"
    timeout_s: Annotated[Timeout, About("Timeout of each query, in seconds")] = 5.0
    connect: Annotated[bool, About("Also fetch policies and check certificates; otherwise only DNS is queried")] = True
    ca_file: Annotated[str | None, About("PEM file of the CA to trust; replaces the system's certificates")] = None
    skip: Annotated[tuple[Ids, ...], About("Finding ids to ignore")] = ()


class PublishedDomain(NamedTuple):
    """A domain, and how it is checked."""

    name: str
    interval_s: float
    skip: tuple[str, ...]
    options: Options


def targets(asked: PublishedOptions, config: ConfigContext) -> Iterator[PublishedDomain]:
    """Yield the domains to check."""
    from mailmon.domain.options import Options

    ca_file = config.path(asked.ca_file)
    how = Options(config.nameservers, asked.timeout_s, max(30.0, 4 * asked.timeout_s), asked.connect, ca_file)
    for domain, own in asked.domains.items():
        options = how._replace(selectors=own.selectors, own_addresses=own.addresses)
        yield PublishedDomain(domain.lower(), seconds(asked.interval), asked.skip, options)


def run(context: RunContext, domain: PublishedDomain) -> Iterator[Fact]:
    """Check the domain, and yield what fails and what has changed."""
    from mailmon.domain.survey import survey

    options, environment = domain.options, context.environment
    left_s = environment.deadline.remaining_s() * MAX_SHARE
    learnt = environment.selectors.get(domain.name, ())
    result = survey(
        domain.name,
        options._replace(
            deadline_s=min(options.deadline_s, left_s), selectors=tuple(dict.fromkeys((*options.selectors, *learnt)))
        ),
    )
    changed = environment.changes.take(domain.name, result.records, environment.now())
    worst = [one.severity for one in result.findings if one.severity in (Severity.CRITICAL, Severity.ERROR)]
    if worst:  # a change is reported together with what it broke, so it is as bad
        changed = [one._replace(severity=Severity.ERROR) for one in changed]
    passed = sum(one.status is Verdict.PASS for one in result.findings)
    yield from failing((*changed, *result.findings), domain.name, domain.skip, "dns.unknown", f"{passed} passed")


CHECK = HostCheck(
    name="dns",
    label="DNS",
    about="Checks what a domain publishes, as `mailmon dns` does, and reports changed records.",
    options=PublishedOptions,
    targets=targets,
    run=run,
)

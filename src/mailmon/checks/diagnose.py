"""New faults of a mail host: what `mailmon diagnose` reports, from time to time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

from mailmon.checks.check import ConfigContext, HostCheck, failing
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions, Ids
from mailmon.model import Fact, Verdict
from mailmon.typedjson.declare import About, Address, Duration, Helo, HostPort, Timeout, options, seconds

if TYPE_CHECKING:
    from mailmon.diagnose.plan import Options

# The rest of the run is for accounts and routes.
MAX_SHARE = 0.8


@options
class DiagnoseOptions(CheckOptions):
    """What `mailmon diagnose` reports, from time to time; a new finding alerts like any other change."""

    hosts: Annotated[tuple[HostPort, ...], About("Hosts to diagnose: HOST, or HOST:PORT:KIND for one port")] = ()
    interval: Annotated[Duration, About("Time between two diagnoses; a host with failures is diagnosed hourly")] = "1d"
    timeout_s: Annotated[Timeout, About("Timeout of each step of a conversation, in seconds")] = 10.0
    ca_file: Annotated[str | None, About("PEM file of the CA to trust; replaces the system's certificates")] = None
    relay_test: Annotated[bool, About("Try every form of relaying, not just one recipient")] = True
    trusted_client: Annotated[bool, About("The server trusts this machine: do not report relaying for it")] = False
    nolisting: Annotated[bool, About("The preferred MX host refuses connections on purpose")] = False
    helo: Annotated[
        Helo | None, About("Name to send in EHLO; by default the machine's host name, else its address")
    ] = None
    mailbox: Annotated[Address | None, About("An existing mailbox there; by default postmaster@HOST")] = None
    skip: Annotated[tuple[Ids, ...], About("Finding ids to ignore")] = ()

    def __post_init__(self) -> None:
        if self.hosts:
            from mailmon.diagnose.plan import kinds_for, split_target

            for host in self.hosts:
                kinds_for(split_target(host)[1], None)


class DiagnosedHost(NamedTuple):
    """A host, or one port of it, as `HOST:PORT:KIND`, and how it is diagnosed."""

    name: str
    interval_s: float
    skip: tuple[str, ...]
    nameservers: tuple[tuple[str, int], ...]
    options: Options


def targets(asked: DiagnoseOptions, config: ConfigContext) -> Iterator[DiagnosedHost]:
    """Yield the hosts to diagnose."""
    from mailmon.diagnose.plan import Options

    how = Options(
        config.path(asked.ca_file),
        asked.timeout_s,
        max(30.0, 4 * asked.timeout_s),
        "all" if asked.relay_test else "one",
        is_trusted=asked.trusted_client,
        is_nolisting=asked.nolisting,
        helo=asked.helo or "",
        mailbox=asked.mailbox or "",
    )
    interval_s = seconds(asked.interval)
    for name in dict.fromkeys(asked.hosts):
        yield DiagnosedHost(name, interval_s, asked.skip, config.nameservers, how)


def run(context: RunContext, host: DiagnosedHost) -> Iterator[Fact]:
    """Diagnose the host, and yield what fails."""
    from mailmon.diagnose.plan import Request, kinds_for, split_target
    from mailmon.diagnose.run import diagnose

    name, ports = split_target(host.name)
    request = Request(name, tuple(kinds_for(ports, None)), not ports, host.nameservers)
    left_s = context.environment.deadline.remaining_s() * MAX_SHARE
    found = diagnose(request, host.options._replace(deadline_s=min(host.options.deadline_s, left_s))).findings
    passed = sum(one.status is Verdict.PASS for one in found)
    yield from failing(found, host.name, host.skip, "diagnose.unknown", f"{passed} passed")


CHECK = HostCheck(
    name="diagnose",
    label="Diagnose",
    about="Diagnoses a mail host as `mailmon diagnose` does.",
    options=DiagnoseOptions,
    targets=targets,
    run=run,
)

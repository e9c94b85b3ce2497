"""The configuration in its full form; the flat form is a notation for it (flat.py)."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any

from mailmon.config.account_options import AccountOptions
from mailmon.config.bounce_folders import NoticeOptions
from mailmon.config.route_options import RouteOptions
from mailmon.outputs.ping import PingOptions
from mailmon.typedjson.declare import About, Between, FileName, Matching, Name, options

_OCTET, _PORT = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)", r"(?:6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]?\d{1,4})"
_IPV4, _IPV6 = rf"{_OCTET}(?:\.{_OCTET}){{3}}", r"[0-9A-Fa-f:]{2,45}"
Nameserver = Annotated[
    str,
    Matching(
        rf"{_IPV4}(?::{_PORT})?|{_IPV6}|\[{_IPV6}\](?::{_PORT})?",
        "ADDRESS or ADDRESS:PORT",
    ),
]
Target = Annotated[
    str,
    Matching(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}", "HOST:PORT, an IPv6 address in brackets"),
]


@options
class LimitOptions:
    """Limits of concurrency."""

    workers: Annotated[
        Annotated[int, Between(1, 64)],
        About("Concurrent steps; more than 16 only make logins wait for each other"),
    ] = 16
    per_host: Annotated[
        Annotated[int, Between(1, 64)] | None,
        About("Concurrent steps per host; by default all workers, or three quarters with several hosts"),
    ] = None


@options
class DnsOptions:
    """Name resolution."""

    nameservers: Annotated[
        tuple[Nameserver, ...], About("Name servers to use instead of the system's resolver, ADDRESS[:PORT]")
    ] = ()


@options
class Config:
    """The whole configuration. What a check or a channel takes is declared in its own file (checks/, notify/)."""

    accounts: Annotated[dict[Name, AccountOptions], About("Accounts by name")]
    routes: Annotated[dict[Name, RouteOptions], About("Delivery routes to test, by name")] = field(default_factory=dict)
    checks: Annotated[dict[Name, dict[str, Any]], About("Options of single checks")] = field(default_factory=dict)
    notify: Annotated[dict[Name, dict[str, Any]] | None, About('Channels by name, or "none" to disable alerts')] = None
    bounce_notices: NoticeOptions | None = None
    ping: PingOptions | None = None
    dns: DnsOptions = DnsOptions()
    limits: LimitOptions = LimitOptions()
    reachability: Annotated[
        tuple[Target, ...],
        About(
            "Hosts, as HOST:PORT, that are reachable when our own network works, other than the monitored servers. "
            "Channels count without being listed"
        ),
    ] = ()
    heartbeat_file: Annotated[
        FileName | None, About("File that every complete run rewrites, to be monitored by its age")
    ] = None
    deadline_s: Annotated[
        Annotated[float, Between(30, 86400)] | None,
        About("Maximum duration of a run, in seconds; by default the longest receive timeout + 90"),
    ] = None
    state_file: Annotated[FileName | None, About("Path of the state file; by default in the state directory")] = None


def complete_config() -> type[Config]:
    """Return the type of the whole configuration, with the options of every registered check in it.

    For validation and the schema. A run builds only the options that its configuration names (config/checks.py).
    """
    from mailmon.config.checks import complete_options

    checks = complete_options()
    body = {"__doc__": Config.__doc__, "__module__": __name__, "__annotations__": {"checks": checks}}
    return options(type("Config", (Config,), {**body, "checks": checks()}))

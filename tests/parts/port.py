"""TCP ports that accept connections: a check as a contributor writes it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import field
from typing import Annotated, NamedTuple

from mailmon.checks.check import ConfigContext, HostCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CheckOptions
from mailmon.findings import make_finding
from mailmon.metrics import make_metric
from mailmon.model import Fact, Note, Verdict
from mailmon.typedjson.declare import About, Duration, Name, Port, options, seconds


@options
class PortOptions(CheckOptions):
    """Ports of this machine that must accept connections."""

    ports: Annotated[dict[Name, Port], About("Ports by name")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two checks; by default every run checks")] = 0


class OpenPort(NamedTuple):
    """A port that must accept connections."""

    name: str
    interval_s: float
    port: int


def targets(asked: PortOptions, _config: ConfigContext) -> Iterator[OpenPort]:
    """Yield the ports to check."""
    for name, port in asked.ports.items():
        yield OpenPort(name, seconds(asked.interval), port)


def run(context: RunContext, target: OpenPort) -> Iterator[Fact]:
    """Connect once."""
    deadline = context.environment.deadline
    begun_s = deadline.monotonic()
    try:
        socket.create_connection(("127.0.0.1", target.port), deadline.bound_s(1.0)).close()
    except OSError as exc:
        place = f"127.0.0.1:{target.port}"
        said = f"{place}: does not accept connections: {exc.strerror}"
        yield make_finding("tcp.unreachable", Verdict.FAIL, place, said)
        return
    yield make_metric("connect_s", round(deadline.monotonic() - begun_s, 4))
    yield Note("OK (accepts connections)")


CHECK = HostCheck(
    name="port",
    label="Open port",
    about="Connects to a port of this machine.",
    options=PortOptions,
    targets=targets,
    run=run,
    failure_threshold=2,
)

"""Servers that are healthy but unusual: nothing is reported beyond their labels. The whole command, on loopback."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli.programs import run
from tests.diagnose.authority import Authority, tlsa_words
from tests.diagnose.healthy import SERVERS, Server
from tests.diagnose.unusual import PORTS, Door, Doors
from tests.domain.nameserver import NameServer, zone_of
from tests.domain.unusual import Validating
from tests.healthy import ON_LOOPBACK, excess

ZONE = "firm.example"
_COMMON = """\
@ A 9.9.9.80
@ MX 10 mx1
mx1 A 9.9.9.10
"""
# What is asked takes longest here, so it begins first.
SLOW_FIRST = sorted(
    SERVERS, key=lambda server: -max((one.delay_s for host in server.hosts for one in host.services), default=0)
)


class Place(NamedTuple):
    """Where a server answers."""

    target: str
    ports: tuple[str, ...]


class Looked:
    """All servers at work, and what the command said of each; all are asked at once, since most of it is waiting."""

    def __init__(self, directory: Path, doors: Doors, authority: Authority) -> None:
        self._home, self._ca_file = directory, authority.ca_file
        records: list[str] = []
        reverse: list[str] = []
        self._places = {server.name: _open(server, doors, records, reverse) for server in SERVERS}
        zones = [
            zone_of(ZONE, "\n".join([_COMMON, *records])),
            zone_of("provider.example", "gw7 A 9.9.9.77"),
            zone_of("example", "nothing TXT x"),
            zone_of("in-addr.arpa", "\n".join(reverse)),
        ]
        self.offset = doors.offset
        self._servers = (NameServer(zones), Validating(zones))
        self._pool = ThreadPoolExecutor(6)
        self._documents: dict[str, Future[dict[str, Any]]] = {
            server.name: self._pool.submit(self._ask, server) for server in SLOW_FIRST
        }

    def document(self, server: Server) -> dict[str, Any]:
        return self._documents[server.name].result(120)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
        for one in self._servers:
            one.close()

    def _ask(self, server: Server) -> dict[str, Any]:
        place = self._places[server.name]
        ports = [] if server.is_whole else [word for port in place.ports for word in ("--port", port)]
        nameserver = f"127.0.0.1:{self._servers[server.is_secure].port}"
        options = ("--ca-file", str(self._ca_file), "--nameserver", nameserver, "--timeout", "8", "--json")
        done = run(self._home, "diagnose", place.target, *ports, *options, *server.arguments)
        assert done.stdout, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def _open(server: Server, doors: Doors, records: list[str], reverse: list[str]) -> Place:
    """Let a server answer, and add what the name server has to know of it."""
    opened: list[Door] = []
    words: dict[str, str] = {}
    for host in server.hosts:
        name = f"{host.label}.{ZONE}"
        address, mine = doors.open(name, host.services)
        opened += mine
        words[host.label] = address
        records.append(f"{host.label} A {address}")
        back = ".".join(reversed(address.split(".")))
        reverse += [f"{back} PTR {one}." for one in ((name,) if host.names is None else host.names)]
    issued = [one for door in opened for one in door.issued]
    words |= tlsa_words(issued) if issued else {}
    records.append(server.records.format(**words))
    ports = dict.fromkeys(f"{PORTS[one.service.kind] + doors.offset}:{one.service.kind}" for one in opened)
    return Place(server.target or f"{server.hosts[0].label}.{ZONE}", tuple(ports))


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    directory = tmp_path_factory.mktemp("healthy")
    authority = Authority(directory)
    with Doors(authority) as doors, contextlib.closing(Looked(directory, doors, authority)) as running:
        yield running


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name)
def test_nothing_is_reported_beyond_the_label(looked: Looked, server: Server) -> None:
    if looked.offset and (server.is_whole or server.is_secure):
        pytest.skip("the usual ports cannot be used here")
    found = looked.document(server)["findings"]
    assert excess(found, (*server.may, ON_LOOPBACK)) == []
    passed = {one["id"] for one in found if one["status"] == "pass"}
    assert set(server.passes.split()) <= passed, [one for one in found if one["id"] in server.passes.split()]


def test_each_label_has_its_reason_and_each_server_a_name_of_its_own() -> None:
    assert len({server.name for server in SERVERS}) == len(SERVERS) >= 40
    assert [may for server in SERVERS for may in server.may if not may.why] == []

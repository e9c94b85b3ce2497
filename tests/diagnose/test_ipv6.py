"""Hosts on IPv6, and hosts that answer on IPv4 only."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailmon.diagnose.plan import Options, Request, kinds_for
from mailmon.diagnose.run import diagnose
from mailmon.model import Verdict
from mailmon.sandbox import Sandbox
from tests.domain.nameserver import serving, zone_of
from tests.link import Link


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6, not even on loopback")

ZONE = "both A 127.0.0.1\nboth AAAA ::1\nsix AAAA ::1\n"


@pytest.fixture
def links(sandbox: Sandbox) -> Iterator[tuple[Link, Link]]:
    """The embedded server's submission port on IPv4 and on IPv6, the same number on both."""
    with Link(sandbox.smtp_port) as four, Link(sandbox.smtp_port, port=four.port, host="::1") as six:
        yield four, six


def look(
    host: str, port: int, nameserver: int = 9, ca_file: Path | None = None, family: str = "auto"
) -> dict[str, str]:
    request = Request(host, tuple(kinds_for((f"{port}:submission",), None)), False, (("127.0.0.1", nameserver),))
    result = diagnose(request, Options(str(ca_file) if ca_file else None, relay="none", family=family))
    return {
        one.id: one.status.value for one in result.findings if one.id.startswith("tcp.") and one.status != Verdict.PASS
    }


def test_an_ipv6_address_is_looked_at_like_any_other(links: tuple[Link, Link], sandbox: Sandbox) -> None:
    _, six = links
    assert look("::1", six.port, ca_file=sandbox.ca_file) == {}
    assert six.connections >= 1


def test_both_addresses_of_a_name_are_looked_at(links: tuple[Link, Link], sandbox: Sandbox) -> None:
    four, six = links
    with serving([zone_of("v.test", ZONE)]) as server:
        assert look("both.v.test", four.port, server.port, sandbox.ca_file) == {}
        assert min(four.connections, six.connections) >= 1
        before = four.connections
        assert look("both.v.test", four.port, server.port, sandbox.ca_file, "6") == {}
        assert four.connections == before


def test_what_is_closed_on_ipv6_only_is_a_notice(links: tuple[Link, Link], sandbox: Sandbox) -> None:
    four, six = links
    six.refuse()
    with serving([zone_of("v.test", ZONE)]) as server:
        assert look("both.v.test", four.port, server.port, sandbox.ca_file) == {"tcp.ipv6_unreachable": "fail"}
        assert look("six.v.test", four.port, server.port, sandbox.ca_file) == {"tcp.unreachable": "fail"}

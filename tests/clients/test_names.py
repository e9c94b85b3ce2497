"""Which addresses does a host name have, and is every look-up bounded?"""

from __future__ import annotations

import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Iterator

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from mailmon.clients.deadline import Deadline
from mailmon.clients.names import resolve_with_system, resolver_for
from mailmon.clients.server import Security, Server, Trust
from mailmon.clients.tls import verify_pin
from mailmon.clients.wire import connect
from mailmon.errors import Stage, StageError
from mailmon.mail.text import Masker

ZONE = {
    ("mail.example.org.", "A"): ["192.0.2.7"],
    ("mail.example.org.", "AAAA"): ["2001:db8::7"],
    ("six.example.org.", "AAAA"): ["2001:db8::6"],
    ("empty.example.org.", "TXT"): ['"x"'],
}
RCODES = {"broken.example.org.": dns.rcode.SERVFAIL, "no.example.org.": dns.rcode.REFUSED}


@contextlib.contextmanager
def name_server(*, is_silent: bool = False) -> Iterator[tuple[str, int]]:
    """Run a name server for the zone above; a silent one takes every question and answers none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    raw, address = sock.recvfrom(4096)
                    if not is_silent:
                        sock.sendto(answer(raw), address)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()
        finally:
            over.set()
            thread.join()


def answer(raw: bytes) -> bytes:
    query = dns.message.from_wire(raw)
    name, kind = query.question[0].name.to_text(), dns.rdatatype.to_text(query.question[0].rdtype)
    reply = dns.message.make_response(query, recursion_available=True)
    values = ZONE.get((name, kind), [])
    if values:
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *values))
    elif name in RCODES:
        reply.set_rcode(RCODES[name])
    elif not any(known == name for known, _ in ZONE):
        reply.set_rcode(dns.rcode.NXDOMAIN)
    return bytes(reply.to_wire())


def failure(host: str, server: tuple[str, int], seconds: float = 3.0) -> StageError:
    with pytest.raises(StageError) as caught:
        resolver_for([server])(host, 587, Deadline(seconds))
    assert (caught.value.stage, caught.value.target) == (Stage.DNS, f"{host}:587")
    return caught.value


@pytest.mark.parametrize(("host", "family"), [("192.0.2.7", socket.AF_INET), ("2001:db8::7", socket.AF_INET6)])
def test_an_address_needs_no_look_up(host: str, family: socket.AddressFamily) -> None:
    assert resolve_with_system(host, 25, Deadline(0)) == [(family, (host, 25))]
    assert resolver_for([("192.0.2.53", 53)])(host, 25, Deadline(0)) == [(family, (host, 25))]


def test_the_hosts_file_counts() -> None:
    assert (socket.AF_INET, ("127.0.0.1", 25)) in resolve_with_system("localhost", 25, Deadline(5))


@pytest.mark.parametrize("host", ["nothing.invalid", "a..b", "x" * 64 + ".example.org", "-"])
def test_a_name_that_cannot_be_resolved_ends_at_the_stage_dns(host: str) -> None:
    with pytest.raises(StageError) as caught:
        resolve_with_system(host, 587, Deadline(10))
    assert caught.value.stage is Stage.DNS
    assert caught.value.finding_id in ("dns.host_not_found", "dns.resolver_error")
    assert caught.value.advice


def test_name_servers_that_are_configured_are_asked_and_ipv4_comes_first() -> None:
    with name_server() as server:
        found = resolver_for([server])("mail.example.org", 587, Deadline(3))
    assert found == [(socket.AF_INET, ("192.0.2.7", 587)), (socket.AF_INET6, ("2001:db8::7", 587))]


def test_a_host_with_ipv6_only_is_found() -> None:
    with name_server() as server:
        assert resolver_for([server])("six.example.org", 25, Deadline(3)) == [(socket.AF_INET6, ("2001:db8::6", 25))]


@pytest.mark.parametrize(
    ("host", "finding_id"),
    [
        ("gone.example.org", "dns.host_not_found"),
        ("empty.example.org", "dns.host_not_found"),
        ("broken.example.org", "dns.resolver_error"),
        ("no.example.org", "dns.resolver_error"),
        ("x" * 64 + ".example.org", "dns.host_not_found"),
        ("a..b", "dns.host_not_found"),
    ],
)
def test_no_such_name_and_no_answer_are_told_apart(host: str, finding_id: str) -> None:
    with name_server() as server:
        assert failure(host, server).finding_id == finding_id


def test_a_silent_name_server_is_bounded() -> None:
    started_s = time.monotonic()
    with name_server(is_silent=True) as server:
        assert failure("mail.example.org", server, 0.4).finding_id == "dns.resolver_error"
    assert time.monotonic() - started_s < 2


@pytest.mark.parametrize("server", [("999.0.2.1", 53), ("192.0.2.1", 99999), (":::", 53)])
def test_a_name_server_that_cannot_be_is_told_as_such(server: tuple[str, int]) -> None:
    assert failure("mail.example.org", server, 0.4).finding_id == "dns.resolver_error"


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def reach(*addresses: tuple[socket.AddressFamily, tuple[str, int]], deadline_s: float = 3.0) -> StageError:
    server = Server("smtp", "mail.example.org", 587, Security.PLAIN, timeout_s=0.3)
    with pytest.raises(StageError) as caught:
        connect(server, list(addresses), Deadline(deadline_s), Masker())
    assert (caught.value.finding_id, caught.value.stage) == ("tcp.unreachable", Stage.CONNECT)
    return caught.value


def test_a_refused_port_is_the_servers_failure() -> None:
    exc = reach((socket.AF_INET, ("127.0.0.1", unused_port())))
    assert (exc.said, exc.ours) == ("connection refused", False)
    assert exc.advice == "Nothing listens on this port: is the mail server running?"


def test_a_refusal_is_not_hidden_by_an_address_family_that_this_machine_lacks() -> None:
    broadcast = (socket.AF_INET, ("255.255.255.255", 587))  # no way there over TCP: ENETUNREACH
    exc = reach(broadcast, (socket.AF_INET, ("127.0.0.1", unused_port())))
    assert exc.said == "connection refused"


def test_the_next_address_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server("smtp", "mail.example.org", 587, Security.PLAIN)
        addresses = [(socket.AF_INET, ("127.0.0.1", port)) for port in (unused_port(), listener.getsockname()[1])]
        connect(server, addresses, Deadline(3), Masker()).close()


PINNED = hashlib.sha256(b"certificate").hexdigest()


@pytest.mark.parametrize("pins", [(), (PINNED,), ("00" * 32, PINNED)])
def test_a_pinned_certificate_is_good(pins: tuple[str, ...]) -> None:
    verify_pin(b"certificate", Server("imap", "mail.example.org", 993, Security.TLS, Trust(None, pins)))


def test_a_certificate_that_is_not_pinned_says_its_digest() -> None:
    with pytest.raises(StageError) as caught:
        verify_pin(b"certificate", Server("imap", "mail.example.org", 993, Security.TLS, Trust(None, ("00" * 32,))))
    assert (caught.value.finding_id, caught.value.stage) == ("tls.pin_mismatch", Stage.CERTIFICATE)
    assert caught.value.said == f"the certificate's SHA-256 is {PINNED}, which is not pinned"

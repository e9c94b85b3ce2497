"""Addresses of host names, with bounded look-ups."""

from __future__ import annotations

import contextlib
import errno
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
from mailmon.clients.resolver import (
    Addresses,
    RememberingResolve,
    ask_nameserver,
    has_route,
    is_loopback,
    packed,
    resolve_with_system,
    resolver_for,
    system_nameservers,
)
from mailmon.clients.server import Security, Server, Trust
from mailmon.clients.tls import verify_pin
from mailmon.clients.wire import Wire, connect
from mailmon.errors import Stage, StageError
from mailmon.text import Masker

ZONE = {
    ("mail.example.org.", "A"): ["192.0.2.7"],
    ("mail.example.org.", "AAAA"): ["2001:db8::7"],
    ("six.example.org.", "AAAA"): ["2001:db8::6"],
    ("empty.example.org.", "TXT"): ['"x"'],
    ("alias.example.net.", "A"): ["127.0.0.1"],
    (".", "NS"): ["a.root-servers.example."],
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mail.example.org", ""),
        ("empty.example.org", ""),  # NODATA
        ("gone.example.org", ""),  # NXDOMAIN
        (".", ""),
        ("broken.example.org", "SERVFAIL"),
        ("no.example.org", "REFUSED"),
    ],
)
def test_a_name_server_answers_unless_it_fails_or_refuses(name: str, expected: str) -> None:
    with name_server() as server:
        assert ask_nameserver(name, server, Deadline(3)) == expected


def test_a_name_server_that_is_silent_or_dead_does_not_answer() -> None:
    started_s = time.monotonic()
    with name_server(is_silent=True) as server:
        assert ask_nameserver(".", server, Deadline(0.4)) == "silent"
    assert ask_nameserver(".", server, Deadline(0.4)) == "silent"  # nobody listens there any more
    assert ask_nameserver(".", ("999.0.2.1", 53), Deadline(0.4)) != ""
    assert ask_nameserver("a..b", server, Deadline(0.4)) != ""
    assert time.monotonic() - started_s < 3


def test_the_system_has_name_servers() -> None:
    found = system_nameservers()
    assert found
    assert all(packed(address) and port for address, port in found)


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:0201", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_the_same_however_it_is_written(address: str, same: str) -> None:
    assert packed(address) == packed(same) is not None


@pytest.mark.parametrize("name", ["", "localhost", "mail.example.org", "192.0.2", "192.0.2.256", "1", "é", "a\0b"])
def test_a_name_is_no_address(name: str) -> None:
    assert packed(name) is None
    assert not is_loopback(name)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("::", True),
        ("128.0.0.1", False),
        ("192.0.2.127", False),
        ("2001:db8::1", False),
        ("7f00::1", False),
    ],
)
def test_loopback_is_this_machine(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


def test_what_was_found_is_remembered() -> None:
    with name_server() as server:
        resolve = RememberingResolve(resolver_for([server]))
        assert resolve.known == {}
        assert resolve("mail.example.org", 587, Deadline(3)) == [
            (socket.AF_INET, ("192.0.2.7", 587)),
            (socket.AF_INET6, ("2001:db8::7", 587)),
        ]
        resolve("mail.example.org", 993, Deadline(3))
        with pytest.raises(StageError):
            resolve("gone.example.org", 993, Deadline(3))
    assert resolve.known == {"mail.example.org": ("192.0.2.7", "2001:db8::7")}


def test_what_was_known_of_a_host_stays_when_it_cannot_be_found_again() -> None:
    answers: list[Addresses] = [[(socket.AF_INET, ("192.0.2.7", 25))] * 2, [(socket.AF_INET, ("192.0.2.8", 25))]]

    def resolve(host: str, port: int, deadline: Deadline) -> Addresses:
        if not answers:
            raise StageError("dns.resolver_error", Stage.DNS, host, "no answer")
        return answers.pop(0)

    remembering = RememberingResolve(resolve)
    for expected in ("192.0.2.7", "192.0.2.8"):
        remembering("mail.example.org", 25, Deadline(3))
        assert remembering.known == {"mail.example.org": (expected,)}
    with pytest.raises(StageError):
        remembering("mail.example.org", 25, Deadline(3))
    assert remembering.known == {"mail.example.org": ("192.0.2.8",)}


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
    assert (exc.said, exc.ours, exc.is_silence) == ("connection refused", False, False)
    assert exc.advice == "Nothing listens on this port: is the mail server running?"


def test_a_refusal_is_not_hidden_by_an_address_family_that_this_machine_lacks() -> None:
    broadcast = (socket.AF_INET, ("255.255.255.255", 587))  # no way there over TCP: ENETUNREACH
    exc = reach(broadcast, (socket.AF_INET, ("127.0.0.1", unused_port())))
    assert exc.said == "connection refused"


def test_an_address_family_that_this_machine_lacks_is_ours_and_no_silence() -> None:
    exc = reach((socket.AF_APPLETALK, ("x", 1)))
    assert (exc.ours, exc.is_silence) == (True, False)


@pytest.mark.skipif(not has_route(), reason="on a machine without a network every failure is its own")
def test_what_came_from_outside_is_told_before_what_this_machine_lacks() -> None:
    broadcast = (socket.AF_INET, ("255.255.255.255", 587))  # for TCP alone there is no way there
    exc = reach((socket.AF_APPLETALK, ("x", 1)), broadcast)
    assert (exc.ours, exc.is_silence) == (False, True)


@pytest.mark.parametrize(("number", "is_silence"), [(errno.EHOSTUNREACH, True), (errno.ECONNRESET, False)])
def test_a_connection_that_breaks_tells_whether_anything_came_back(number: int, is_silence: bool) -> None:
    class Broken(socket.socket):
        def recv(self, *_: object) -> bytes:
            raise OSError(number, "broken")

    wire = Wire(Broken(), Server("imap", "mail.example.org", 993, Security.PLAIN), Deadline(3), Masker(), None)
    with pytest.raises(StageError) as caught:
        wire.read_line()
    wire.close()
    assert (caught.value.finding_id, caught.value.lost) == ("imap.connection_lost", True)
    assert caught.value.is_silence is is_silence


def test_the_next_address_is_tried() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Server("smtp", "mail.example.org", 587, Security.PLAIN)
        addresses = [(socket.AF_INET, ("127.0.0.1", port)) for port in (unused_port(), listener.getsockname()[1])]
        connect(server, addresses, Deadline(3), Masker()).close()


def test_a_refusal_beside_a_silent_address_is_a_reply() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        silent = (socket.AF_INET, full.getsockname())
        assert reach(silent, silent).is_silence
        assert not reach(silent, (socket.AF_INET, ("127.0.0.1", unused_port()))).is_silence


def test_a_failing_resolver_may_be_our_own_fault_but_nxdomain_is_not() -> None:
    with name_server() as server:
        assert failure("broken.example.org", server).is_silence
        assert not failure("gone.example.org", server).is_silence


PINNED = hashlib.sha256(b"certificate").hexdigest()


@pytest.mark.parametrize("pins", [(), (PINNED,), ("00" * 32, PINNED)])
def test_a_pinned_certificate_is_good(pins: tuple[str, ...]) -> None:
    verify_pin(b"certificate", Server("imap", "mail.example.org", 993, Security.TLS, Trust(None, pins)))


def test_a_certificate_that_is_not_pinned_says_its_digest() -> None:
    with pytest.raises(StageError) as caught:
        verify_pin(b"certificate", Server("imap", "mail.example.org", 993, Security.TLS, Trust(None, ("00" * 32,))))
    assert (caught.value.finding_id, caught.value.stage) == ("tls.pin_mismatch", Stage.CERTIFICATE)
    assert caught.value.said == f"the certificate's SHA-256 is {PINNED}, which is not pinned"

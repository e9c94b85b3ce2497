"""The name server of these tests answers as one does, and misbehaves on request."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone
import pytest

from tests.domain.nameserver import CUT, CUT_NO_TCP, REFUSED, SERVFAIL, SILENT, Fault, NameServer, serving, zone_of
from tests.domain.validating import make_key, signed

TIMEOUT_S = 5.0  # a loaded machine is slow
LONG = " ".join(f'"{"x" * 255}"' for _ in range(60))
_FIRM = f"""\
@ MX 10 mx
mx A 9.9.9.10
long TXT {LONG}
deep.empty.branch TXT "x"
*.wild TXT "any"
there.wild A 9.9.9.10
alias CNAME mx
far CNAME mx.carrier.example.
further CNAME far
astray CNAME gone
round CNAME circle
circle CNAME round
servfail A 9.9.9.1
refused A 9.9.9.1
silent A 9.9.9.1
cut A 9.9.9.1
cut-no-tcp A 9.9.9.1
slow A 9.9.9.1
half A 9.9.9.1
half TXT "x"
"""
FAULTS = {
    "servfail.firm.example": SERVFAIL,
    "refused.firm.example": REFUSED,
    "silent.firm.example": SILENT,
    "cut.firm.example": CUT,
    "cut-no-tcp.firm.example": CUT_NO_TCP,
    "slow.firm.example": Fault(slow_s=0.3),
    "half.firm.example TXT": SERVFAIL,
}
_SIGNED = """\
@ MX 10 mx
mx A 9.9.9.10
a.b.c TXT "deep"
*.wild TXT "any"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    zones = [zone_of("firm.example", _FIRM), zone_of("carrier.example", "mx A 9.9.9.12"), zone_of("example", "")]
    with serving([*zones, signed(zone_of("safe.example", _SIGNED), make_key("safe.example"))], FAULTS) as running:
        yield running


def udp(
    server: NameServer, name: str, kind: str = "A", *, want_dnssec: bool = False, payload: int | None = None
) -> dns.message.Message:
    query = dns.message.make_query(name, kind, want_dnssec=want_dnssec, payload=payload)
    return dns.query.udp(query, "127.0.0.1", TIMEOUT_S, server.port)


def tcp(server: NameServer, name: str, kind: str = "A") -> dns.message.Message:
    return dns.query.tcp(dns.message.make_query(name, kind), "127.0.0.1", TIMEOUT_S, server.port)


def kinds(section: list[dns.rrset.RRset]) -> list[str]:
    return [dns.rdatatype.to_text(one.rdtype) for one in section]


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "answer"),
    [
        ("firm.example", "MX", "NOERROR", ["MX"]),
        ("FIRM.Example", "MX", "NOERROR", ["MX"]),
        ("firm.example", "AAAA", "NOERROR", []),
        ("gone.firm.example", "A", "NXDOMAIN", []),
        ("branch.firm.example", "A", "NOERROR", []),  # an empty non-terminal exists (RFC 8020)
        ("empty.branch.firm.example", "TXT", "NOERROR", []),
        ("x.empty.branch.firm.example", "TXT", "NXDOMAIN", []),
        ("x.wild.firm.example", "TXT", "NOERROR", ["TXT"]),
        ("x.y.wild.firm.example", "TXT", "NOERROR", ["TXT"]),
        ("x.wild.firm.example", "A", "NOERROR", []),
        ("there.wild.firm.example", "TXT", "NOERROR", []),  # what exists is no matter of the wildcard (RFC 4592)
        ("x.there.wild.firm.example", "TXT", "NXDOMAIN", []),
        ("alias.firm.example", "A", "NOERROR", ["CNAME", "A"]),
        ("alias.firm.example", "CNAME", "NOERROR", ["CNAME"]),
        ("further.firm.example", "A", "NOERROR", ["CNAME", "CNAME", "A"]),
        ("far.firm.example", "AAAA", "NOERROR", ["CNAME"]),
        ("astray.firm.example", "A", "NXDOMAIN", ["CNAME"]),  # the code is that of the last name (RFC 6604)
        ("firm.example", "DS", "NOERROR", []),
    ],
)
def test_names_are_there_or_not(server: NameServer, name: str, kind: str, rcode: str, answer: list[str]) -> None:
    for said in (udp(server, name, kind), tcp(server, name, kind)):
        assert dns.rcode.to_text(said.rcode()) == rcode
        assert kinds(said.answer) == answer
        assert ("SOA" in kinds(said.authority)) is (not answer or answer[-1] == "CNAME" != kind)


def test_an_alias_that_leads_to_itself_ends(server: NameServer) -> None:
    assert udp(server, "round.firm.example").rcode() == dns.rcode.SERVFAIL


def test_a_foreign_name_gets_an_answer(server: NameServer) -> None:
    assert udp(server, "nobody.test").rcode() == dns.rcode.NXDOMAIN


def test_what_does_not_fit_into_a_datagram_is_cut(server: NameServer) -> None:
    short = udp(server, "long.firm.example", "TXT", payload=1232)
    assert short.flags & dns.flags.TC
    assert not short.answer
    whole = tcp(server, "long.firm.example", "TXT")
    assert not whole.flags & dns.flags.TC
    (record,) = whole.answer[0]
    assert sum(map(len, record.strings)) == 60 * 255


def test_a_datagram_is_as_large_as_the_asker_takes(server: NameServer) -> None:
    assert udp(server, "long.firm.example", "TXT").flags & dns.flags.TC
    assert not udp(server, "long.firm.example", "TXT", payload=20000).flags & dns.flags.TC


@pytest.mark.parametrize(("name", "rcode"), [("servfail", "SERVFAIL"), ("refused", "REFUSED")])
def test_names_misbehave(server: NameServer, name: str, rcode: str) -> None:
    for said in (udp(server, f"{name}.firm.example"), udp(server, f"{name.upper()}.FIRM.example", "TXT")):
        assert dns.rcode.to_text(said.rcode()) == rcode
        assert not said.answer


def test_one_type_of_a_name_misbehaves(server: NameServer) -> None:
    assert udp(server, "half.firm.example", "TXT").rcode() == dns.rcode.SERVFAIL
    assert udp(server, "half.firm.example", "A").answer


def test_a_silent_name_says_nothing_and_the_others_go_on(server: NameServer) -> None:
    query = dns.message.make_query("silent.firm.example", "A")
    with pytest.raises(dns.exception.Timeout):
        dns.query.udp(query, "127.0.0.1", 0.2, server.port)
    assert udp(server, "mx.firm.example").answer


def test_a_cut_answer_is_whole_by_tcp_or_the_line_is_closed(server: NameServer) -> None:
    assert udp(server, "cut.firm.example").flags & dns.flags.TC
    assert tcp(server, "cut.firm.example").answer
    assert udp(server, "cut-no-tcp.firm.example").flags & dns.flags.TC
    with pytest.raises(EOFError):
        tcp(server, "cut-no-tcp.firm.example")


def test_slowness_and_latency() -> None:
    with serving([zone_of("firm.example", _FIRM)], FAULTS, latency_s=0.05) as server:
        took = []
        for name in ("mx.firm.example", "slow.firm.example"):
            begun = time.monotonic()
            udp(server, name)
            took.append(time.monotonic() - begun)
    assert took[0] >= 0.05
    assert took[1] >= 0.35


def test_slow_answers_do_not_hold_up_others(server: NameServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waiting:
        waiting.settimeout(TIMEOUT_S)
        slow = dns.message.make_query("slow.firm.example", "A")
        waiting.sendto(slow.to_wire(), ("127.0.0.1", server.port))
        assert udp(server, "mx.firm.example").answer
        assert slow.is_response(dns.message.from_wire(waiting.recv(4096)))


def test_questions_are_counted() -> None:
    with serving([zone_of("firm.example", _FIRM)]) as server:
        udp(server, "MX.firm.example")
        tcp(server, "mx.firm.example", "AAAA")
    assert server.asked == ["mx.firm.example A", "mx.firm.example AAAA"]


@pytest.mark.parametrize("wire", [b"", b"\x00" * 11, b"\x00" * 12, b"\xff" * 40])
def test_what_is_no_question_gets_no_answer_and_does_no_harm(
    server: NameServer, wire: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(wire, ("127.0.0.1", server.port))
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S) as sock:
        sock.sendall(struct.pack("!H", len(wire)) + wire)
        sock.shutdown(socket.SHUT_WR)
        assert sock.recv(10) == b""
    assert udp(server, "mx.firm.example").answer
    assert capsys.readouterr().err == ""


def test_signatures_are_given_to_those_who_want_them(server: NameServer) -> None:
    assert kinds(udp(server, "safe.example", "MX").answer) == ["MX"]
    assert kinds(udp(server, "safe.example", "MX", want_dnssec=True).answer) == ["MX", "RRSIG"]
    assert kinds(udp(server, "safe.example", "DNSKEY", want_dnssec=True).answer) == ["DNSKEY", "RRSIG"]
    assert kinds(udp(server, "gone.safe.example", "MX").authority) == ["SOA"]


@pytest.mark.parametrize(
    "name",
    ["gone", "mx", "x.a.b.c", "x.b.c", "w.x.b.c", "v.w.x.c", "c", "b.c", "x.y.z", "wild", "x.wild"],
)
def test_of_a_signed_zone_it_is_proven_what_is_not_there(server: NameServer, name: str) -> None:
    said = udp(server, f"{name}.safe.example", "LOC", want_dnssec=True)
    asked = dns.name.from_text(f"{name}.safe.example")
    spans = [(one.name, one[0].next, one[0].to_text()) for one in said.authority if one.rdtype == dns.rdatatype.NSEC]
    assert all(kinds(said.authority).count(kind) for kind in ("SOA", "NSEC", "RRSIG"))
    if said.rcode() == dns.rcode.NXDOMAIN:
        assert any(is_between(asked, first, last) for first, last, _ in spans)
        closest = asked
        while not any(end.is_subdomain(closest) for first, last, _ in spans for end in (first, last)):
            closest = closest.parent()
        wild = dns.name.Name((b"*", *closest.labels))
        assert any(is_between(wild, first, last) for first, last, _ in spans), "the wildcard may exist"
    else:
        assert any(
            first == asked or last.is_subdomain(asked) or is_between(asked, first, last) for first, last, _ in spans
        )


def is_between(name: dns.name.Name, first: dns.name.Name, last: dns.name.Name) -> bool:
    """Say whether an NSEC record proves that there is no such name (RFC 4034 section 4.1.1)."""
    return bool(first < name and (name < last or last <= first))


def test_it_stops_and_frees_its_port() -> None:
    with serving([zone_of("firm.example", _FIRM)], FAULTS) as server:
        idle = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        udp(server, "mx.firm.example")
    with idle, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(("127.0.0.1", server.port))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)

"""A name server on loopback for tests: zones as text, signed or not, and names that misbehave. UDP and TCP."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

PLAIN_BYTES = 512
MAX_CHAIN = 12


class Fault(NamedTuple):
    """How a name misbehaves: `rcode` is what it answers, `is_silent` that it does not.

    `is_cut` sets TC whatever the size, `no_tcp` hangs up when asked by TCP, `slow_s` waits.
    """

    rcode: str = ""
    is_silent: bool = False
    is_cut: bool = False
    no_tcp: bool = False
    slow_s: float = 0.0


SERVFAIL, REFUSED, SILENT = Fault("SERVFAIL"), Fault("REFUSED"), Fault(is_silent=True)
CUT, CUT_NO_TCP = Fault(is_cut=True), Fault(is_cut=True, no_tcp=True)

# By name, or by "name TYPE".
Faults = Mapping[str, Fault]


class Zones:
    """What is known under each name."""

    def __init__(self, zones: list[dns.zone.Zone]) -> None:
        self._zones = sorted(zones, key=lambda zone: -len(zone.origin or ()))

    def fill(self, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        """Answer a question, through aliases, with signatures where they are wanted."""
        for _ in range(MAX_CHAIN):
            zone = self._zone_of(name, kind)
            if zone is None:
                response.set_rcode(dns.rcode.NXDOMAIN)
                return
            alias = self._fill_from(zone, response, name, kind)
            if alias is None:
                return
            name = alias
        response.set_rcode(dns.rcode.SERVFAIL)

    def _zone_of(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.zone.Zone | None:
        """Return the zone that answers; a DS stands in the one above (RFC 4035 section 3.1.4.1)."""
        for zone in self._zones:
            assert zone.origin is not None
            is_own_ds = kind == dns.rdatatype.DS and name == zone.origin
            if name.is_subdomain(zone.origin) and not is_own_ds:
                return zone
        return None

    def _fill_from(
        self, zone: dns.zone.Zone, response: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.name.Name | None:
        """Add what a zone has; return where an alias leads."""
        node, wildcard = _node(zone, name)
        if node is None and any(name == other.origin for other in self._zones):
            node = dns.node.Node()  # type: ignore[no-untyped-call]  # the one above knows that it is there
        if node is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            _deny(zone, response, name)
            return None
        for wanted in (kind, dns.rdatatype.CNAME):
            found = node.get_rdataset(zone.rdclass, wanted)
            if found is None:
                continue
            response.answer.append(dns.rrset.from_rdata_list(name, found.ttl, list(found)))
            _sign(zone, response.answer, node, name, wanted, response)
            if wildcard is not None:
                _prove(zone, response, name)
            return None if wanted == kind else found[0].target.derelativize(zone.origin)
        _deny(zone, response, name)
        return None


def _node(zone: dns.zone.Zone, name: dns.name.Name) -> tuple[dns.node.Node | None, dns.name.Name | None]:
    """Return the node of a name, and the wildcard that it comes from; empty where only names below it exist."""
    assert zone.origin is not None
    found = zone.get_node(name)
    if found is not None:
        return found, None
    if any(other.derelativize(zone.origin).is_subdomain(name) for other in zone.nodes):
        return dns.node.Node(), None  # type: ignore[no-untyped-call]
    above = name
    while above != zone.origin:
        above = above.parent()
        wild = dns.name.Name(("*", *above.labels))
        found = zone.get_node(wild)
        if found is not None:
            return found, wild
        if zone.get_node(above) is not None:
            break
    return None, None


def _sign(
    zone: dns.zone.Zone,
    section: list[dns.rrset.RRset],
    node: dns.node.Node,
    name: dns.name.Name,
    kind: dns.rdatatype.RdataType,
    response: dns.message.Message,
) -> None:
    found = node.get_rdataset(zone.rdclass, dns.rdatatype.RRSIG, kind)
    if found is not None and response.ednsflags & dns.flags.DO:
        section.append(dns.rrset.from_rdata_list(name, found.ttl, list(found)))


def _deny(zone: dns.zone.Zone, response: dns.message.Message, name: dns.name.Name) -> None:
    """Add the SOA, and of a signed zone the proof that there is nothing."""
    assert zone.origin is not None
    _prove(zone, response, name)
    _show(zone, response, zone.origin, dns.rdatatype.SOA)


def _prove(zone: dns.zone.Zone, response: dns.message.Message, name: dns.name.Name) -> None:
    """Add the NSEC records of a signed zone that deny a name and each wildcard above it (RFC 4035 section 3.1.3)."""
    assert zone.origin is not None
    if not response.ednsflags & dns.flags.DO or not zone.get_rdataset(zone.origin, dns.rdatatype.NSEC):
        return
    owners = sorted(one.derelativize(zone.origin) for one in zone.nodes)
    denied = [name]
    while name != zone.origin:
        name = name.parent()
        denied.append(dns.name.Name(("*", *name.labels)))
    for wanted in denied:
        _show(zone, response, max(owner for owner in owners if owner <= wanted), dns.rdatatype.NSEC)


def _show(
    zone: dns.zone.Zone, response: dns.message.Message, owner: dns.name.Name, kind: dns.rdatatype.RdataType
) -> None:
    node = zone.get_node(owner)
    found = node.get_rdataset(zone.rdclass, kind) if node is not None else None
    if node is None or found is None or any(one.name == owner and one.rdtype == kind for one in response.authority):
        return
    response.authority.append(dns.rrset.from_rdata_list(owner, found.ttl, list(found)))
    _sign(zone, response.authority, node, owner, kind, response)


class NameServer:
    """Answers at 127.0.0.1:`port` until it is closed; `asked` are the questions so far, as "name TYPE"."""

    def __init__(self, zones: list[dns.zone.Zone], faults: Faults | None = None, latency_s: float = 0.0) -> None:
        self._zones, self._faults, self._latency_s = Zones(zones), dict(faults or {}), latency_s
        self.asked: list[str] = []
        self._udp, self._tcp = _pair()
        self.port = int(self._udp.server_address[1])
        for server in (self._udp, self._tcp):
            server.respond = self.respond
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        for server in (self._udp, self._tcp):
            server.shutdown()
            server.server_close()

    def respond(self, wire: bytes, *, is_tcp: bool) -> bytes | None:
        """Return the answer to a question, None for none."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append(f"{name} {kind}")
        fault = self._faults.get(f"{name} {kind}") or self._faults.get(name) or Fault()
        time.sleep(self._latency_s + fault.slow_s)
        if fault.is_silent or (is_tcp and fault.no_tcp):
            return None
        response = dns.message.make_response(query, recursion_available=True)
        if query.edns >= 0:
            response.use_edns(0, query.ednsflags & dns.flags.DO, 1232)
        if fault.rcode:
            response.set_rcode(dns.rcode.from_text(fault.rcode))
        else:
            self._zones.fill(response, question.name, question.rdtype)
        if is_tcp:
            return response.to_wire(max_size=65535)
        if fault.is_cut:
            return _cut(response)
        try:
            return response.to_wire(max_size=max(query.payload, PLAIN_BYTES))
        except dns.exception.TooBig:
            return _cut(response)


def _cut(response: dns.message.Message) -> bytes:
    response.answer.clear()
    response.authority.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()


class _Udp(socketserver.ThreadingUDPServer):
    daemon_threads, block_on_close = True, False
    respond: Any = None


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads, block_on_close, allow_reuse_address = True, False, True
    respond: Any = None


def _pair() -> tuple[_Udp, _Tcp]:
    """Return both servers on one port, which has to be free for both."""
    for _ in range(50):
        udp = _Udp(("127.0.0.1", 0), _UdpHandler)
        try:
            return udp, _Tcp(udp.server_address, _TcpHandler)
        except OSError:
            udp.server_close()
    raise OSError("no port is free for UDP and TCP")


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp

    def handle(self) -> None:
        wire, sock = self.request
        answer = self.server.respond(wire, is_tcp=False)
        if answer is not None:
            with contextlib.suppress(OSError):
                sock.sendto(answer, self.client_address)


class _TcpHandler(socketserver.BaseRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        self.request.settimeout(5.0)
        with contextlib.suppress(OSError, struct.error):
            while True:
                (length,) = struct.unpack("!H", self._read(2))
                answer = self.server.respond(self._read(length), is_tcp=True)
                if answer is None:
                    return
                self.request.sendall(struct.pack("!H", len(answer)) + answer)

    def _read(self, count: int) -> bytes:
        data: bytes = self.request.recv(count, socket.MSG_WAITALL)
        return data


def zone_of(origin: str, lines: str) -> dns.zone.Zone:
    """Return a zone; SOA and NS are added."""
    head = f"$ORIGIN {origin}.\n$TTL 300\n@ IN SOA ns.{origin}. hostmaster.{origin}. 1 3600 600 86400 60\n"
    return dns.zone.from_text(f"{head}@ IN NS ns.{origin}.\n{lines}\n", relativize=False, check_origin=False)


@contextlib.contextmanager
def serving(zones: list[dns.zone.Zone], faults: Faults | None = None, latency_s: float = 0.0) -> Iterator[NameServer]:
    """Serve zones."""
    server = NameServer(zones, faults, latency_s)
    try:
        yield server
    finally:
        server.close()

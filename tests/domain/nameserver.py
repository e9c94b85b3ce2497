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
import dns.rcode
import dns.rdatatype
import dns.zone

from tests.domain.answers import Zones

PLAIN_BYTES = 512


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


class NameServer:
    """Answers at 127.0.0.1:`port` until it is closed; `asked` are the questions so far, as "name TYPE".

    With `validates` it claims of every answer that DNSSEC vouches for it, as a resolver does that has validated it.
    """

    def __init__(
        self,
        zones: list[dns.zone.Zone],
        faults: Faults | None = None,
        latency_s: float = 0.0,
        *,
        validates: bool = False,
    ) -> None:
        self._flags = dns.flags.AD if validates else 0
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
            response.flags |= self._flags
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
def serving(
    zones: list[dns.zone.Zone], faults: Faults | None = None, latency_s: float = 0.0, *, validates: bool = False
) -> Iterator[NameServer]:
    """Serve zones."""
    server = NameServer(zones, faults, latency_s, validates=validates)
    try:
        yield server
    finally:
        server.close()

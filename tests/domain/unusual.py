"""Name servers that are right but unusual: one whose answers are validated, one that knows nothing of EDNS."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.rcode
import dns.zone

from tests.domain.nameserver import NameServer

_AD = 0x20  # in the fourth byte of the header (RFC 4035 section 3.2.3)


class Validating(NameServer):
    """Says of each answer that DNSSEC has validated it."""

    def respond(self, wire: bytes, *, is_tcp: bool) -> bytes | None:
        """Return the answer to a question, with AD set."""
        answer = super().respond(wire, is_tcp=is_tcp)
        return answer and answer[:3] + bytes([answer[3] | _AD]) + answer[4:]


class WithoutEdns(NameServer):
    """Refuses questions that have EDNS, with `rcode`, and answers them without (RFC 6891 section 7)."""

    def __init__(self, zones: list[dns.zone.Zone], rcode: str) -> None:
        self._rcode = dns.rcode.from_text(rcode)
        super().__init__(zones)

    def respond(self, wire: bytes, *, is_tcp: bool) -> bytes | None:
        """Return the answer to a question, or the refusal of its EDNS."""
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        if query.edns < 0:
            return super().respond(wire, is_tcp=is_tcp)
        response = dns.message.make_response(query)
        response.use_edns(-1)
        response.set_rcode(self._rcode)
        return response.to_wire()

"""Answers of a name server from its zones: aliases, wildcards, empty names, and proofs in signed zones."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.zone

MAX_CHAIN = 12


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

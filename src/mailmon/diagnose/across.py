"""What shows only when all ports are seen together? One certificate, IPv6, nothing open at all, DANE and MTA-STS."""

from __future__ import annotations

from collections.abc import Sequence

from mailmon.catalogue import Findings
from mailmon.clients.names import has_route_to
from mailmon.clients.records import Records
from mailmon.diagnose.dane import judge_tlsa
from mailmon.diagnose.session import Session
from mailmon.diagnose.trouble import NO_IPV6
from mailmon.model.facts import Finding


def compare(
    found: Sequence[Finding], sessions: Sequence[Session], records: Records, *, is_whole_host: bool
) -> list[Finding]:
    """Return all findings with what follows from several of them."""
    kept = _ipv6(list(found), sessions)
    hosts = dict.fromkeys(one.endpoint.host for one in sessions)
    for host in hosts:
        own = [one for one in sessions if one.endpoint.host == host]
        judged = Findings(host)
        if is_whole_host:
            _anything_open(judged, own)
        _same_certificate(judged, own)
        judge_tlsa(judged, own, records)
        kept += judged.all
    return kept


def _anything_open(found: Findings, sessions: Sequence[Session]) -> None:
    if any(one.is_open for one in sessions):
        return
    closed = [finding for one in sessions for finding in one.found.all if finding.id == "tcp.unreachable"]
    if closed and all(NO_IPV6 in finding.message for finding in closed):
        found.unknown("tcp.unreachable", f"{NO_IPV6}, and the host has no other address")
    elif closed and all("no answer" in finding.message for finding in closed):
        found.unknown("tcp.unreachable", "none of the mail ports answers: a firewall may drop the packets")
    elif closed:
        found.fail("tcp.unreachable", "none of the mail ports is open")


def _same_certificate(found: Findings, sessions: Sequence[Session]) -> None:
    """The same host should show one certificate: one that was forgotten at a renewal is the next to expire."""
    by_digest: dict[str, list[str]] = {}
    for one in sessions:
        if one.service.tls:
            shown = f"{one.service.tls.not_after[:10]} on {one.endpoint.port}"
            by_digest.setdefault(f"{one.service.tls.sha256}", []).append(shown)
    ports = sum(map(len, by_digest.values()))
    if len(by_digest) > 1:
        listed = "; ".join(
            f"{digest[:12]}… ({', '.join(dict.fromkeys(places))})" for digest, places in by_digest.items()
        )
        found.fail(
            "tls.cert_differs_between_ports", f"its ports show {len(by_digest)} different certificates", found=listed
        )
    elif ports > 1:
        found.passed("tls.cert_differs_between_ports", f"all {ports} TLS ports show the same certificate")


def _ipv6(findings: list[Finding], sessions: Sequence[Session]) -> list[Finding]:
    """Turn a port that is closed on IPv6 only into one notice: mail gets through by IPv4."""
    open_ports = {
        (one.endpoint.host, one.endpoint.port) for one in sessions if one.is_open and ":" not in one.endpoint.address
    }
    closed = [
        one
        for one in sessions
        if ":" in one.endpoint.address and not one.is_open and (one.endpoint.host, one.endpoint.port) in open_ports
    ]
    targets = {one.endpoint.target for one in closed}
    kept = [one for one in findings if not (one.id == "tcp.unreachable" and one.target in targets)]
    for address in dict.fromkeys(one.endpoint.address for one in closed):
        found = Findings(f"{closed[0].endpoint.host}")
        ports = ", ".join(str(one.endpoint.port) for one in closed if one.endpoint.address == address)
        if has_route_to(address):
            found.fail("tcp.ipv6_unreachable", f"{address} does not answer on {ports}, which are open on IPv4")
        else:
            found.unknown("tcp.ipv6_unreachable", f"this machine has no IPv6, so {address} could not be asked")
        kept += found.all
    return kept

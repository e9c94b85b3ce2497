"""Findings that need all ports of a host: different certificates, IPv6, no open port, DANE, and the software."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from mailmon.clients.records import Answered, Records, is_address
from mailmon.clients.resolver import has_route_to
from mailmon.diagnose.conversation import NO_IPV6
from mailmon.diagnose.dane import judge_chain, judge_records
from mailmon.diagnose.session import Session
from mailmon.findings import Findings
from mailmon.findings.row import is_meant
from mailmon.findings.software import identify
from mailmon.findings.software_fixes import with_software
from mailmon.model.diagnosis import Service
from mailmon.model.findings import Finding, Severity, Verdict


def compare(
    found: Sequence[Finding], sessions: Sequence[Session], records: Records, *, is_whole_host: bool
) -> list[Finding]:
    """Return all findings, with those that follow from several of them."""
    kept = _ipv6(list(found), sessions)
    hosts = dict.fromkeys(one.endpoint.host for one in sessions)
    for host in hosts:
        own = [one for one in sessions if one.endpoint.host == host]
        judged = Findings(host)
        if is_whole_host:
            _anything_open(judged, own)
        _same_certificate(judged, own)
        _tlsa(judged, own, records)
        kept += judged.all
    return kept


def _tlsa(found: Findings, sessions: Sequence[Session], records: Records) -> None:
    """Compare TLSA records with the certificate of each SMTP port."""
    for one in sessions:
        endpoint, secured = one.endpoint, one.secured
        if endpoint.protocol != "smtp" or not secured or is_address(endpoint.host):
            continue
        answer = records.ask(f"_{endpoint.port}._tcp.{endpoint.host}", "TLSA")
        if answer.kind is Answered.FAILED and not endpoint.needs_login:
            said = f"its TLSA record could not be looked up ({answer.why}): senders that use DANE wait until it can"
            found.unknown("dane.tlsa_mismatch", said)  # RFC 7672 section 2.1
        if answer.values and judge_records(found, answer, f"port {endpoint.port}"):
            judged = Findings(endpoint.target if endpoint.is_one_of_many else found.target)
            judge_chain(judged, answer, endpoint.port, secured)
            found.all += judged.all


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
    """Report a host that presents several certificates: one forgotten at a renewal is the next to expire."""
    shown = [one for one in sessions if one.service.tls]
    digests = {_digest(one) for one in shown}
    if len(digests) < 2:
        if len(shown) > 1:
            found.passed("tls.cert_differs_between_ports", f"all {len(shown)} TLS ports show the same certificate")
        return
    what = next((what for what, place in _PLACES.items() if _is_settled_by(place, shown)), "services")
    place = _PLACES.get(what, _service)
    listed = "; ".join(
        f"{', '.join(dict.fromkeys(place(one) for one in own))} {digest[:12]}… (until {_until(own[0])})"
        for digest, own in ((digest, [one for one in shown if _digest(one) == digest]) for digest in _each(shown))
    )
    said = f"its {what} show {len(digests)} different certificates: {listed}"
    # Each valid for its name: RSA and ECDSA side by side, or a pool whose servers have one each.
    if any(is_meant(finding.id, (_ABOUT_CERTIFICATES,)) for one in shown for finding in _failed(one)):
        found.fail("tls.cert_differs_between_ports", said, found=listed)
    else:
        found.fail("tls.cert_differs_between_ports", said, Severity.NOTICE, found=listed, fix=_MEANT)


_ABOUT_CERTIFICATES = "tls.cert_*"
_MEANT = "nothing if this is intended; otherwise let all services use the same file, and reload all of them"


def _address(session: Session) -> str:
    return session.endpoint.address


def _port(session: Session) -> str:
    return str(session.endpoint.port)


def _service(session: Session) -> str:
    address, port = session.endpoint.address, session.endpoint.port
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


_PLACES: dict[str, Callable[[Session], str]] = {"ports": _port, "addresses": _address}


def _is_settled_by(place: Callable[[Session], str], shown: Sequence[Session]) -> bool:
    """Return whether the place alone determines the certificate."""
    return len({(place(one), _digest(one)) for one in shown}) == len({place(one) for one in shown})


def _each(shown: Sequence[Session]) -> list[str]:
    return list(dict.fromkeys(map(_digest, shown)))


def _digest(session: Session) -> str:
    return session.service.tls.sha256 if session.service.tls else ""


def _until(session: Session) -> str:
    return session.service.tls.not_after[:10] if session.service.tls else "?"


def _failed(session: Session) -> list[Finding]:
    return [one for one in session.found.all if one.status is Verdict.FAIL]


def _ipv6(findings: list[Finding], sessions: Sequence[Session]) -> list[Finding]:
    """Merge ports that are closed only on IPv6 into one notice: mail gets through by IPv4."""
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
            found.unknown("tcp.ipv6_unreachable", f"this machine has no IPv6, so {address} was not tested")
        kept += found.all
    return kept


def recognise(session: Session) -> None:
    """Set the software of a session's service, recognised by all replies of the server."""
    lines = (line.text for one in session.dialer.transcripts for line in one.lines if line.who == "server")
    said = chain((session.software_words,), lines)
    session.service.software = identify(session.endpoint.protocol, session.service.banner, said)


def with_own_fixes(found: Iterable[Finding], sessions: Sequence[Session]) -> list[Finding]:
    """Return findings with the fixes for the software of their services.

    A service whose software is not recognised, because it sends nothing for example, is taken to run the same as the
    others of its protocol at the host.
    """
    for one in sessions:
        recognise(one)
    services = {one.service.target: (one, one.service) for one in sessions}
    fixed = []
    for finding in found:
        if finding.target in services:
            session, service = services[finding.target]
            software = service.software or _of_others(session, sessions)
            finding = with_software(finding, software, service.protocol)
        fixed.append(finding)
    return fixed


def _of_others(session: Session, sessions: Sequence[Session]) -> str:
    """Return the software of the other services of the protocol at a host, "" if they differ."""
    alike: list[Service] = [
        one.service
        for one in sessions
        if (one.endpoint.host, one.endpoint.protocol) == (session.endpoint.host, session.endpoint.protocol)
    ]
    known = {one.software for one in alike if one.software}
    return known.pop() if len(known) == 1 else ""

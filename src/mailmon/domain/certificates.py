"""What do the MX hosts show when they are asked? One session with each, up to TLS; nothing is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailmon.clients.records import Answer, Answered
from mailmon.diagnose.certificate import UNREADABLE
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.dane import authenticate, judge_fit, usable_for_mail, why_unusable
from mailmon.diagnose.demand import Demands
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.plan import Options as HostOptions
from mailmon.diagnose.plan import asked_of
from mailmon.diagnose.session import Session, SessionContext
from mailmon.diagnose.software import with_own_fixes
from mailmon.domain.context import DomainContext, RecordCheck
from mailmon.domain.plan import SMTP_PORT
from mailmon.findings import Findings
from mailmon.mail.records.tlsa import read_tlsa
from mailmon.model.diagnosis import Endpoint
from mailmon.model.findings import Finding, Verdict

MAX_SESSIONS, MAX_ADDRESSES, MAX_NAMES = 32, 3, 20
# What decides whether mail that insists on TLS gets through.
_OF_TLS = (
    *(f"tls.cert_{word}" for word in ("name", "expired", "not_yet_valid", "untrusted", "self_signed", "expiring")),
    "tls.cert_chain_incomplete",
    "tls.handshake_failed",
    "smtp.starttls_missing",
    "smtp.starttls_refused",
    "smtp.ehlo_refused",
)


class Live(NamedTuple):
    """The sessions with the MX hosts, by host; none where nothing is connected to.

    `further` are those with other addresses of a host that answer: each has a certificate of its own.
    """

    sessions: dict[str, Session]
    further: tuple[Session, ...] = ()

    def all(self, host: str) -> list[Session]:
        """Return the sessions with a host, the one that stands for it first."""
        return [one for one in (*self.sessions.values(), *self.further) if one.endpoint.host == host]

    def issuer(self, host: str) -> str:
        """Return who issued the certificate that a host shows, "" where that is not known.

        With its organisation: the common names of CAs are like R11 and E6.
        """
        session = self.sessions.get(host)
        leaf = _leaf(session) if session else None
        return leaf.issuer.rfc4514_string() if leaf else ""

    def names(self, host: str, domain: str) -> tuple[str, ...]:
        """Return the names at or below a domain that a host's certificate is for."""
        session = self.sessions.get(host)
        leaf = _leaf(session) if session else None
        try:
            listed = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value if leaf else None
        except (x509.ExtensionNotFound, *UNREADABLE):
            listed = None
        names = listed.get_values_for_type(x509.DNSName) if listed else []
        return tuple(name for name in map(str.lower, names) if f".{name}".endswith(f".{domain}"))[:MAX_NAMES]

    def tlsa(self, host: str, answer: Answer) -> tuple[str, ...]:
        """Return the TLSA records that should stand where these do: those, or such as fit each key (3 1 1).

        Records of keys that are to come or to go, and of other usages, are as right as one that is proposed.
        """
        usable = usable_for_mail(answer)
        shown = [one for one in self.all(host) if one.secured and one.secured.chain]
        fitting = {one: authenticate(usable, one.secured.chain) for one in shown if one.secured}
        lacking = {_record_of(leaf) for one, match in fitting.items() if not match and (leaf := _leaf(one))}
        if not lacking:
            return answer.values
        right = {match.record for match in fitting.values() if match}
        kept = [text for text in answer.values if read_tlsa(text) in right]
        return (*kept, *sorted(lacking))


def _record_of(leaf: x509.Certificate) -> str:
    data = leaf.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"3 1 1 {hashlib.sha256(data).hexdigest()}"


def _leaf(session: Session) -> x509.Certificate | None:
    if not session.secured or not session.secured.chain:
        return None
    try:
        leaf = x509.load_der_x509_certificate(session.secured.chain[0])
        leaf.public_key()
    except UNREADABLE:
        return None
    return leaf


def endpoint(
    scene: DomainContext,
    host: str,
    port: int,
    protocol: str,
    *,
    is_implicit_tls: bool = False,
    needs_login: bool = False,
) -> Endpoint | None:
    """Return where a host is asked, None where it has no address."""
    addresses, _ = scene.records.addresses(host)
    return Endpoint(host, addresses[0], port, protocol, is_implicit_tls, needs_login) if addresses else None


def run_sessions(scene: DomainContext, endpoints: Sequence[Endpoint], kit: TlsKit, pool: Executor) -> list[Session]:
    """Talk to endpoints side by side, and return how that went."""
    options = HostOptions(scene.options.ca_file, scene.options.timeout_s, scene.options.deadline_s, relay="none")
    tools = SessionContext(kit, scene.records, Demands(scene.records, scene.domain, scene.sts, SMTP_PORT))
    sessions = [Session(Dialer(one, options, scene.deadline), tools) for one in endpoints[:MAX_SESSIONS]]
    list(pool.map(Session.run, sessions))
    return sessions


def meet(scene: DomainContext, kit: TlsKit, pool: Executor) -> Live:
    """Talk to each MX host, at its first addresses."""
    if not scene.options.connects:
        return Live({})
    sessions = run_sessions(scene, _planned(scene), kit, pool)
    first: dict[str, Session] = {}
    for one in sorted(sessions, key=lambda session: not session.is_open):
        first.setdefault(one.endpoint.host, one)
    return Live(first, tuple(one for one in sessions if one.is_open and one is not first[one.endpoint.host]))


def _planned(scene: DomainContext) -> list[Endpoint]:
    """Return where the MX hosts are asked: one address of each host goes before the second of any."""
    ordered: list[list[Endpoint]] = [[] for _ in range(MAX_ADDRESSES)]
    for host in scene.hosts:
        addresses = asked_of(scene.records.addresses(host)[0], MAX_ADDRESSES)
        for own, address in zip(ordered, addresses, strict=False):
            own.append(Endpoint(host, address, scene.options.smtp_port, "smtp", is_one_of_many=len(addresses) > 1))
    return [one for own in ordered for one in own][:MAX_SESSIONS]


def not_met(scene: DomainContext) -> list[str]:
    """Return the addresses of MX hosts that are not connected to, as there are too many."""
    asked = {one.address for one in _planned(scene)}
    every = (address for host in scene.hosts for address in scene.records.addresses(host)[0])
    return [one for one in dict.fromkeys(every) if one not in asked]


def judge(area: RecordCheck, live: Live) -> None:
    """Hold TLSA records, MTA-STS and the certificates against each other."""
    is_announced = area.scene.sts is not None and area.scene.sts.is_announced()
    for host in area.scene.hosts:
        tlsa = _judge_tlsa_records(area, host, live)
        if is_announced or (tlsa.values and tlsa.is_authentic):
            area.found.all += [finding for session in live.all(host) for finding in _telling(session)]
    if area.scene.hosts and not area.scene.options.connects:
        said = "certificates were not looked at (--no-connect)"
        area.found.skipped("dane.tlsa_mismatch", said)


def _telling(session: Session) -> list[Finding]:
    """Return what is known of a host's TLS, or that nothing is."""
    kept = with_own_fixes([one for one in session.found.all if one.id in _OF_TLS], [session])
    if not session.secured and not any(one.status in (Verdict.FAIL, Verdict.UNKNOWN) for one in kept):
        why = "the server ended the conversation before TLS" if session.is_open else "port 25 is not reached from here"
        said = f"{session.endpoint.target}: its certificate could not be looked at: {why}"
        kept.append(Finding("tls.handshake_failed", Verdict.UNKNOWN, session.endpoint.target, said))
    return kept


def _judge_tlsa_records(area: RecordCheck, host: str, live: Live) -> Answer:
    """Judge the TLSA records of a host, and return them."""
    name = f"_{SMTP_PORT}._tcp.{host}"
    answer = area.scene.records.ask(name, "TLSA")
    if answer.kind is Answered.FAILED and answer.is_bogus:
        area.found.fail("dns.dnssec_bogus", "DNSSEC signatures do not validate: many receivers see nothing there")
    elif answer.kind is Answered.FAILED:
        said = f"whether {host} has TLSA records could not be looked up: {answer.why}"
        area.found.unknown("dns.resolver_error", f"{said}; who checks DANE holds mail back until then")
    wanted = live.tlsa(host, answer) if answer.values else ""
    usable = usable_for_mail(answer)
    is_bad = bool(answer.values) and not usable
    wanted = "" if is_bad and wanted == answer.values else wanted  # no certificate was seen
    area.row(name, "TLSA", "the key that senders must find (DANE)", wanted, answer, is_bad=is_bad)
    if not answer.values:
        return answer
    if not usable:
        said = f"senders use no TLSA record of {host}: {why_unusable(answer)}"
        area.found.fail("dane.tlsa_unusable", said, found="; ".join(answer.values)[:300])
    elif not answer.is_authentic:
        said = f"the TLSA records of {host} are not validated by DNSSEC here, so they count for nothing"
        area.found.fail("dane.tlsa_without_dnssec", said)
    elif not area.scene.mx.is_authentic:
        said = f"{host} has TLSA records, but the MX records that lead there are not validated by DNSSEC"
        area.found.fail("dane.tlsa_without_dnssec", said)
    else:
        area.found.passed("dane.tlsa_without_dnssec", f"the TLSA records of {host} are validated by DNSSEC")
    for session in live.all(host) if usable else ():
        if session.secured:
            found = Findings(session.endpoint.target if session.endpoint.is_one_of_many else host)
            judge_fit(found, answer, SMTP_PORT, session.secured)
            area.found.all += found.all
    return answer

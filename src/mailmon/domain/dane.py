"""DANE: the TLSA records of the MX hosts, and whether they match the certificates (RFC 6698, RFC 7672)."""

from __future__ import annotations

from mailmon.clients.records import Answer, Answered
from mailmon.diagnose.dane import judge_chain, judge_records, records_to_publish, usable_for_mail
from mailmon.domain.context import DomainContext, RecordCheck
from mailmon.domain.options import SMTP_PORT
from mailmon.domain.servers import MxSessions
from mailmon.findings import Findings

PURPOSE = "the key that senders must find (DANE)"


def run(check: RecordCheck) -> None:
    """Judge the TLSA records of each MX host, and compare them with the certificates that it presents."""
    context = check.context
    sessions = context.servers.mx_sessions()
    for host in context.hosts:
        _check_host(check, host, sessions)
    if context.hosts and not context.options.connects:
        check.found.skipped("dane.tlsa_mismatch", "certificates were not examined (--no-connect)")


def is_demanded(context: DomainContext, host: str) -> bool:
    """Return whether DANE demands TLS of an MX host: TLSA records validated by DNSSEC, usable or not."""
    answer = _ask(context, host)
    return bool(answer.values) and answer.is_authentic


def _ask(context: DomainContext, host: str) -> Answer:
    return context.records.ask(_name(host), "TLSA")


def _name(host: str) -> str:
    return f"_{SMTP_PORT}._tcp.{host}"


def _check_host(check: RecordCheck, host: str, sessions: MxSessions) -> None:
    context, found = check.context, check.found
    answer = _ask(context, host)
    if answer.kind is Answered.FAILED:
        _report_failure(check, host, answer)
    _add_row(check, host, answer, sessions)
    if not answer.values or not judge_records(found, answer, host):
        return
    if answer.is_authentic and not context.mx.is_authentic:
        said = f"{host} has TLSA records, but the MX records that name it are not validated by DNSSEC"
        found.fail("dane.tlsa_without_dnssec", said)
    elif answer.is_authentic:
        found.passed("dane.tlsa_without_dnssec", f"the TLSA records of {host} are validated by DNSSEC")
    for session in sessions.of(host):
        if session.secured:
            judged = Findings(session.endpoint.target if session.endpoint.is_one_of_many else host)
            judge_chain(judged, answer, SMTP_PORT, session.secured)
            found.all += judged.all


def _report_failure(check: RecordCheck, host: str, answer: Answer) -> None:
    if answer.is_bogus:
        check.report_bogus()
    else:
        said = f"whether {host} has TLSA records could not be looked up: {answer.why}"
        check.found.unknown("dns.resolver_error", f"{said}; senders that check DANE hold mail back until then")


def _add_row(check: RecordCheck, host: str, answer: Answer, sessions: MxSessions) -> None:
    chains = [one.secured.chain for one in sessions.of(host) if one.secured]
    expected = records_to_publish(answer, chains) if answer.values else ()
    is_bad = bool(answer.values) and not usable_for_mail(answer)
    if is_bad and expected == answer.values:
        expected = ()  # no certificate was seen
    check.row(_name(host), "TLSA", PURPOSE, expected, answer, is_bad=is_bad)

"""The survey of a domain: its MX records first, then all record checks side by side, under one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, ThreadPoolExecutor, wait
from datetime import UTC, datetime

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Answered, Records
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.mta_sts import MtaStsPolicy, PolicyAccess
from mailmon.diagnose.session import SessionContext
from mailmon.diagnose.tls_policy import TlsPolicy
from mailmon.domain import caa, certificates, dane, dkim, dmarc, dnssec, mta_sts, mx, spf, srv, tls_rpt
from mailmon.domain.context import DomainContext, RecordCheck
from mailmon.domain.options import SMTP_PORT, Options, read_domain
from mailmon.domain.servers import MAX_SESSIONS, Servers
from mailmon.errors import place_of
from mailmon.mail.records.mx import exchangers_of
from mailmon.model.diagnosis import in_order
from mailmon.model.dns import Published, Survey
from mailmon.model.findings import Finding, Verdict

# Each kind of record with its check, in the order in which results are shown.
CHECKS: dict[str, Callable[[RecordCheck], None]] = {
    "MX": mx.run,
    "SPF": spf.run,
    "DKIM": dkim.run,
    "DMARC": dmarc.run,
    "MTA-STS": mta_sts.run,
    "TLS-RPT": tls_rpt.run,
    "DANE": dane.run,
    "certificates": certificates.run,
    "CAA": caa.run,
    "SRV": srv.run,
    "DNSSEC": dnssec.run,
}
MAX_QUESTIONS, MAX_MX_RECORDS, MAX_LISTED = 16, 50, 20
Progress = Callable[[int, int, str], None]


def survey(domain: str, options: Options, progress: Progress = lambda _done, _all, _what: None) -> Survey:
    """Check what a domain publishes. Raises MailmonError for an unreadable CA file, ValueError for no domain name."""
    begun = time.monotonic()
    domain = read_domain(domain)
    kit = TlsKit(options.ca_file)
    kit.verifying()  # a CA file that cannot be read is reported before anything is asked
    questions = ThreadPoolExecutor(MAX_QUESTIONS, thread_name_prefix="dns")
    try:
        context, count = _context(domain, options, kit, questions)
        checked = _run(context, progress)
    finally:
        questions.shutdown(wait=False, cancel_futures=True)
    rows = _each_once([row for one in checked for row in one.rows])
    findings = in_order(_without_contradiction([finding for one in checked for finding in one.found.all]))
    spf_lines = next((one.spf_lines for one in checked if one.spf_lines), ())
    return Survey(domain, rows, tuple(findings), spf_lines, _notes(context, count), time.monotonic() - begun)


def _context(domain: str, options: Options, kit: TlsKit, questions: Executor) -> tuple[DomainContext, int]:
    """Look the MX records up; return what all checks share, and the number of MX records."""
    deadline = Deadline(options.deadline_s)
    records = Records(options.nameservers, options.timeout_s)
    answer = records.ask(domain, "MX")
    found = exchangers_of(answer.values)
    mx_records = found[:MAX_MX_RECORDS]
    access = PolicyAccess(options.timeout_s, options.ca_file, options.https_port)
    sts = MtaStsPolicy(domain, records, deadline, access)
    hosts = tuple(dict.fromkeys(one.host for one in mx_records))
    shared = SessionContext(kit, records, TlsPolicy(records, domain, sts, SMTP_PORT))
    servers = Servers(hosts, options, records, deadline, shared)
    today = f"{datetime.now(UTC):%Y%m%d}"
    context = DomainContext(domain, options, records, deadline, questions, sts, servers, answer, mx_records, today)
    return context, len(found)


def _notes(context: DomainContext, count: int) -> tuple[str, ...]:
    """Return what was not checked."""
    notes = [] if context.options.connects else ["only DNS was asked (--no-connect)"]
    if count > len(context.mx_records):
        notes.append(f"of {count} MX records the first {len(context.mx_records)} were checked")
    if context.options.connects and len(context.hosts) > MAX_SESSIONS:
        notes.append(f"of {len(context.hosts)} MX hosts the first {MAX_SESSIONS} with an address were connected to")
    elif context.options.connects and (left := context.servers.not_met()):
        notes.append(f"{len(left)} more addresses of MX hosts were not connected to: {', '.join(left[:MAX_LISTED])}")
    return tuple(notes)


def _run(context: DomainContext, progress: Progress) -> list[RecordCheck]:
    """Run all record checks side by side; never wait beyond the deadline."""
    checked = {name: RecordCheck(context) for name in CHECKS}
    pool = ThreadPoolExecutor(len(CHECKS), thread_name_prefix="survey")
    waiting = {pool.submit(run, checked[name]): name for name, run in CHECKS.items()}
    while waiting:
        done, _ = wait(waiting, timeout=context.deadline.remaining_s() + 1.0, return_when=FIRST_COMPLETED)
        if not done:
            for name in waiting.values():
                checked[name] = _too_late(context, name)
            break
        for future in done:
            name = waiting.pop(future)
            _note_bug(checked[name], future.exception())
            progress(len(CHECKS) - len(waiting), len(CHECKS), name)
    pool.shutdown(wait=False, cancel_futures=True)
    if context.mx.kind is Answered.NXDOMAIN:
        _report_no_domain(list(checked.values()))
    return list(checked.values())


def _report_no_domain(checked: list[RecordCheck]) -> None:
    """Report one failure for the one cause; the records to publish stay."""
    for one in checked:
        ids = dict.fromkeys(finding.id for finding in one.found.all)
        one.found.all = []
        for finding_id in ids:
            one.found.skipped(finding_id, "the domain does not exist")
    first = checked[0]
    first.found.fail("dns.domain_not_found", f"the domain {first.domain} does not exist (NXDOMAIN)")


def _too_late(context: DomainContext, name: str) -> RecordCheck:
    late = RecordCheck(context)
    late.found.unknown("dns.resolver_error", f"{name}: not finished within {context.options.deadline_s:.0f} s")
    return late


def _note_bug(check: RecordCheck, exc: BaseException | None) -> None:
    """Report a bug in one check; it must not cost the results of the others."""
    if exc is not None:
        check.found.unknown("mailmon.bug", f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}")


def _without_contradiction(found: Iterable[Finding]) -> list[Finding]:
    """Return findings without those that call DNSSEC good where another does not: the zone is broken then."""
    bogus = "dns.dnssec_bogus"
    kept = list(found)
    is_bogus = any(one.id == bogus and one.status is Verdict.FAIL for one in kept)
    return [one for one in kept if not (is_bogus and one.id == bogus and one.status is not Verdict.FAIL)]


def _each_once(rows: list[Published]) -> tuple[Published, ...]:
    return tuple({(row.name, row.type, row.purpose): row for row in rows}.values())

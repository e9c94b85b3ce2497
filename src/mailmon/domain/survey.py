"""How is a domain looked at? Its MX records first, then everything side by side, under one deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Answered, Records
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.sts import Access, Sts
from mailmon.domain import caa, certificates, dkim, dmarc, dnssec, mta_sts, mx, spf, srv
from mailmon.domain.context import DomainContext, RecordCheck
from mailmon.domain.plan import Options, read_domain
from mailmon.errors import place_of
from mailmon.mail.records.mx import exchangers_of
from mailmon.model.diagnosis import in_order
from mailmon.model.dns import Published, SpfLine, Survey
from mailmon.model.findings import Finding, Verdict

MAX_QUESTIONS, MAX_SESSIONS, MAX_EXCHANGERS, MAX_LISTED = 16, 8, 50, 20
Progress = Callable[[int, int, str], None]


def survey(domain: str, options: Options, progress: Progress = lambda _done, _all, _what: None) -> Survey:
    """Look at a domain. Raises MailmonError for a CA file that cannot be read, ValueError for no domain name."""
    begun = time.monotonic()
    domain = read_domain(domain)
    deadline = Deadline(options.deadline_s)
    records = Records(options.nameservers, options.timeout_s)
    kit = TlsKit(options.ca_file)
    kit.verifying()  # a CA file that cannot be read is told before anything is asked
    questions = ThreadPoolExecutor(MAX_QUESTIONS, thread_name_prefix="dns")
    try:
        answer = records.ask(domain, "MX")
        today = f"{datetime.now(UTC):%Y%m%d}"
        sts = Sts(domain, records, deadline, Access(options.timeout_s, options.ca_file, options.https_port))
        found = exchangers_of(answer.values)
        scene = DomainContext(domain, options, records, deadline, questions, answer, found[:MAX_EXCHANGERS], today, sts)
        areas, spf_lines = _Work(scene, kit, progress).run()
    finally:
        questions.shutdown(wait=False, cancel_futures=True)
    rows = _each_once([row for area in areas for row in area.rows])
    findings = in_order(_without_contradiction([one for area in areas for one in area.found.all]))
    return Survey(domain, rows, tuple(findings), spf_lines, _notes(scene, len(found)), time.monotonic() - begun)


def _notes(scene: DomainContext, count: int) -> tuple[str, ...]:
    """Return what was not looked at."""
    notes = [] if scene.options.connects else ["only DNS was asked (--no-connect)"]
    if count > len(scene.exchangers):
        notes.append(f"of {count} MX records the first {len(scene.exchangers)} were looked at")
    if scene.options.connects and len(scene.hosts) > certificates.MAX_SESSIONS:
        notes.append(
            f"of {len(scene.hosts)} MX hosts the first {certificates.MAX_SESSIONS} with an address were connected to"
        )
    elif scene.options.connects and (left := certificates.not_met(scene)):
        notes.append(f"{len(left)} more addresses of MX hosts were not connected to: {', '.join(left[:MAX_LISTED])}")
    return tuple(notes)


class _Work:
    """Looks at all kinds of records side by side; never waits beyond the deadline."""

    def __init__(self, scene: DomainContext, kit: TlsKit, progress: Progress) -> None:
        self._scene, self._kit, self._progress = scene, kit, progress
        self._spf: tuple[SpfLine, ...] = ()

    def run(self) -> tuple[list[RecordCheck], tuple[SpfLine, ...]]:
        """Return what each kind of record came to, in the order in which they are told."""
        work: dict[str, Callable[[RecordCheck], None]] = {
            "MX": mx.look,
            "SPF": self._senders,
            "DKIM": dkim.look,
            "DMARC": dmarc.look,
            "MTA-STS": mta_sts.look,
            "TLS-RPT": mta_sts.look_at_reports,
            "certificates": self._certificates,
            "services": lambda area: srv.look(area, self._kit),
            "DNSSEC": dnssec.look,
        }
        areas = {name: RecordCheck(self._scene) for name in work}
        pool = ThreadPoolExecutor(len(work), thread_name_prefix="survey")
        waiting = {pool.submit(partial(look, areas[name])): name for name, look in work.items()}
        done_so_far = 0
        while waiting:
            done, _ = wait(waiting, timeout=self._scene.deadline.remaining_s() + 1.0, return_when=FIRST_COMPLETED)
            if not done:
                for name in waiting.values():
                    areas[name] = self._too_late(name)
                break
            for future in done:
                name = waiting.pop(future)
                self._note_bug(areas[name], future.exception())
                done_so_far += 1
                self._progress(done_so_far, len(work), name)
        pool.shutdown(wait=False, cancel_futures=True)
        if self._scene.mx.kind is Answered.NXDOMAIN:
            self._tell_no_domain(areas.values())
        return list(areas.values()), self._spf

    def _senders(self, area: RecordCheck) -> None:
        self._spf = spf.look(area)

    def _certificates(self, area: RecordCheck) -> None:
        with ThreadPoolExecutor(MAX_SESSIONS, thread_name_prefix="live") as pool:
            met = certificates.meet(self._scene, self._kit, pool)
        certificates.judge(area, met)
        caa.look(area, met)

    def _tell_no_domain(self, areas: Iterable[RecordCheck]) -> None:
        """One cause is one failure; what is to be published for it stays."""
        missing = self._scene.domain
        for area in areas:
            ids = dict.fromkeys(one.id for one in area.found.all)
            area.found.all = []
            for finding_id in ids:
                area.found.skipped(finding_id, "there is no such domain")
        first = next(iter(areas))
        first.found.fail("dns.domain_not_found", f"there is no such domain as {missing} (NXDOMAIN)")

    def _too_late(self, name: str) -> RecordCheck:
        area = RecordCheck(self._scene)
        area.found.unknown("dns.resolver_error", f"{name}: not finished within {self._scene.options.deadline_s:.0f} s")
        return area

    def _note_bug(self, area: RecordCheck, exc: BaseException | None) -> None:
        """A bug in one kind of record must not cost the answers to all others."""
        if exc is not None:
            area.found.unknown("mailmon.bug", f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}")


def _without_contradiction(found: list[Finding]) -> list[Finding]:
    """Some records validate although others do not: the zone is not well."""
    bogus = "dns.dnssec_bogus"
    is_bogus = any(one.id == bogus and one.status is Verdict.FAIL for one in found)
    return [one for one in found if not (is_bogus and one.id == bogus and one.status is not Verdict.FAIL)]


def _each_once(rows: list[Published]) -> tuple[Published, ...]:
    return tuple({(row.name, row.type, row.purpose): row for row in rows}.values())

"""The examination of a host: all endpoints side by side, under one deadline; findings are combined at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Records
from mailmon.diagnose import cross_checks, targets
from mailmon.diagnose.blocklists import BlockList
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.conversation import converse
from mailmon.diagnose.dnsbl import judge_lists
from mailmon.diagnose.followup import ask, followups
from mailmon.diagnose.handshake import TlsKit
from mailmon.diagnose.mta_sts import MtaStsPolicy, PolicyAccess
from mailmon.diagnose.mx_hosts import ask_others, judge_mx_hosts
from mailmon.diagnose.names import judge_pointers, may_send
from mailmon.diagnose.plan import Options, Request
from mailmon.diagnose.session import Session, SessionContext
from mailmon.diagnose.tls_policy import TlsPolicy
from mailmon.errors import place_of
from mailmon.findings import Findings
from mailmon.model.diagnosis import Diagnosis, Endpoint, Left, in_order
from mailmon.model.findings import Finding

MAX_WORKERS = 24
# Called with (done, planned, what was done last).
Progress = Callable[[int, int, str], None]


def diagnose(request: Request, options: Options, progress: Progress = lambda _done, _all, _what: None) -> Diagnosis:
    """Examine a host. Raises MailmonError only for a CA file that cannot be read."""
    begun = time.monotonic()
    deadline = Deadline(options.deadline_s)
    records = Records(request.nameservers, min(options.timeout_s, 5.0))
    kit = TlsKit(options.ca_file)
    kit.verifying()  # a CA file that cannot be read is reported before anything is asked
    chosen = targets.find(request, records, options)
    options = options._replace(domain=options.domain or chosen.domain)
    access = PolicyAccess(options.timeout_s, options.ca_file, options.https_port)
    sts = MtaStsPolicy(chosen.domain, records, deadline, access)
    context = SessionContext(kit, records, TlsPolicy(records, chosen.domain, sts))
    work = _Work(options, deadline, context, progress)
    sessions = work.run(chosen.endpoints, request.block_lists)
    found = [*chosen.findings, *work.extra]
    for one in sessions:
        found += one.found.all
    found = cross_checks.compare(found, sessions, records, is_whole_host=request.is_whole_host)

    def others() -> dict[str, bool | None]:
        return ask_others(chosen.passed_over, options.timeout_s, deadline) | dict.fromkeys(chosen.unasked)

    found = judge_mx_hosts(found, sessions, chosen.domain, is_nolisting=options.is_nolisting, others=others)
    found = cross_checks.with_own_fixes(found, sessions)
    services = tuple(one.service for one in sessions if one.is_open)
    transcripts = tuple(line for one in sessions for line in one.dialer.transcripts if line.lines)
    return Diagnosis(
        request.host,
        chosen.addresses,
        tuple(in_order(found)),
        services,
        transcripts,
        (*chosen.notes, *_policy_notes(sts, sessions), *_notes(options)),
        time.monotonic() - begun,
        _left(sessions),
    )


def _left(sessions: Sequence[Session]) -> tuple[Left, ...]:
    """Return what the tests left in each mailbox."""
    tokens: dict[str, list[str]] = {}
    for one in sessions:
        if one.left:
            tokens.setdefault(one.mailbox, []).extend(one.left)
    return tuple(Left(mailbox, tuple(found)) for mailbox, found in tokens.items())


def _policy_notes(sts: MtaStsPolicy, sessions: Sequence[Session]) -> tuple[str, ...]:
    """Return a note if certificates were judged without the MTA-STS policy that is announced."""
    trouble = sts.trouble() if any(one.secured for one in sessions) else ""
    return (f"certificates were judged without the announced MTA-STS policy: {trouble}",) if trouble else ()


def _notes(options: Options) -> tuple[str, ...]:
    notes = {
        "none": "relaying was not tested (--no-relay-test)",
        "one": "relaying: one recipient tried; --relay-test tries all forms",
    }
    asked = [notes[options.relay]] if options.relay in notes else []
    return (
        *asked,
        *(
            ()
            if options.is_intrusive
            else ("smuggling, injection and wrong passwords are tested only with --intrusive",)
        ),
    )


class _Work:
    """Runs sessions, then what follows from each, in one pool; never waits beyond the deadline."""

    def __init__(self, options: Options, deadline: Deadline, context: SessionContext, progress: Progress) -> None:
        self._options, self._deadline, self._context, self._progress = options, deadline, context, progress
        self.extra: list[Finding] = []
        self._done = self._planned = 0

    def run(self, endpoints: Sequence[Endpoint], block_lists: Sequence[BlockList]) -> list[Session]:
        sessions = [Session(Dialer(one, self._options, self._deadline), self._context) for one in endpoints]
        pool = ThreadPoolExecutor(MAX_WORKERS, thread_name_prefix="diagnose")
        waiting: dict[Future[object], tuple[str, Session | None]] = {}

        def submit(what: str, work: Callable[[], object], session: Session | None = None) -> None:
            waiting[pool.submit(work)] = (what, session)
            self._planned += 1

        for address in dict.fromkeys(one.address for one in endpoints if one.protocol == "smtp"):
            submit(f"names of {address}", partial(self._pointers, address))
            if block_lists:
                submit(f"block lists for {address}", partial(self._lists, block_lists, address))
        for session in sessions:
            submit(session.endpoint.target, partial(converse, session), session)
        while waiting:
            done, _ = wait(waiting, timeout=self._deadline.remaining_s() + 1.0, return_when=FIRST_COMPLETED)
            if not done:
                break  # every socket has a timeout within the deadline; what hangs nonetheless is abandoned
            for future in done:
                what, finished = waiting.pop(future)
                self._note_bug(what, future.exception())
                self._done += 1
                self._progress(self._done, self._planned, what)
                if finished:
                    for one in followups(finished):
                        submit(f"{what}: {one.finding_id}", partial(ask, finished, one))
        pool.shutdown(wait=False, cancel_futures=True)
        return sessions

    def _note_bug(self, what: str, exc: BaseException | None) -> None:
        """Report a bug in one question; it must not cost the answers to all others."""
        if exc is not None:
            found = Findings(what)
            found.unknown("mailmon.bug", f"a bug in mailmon: {type(exc).__name__} at {place_of(exc)}")
            self.extra += found.all

    def _pointers(self, address: str) -> None:
        found = Findings(address)
        records = self._context.records
        sends = bool(records.pointers(address).values) or may_send(records, self._options.domain, address)
        judge_pointers(records, address, found, sends=sends)
        self.extra += found.all

    def _lists(self, block_lists: Sequence[BlockList], address: str) -> None:
        for found in judge_lists(self._context.records, address, block_lists):
            self.extra += found.all

"""One scan of an account's bounces from end to end: lock, read, record, move, notify, prune."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

from mailmon.bounces.context import BounceContext, NoticeSettings
from mailmon.bounces.notices import send_due
from mailmon.bounces.proof import Evidence, within_budget
from mailmon.bounces.scan import BounceScan, BounceSort, ScanContext, Scanned, SentFolder
from mailmon.clients.account import Account, BounceFolder
from mailmon.clients.signatures import remembering, signature_check, txt_by
from mailmon.mail.bounce import Classification, Kind
from mailmon.mail.bounce.notice_recipients import NoticeRules, choose_recipients
from mailmon.mail.bounce.ownership import find_evidence
from mailmon.mail.bounce.provenance import own_names
from mailmon.store.bouncelog.log import NAME, TEST_NAME, BounceLog
from mailmon.store.bouncelog.writing import Run, domain_of
from mailmon.store.files import make_directory
from mailmon.store.lock import Lock


class Scan(NamedTuple):
    """A scan to do. `log_name` is the database's file beside the state file."""

    account: Account
    place: BounceFolder
    is_over: Callable[[], bool]
    log_name: str = NAME


@contextmanager
def scan_folder(context: BounceContext, scan: Scan) -> Iterator[tuple[Scanned, BounceLog]]:
    """Scan, and yield the result and the bounce log, which is closed afterwards.

    Raises StageError, StateError, and LockHeldError when another process scans the same account.
    """
    state_file, now = context.state_file, context.now()
    make_directory(state_file.parent)
    with (
        Lock(state_file.with_name(f"{scan.log_name}.scan-{scan.account.name}"), now),
        BounceLog(state_file, now, scan.log_name) as log,
    ):
        sent = SentFolder(scan.place.sent, lambda: context.open_folders(scan.account)) if scan.place.sent else None
        notify = _notify(context.notices, scan, sent)
        evidence = _evidence(context, scan, sent)
        run = Run(context.run_id, now)
        scanning = ScanContext(log, run, context.key, context.ledger, scan.is_over, notify, evidence)
        work = BounceScan(scan.account, scan.place, lambda: context.open_folders(scan.account), scanning)
        try:
            work.read()
            evidence.settle(log)
            if scan.place.targets:
                sorting = BounceSort(work.client, scan.place, work.folder, log, scan.is_over)
                sorting.sort()
                work.done.moved, work.done.obstacles = sorting.moved, sorting.obstacles
            work.done.warnings = (*log.warnings, *([sent.trouble] if sent and sent.trouble else ()))
        finally:
            work.close()
            if sent:
                sent.close()
        if context.notices:
            work.done.notices = send_due(context, log, context.notices, scan.is_over)
        log.prune()
        yield work.done, log


def _evidence(context: BounceContext, scan: Scan, sent: SentFolder | None) -> Evidence:
    """Return the sources of evidence: signatures if dkimpy is installed, sent mail if its folder is configured."""
    account = scan.account
    rules = context.notices.rules.cc_domains if context.notices else ()
    hosts = [server.host for server in account.logins.values()]
    own = own_names((domain_of(account.address), *rules), hosts)
    is_signed = within_budget(signature_check(remembering(txt_by(context.nameservers)))) if find_spec("dkim") else None
    is_sent = partial(sent.holds, with_to=True) if sent else None
    return Evidence(own, context.limits, is_signed, is_sent, scan.is_over)


def _notify(
    settings: NoticeSettings | None, scan: Scan, sent: SentFolder | None
) -> Callable[[Classification, bytes], tuple[str, ...]]:
    """Return a function from a message to its recipients of notices; in test mode only those configured for it."""
    if settings is None:
        return lambda _found, _raw: ()
    rules, is_signed = settings.rules, settings.is_signed
    is_signed = within_budget(is_signed) if is_signed else None
    is_sent = sent.holds if sent and rules.cc else None
    if scan.log_name == TEST_NAME:
        rules, is_signed, is_sent = NoticeRules(settings.test_to), None, None

    def notify(found: Classification, raw: bytes) -> tuple[str, ...]:
        if found.kind is not Kind.BOUNCE:
            return ()
        return choose_recipients(
            found, rules, find_evidence(raw, found, rules.cc_domains, is_signed, is_sent)
        ).recipients

    return notify

"""How does one scan of an account's bounces go? Lock, read, record, move, forget what is old."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

from mailmon.checks.bounce_notices import send_due
from mailmon.checks.bounce_proof import Evidence, within_budget
from mailmon.checks.bounce_scan import BounceScan, ScanContext, Scanned
from mailmon.checks.bounce_sent import SentFolder
from mailmon.checks.bounce_sort import BounceSort
from mailmon.checks.context import RunContext, World
from mailmon.checks.targets import Account, NoticeSettings
from mailmon.clients.account import BounceFolder
from mailmon.clients.signatures import remembering, signature_check, txt_by
from mailmon.mail.bounce import Classification, Kind
from mailmon.mail.bounce.addressees import NoticeRules, audience_of
from mailmon.mail.bounce.evidence import examine
from mailmon.mail.bounce.provenance import own_names
from mailmon.store.files import make_directory
from mailmon.store.history.bounces import Run, domain_of
from mailmon.store.history.history import NAME, TEST_NAME, BounceLog
from mailmon.store.lock import Lock


class Scan(NamedTuple):
    """What is asked for. `history_name` is the database's file beside the state file."""

    account: Account
    place: BounceFolder
    is_over: Callable[[], bool]
    history_name: str = NAME


@contextmanager
def scan_folder(tools: RunContext, scan: Scan) -> Iterator[tuple[Scanned, BounceLog]]:
    """Scan, and yield what was done and the history, which is closed afterwards.

    Raises StageError, StateError, and LockHeldError when another process scans the same account.
    """
    world = tools.world
    state_file = world.state_file
    assert state_file is not None
    make_directory(state_file.parent)
    now = world.now()
    with (
        Lock(state_file.with_name(f"{scan.history_name}.scan-{scan.account.name}"), now),
        BounceLog(state_file, now, scan.history_name) as history,
    ):
        sent = SentFolder(scan.place.sent, lambda: tools.open_folders(scan.account)) if scan.place.sent else None
        notify = _notify(world.notices, scan, sent)
        evidence = _evidence(world, scan, sent)
        desk = ScanContext(history, Run(world.run_id, now), world.key, tools.ledger, scan.is_over, notify, evidence)
        work = BounceScan(scan.account, scan.place, lambda: tools.open_folders(scan.account), desk)
        try:
            work.read()
            evidence.settle(history)
            if scan.place.targets:
                sorting = BounceSort(work.client, scan.place, work.folder, history, scan.is_over)
                sorting.sort()
                work.done.moved, work.done.obstacles = sorting.moved, sorting.obstacles
            work.done.warnings = (*history.warnings, *([sent.trouble] if sent and sent.trouble else ()))
        finally:
            work.close()
            if sent:
                sent.close()
        if world.notices:
            work.done.notices = send_due(tools, history, world.notices, scan.is_over)
        history.prune()
        yield work.done, history


def _evidence(world: World, scan: Scan, sent: SentFolder | None) -> Evidence:
    """Return what looks for evidence: signatures where dkimpy is installed, sent mail where its folder is named."""
    account = scan.account
    rules = world.notices.rules.cc_domains if world.notices else ()
    hosts = [server.host for server in account.logins.values()]
    own = own_names((domain_of(account.address), *rules), hosts)
    is_signed = within_budget(signature_check(remembering(txt_by(world.nameservers)))) if find_spec("dkim") else None
    is_sent = partial(sent.holds, with_to=True) if sent else None
    return Evidence(own, world.bounce_limits, is_signed, is_sent, scan.is_over)


def _notify(
    settings: NoticeSettings | None, scan: Scan, sent: SentFolder | None
) -> Callable[[Classification, bytes], tuple[str, ...]]:
    """Return what says whom to notify of a message: in test mode nobody but those who are named for it."""
    if settings is None:
        return lambda _found, _raw: ()
    rules, is_signed = settings.rules, settings.is_signed
    is_signed = within_budget(is_signed) if is_signed else None
    is_sent = sent.holds if sent and rules.cc else None
    if scan.history_name == TEST_NAME:
        rules, is_signed, is_sent = NoticeRules(settings.test_to), None, None

    def notify(found: Classification, raw: bytes) -> tuple[str, ...]:
        if found.kind is not Kind.BOUNCE:
            return ()
        return audience_of(found, rules, examine(raw, found, rules.cc_domains, is_signed, is_sent)).recipients

    return notify

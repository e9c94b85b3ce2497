"""The bounce folders of accounts, scanned for new messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from mailmon import __version__
from mailmon.app.setup import now
from mailmon.config import Setup
from mailmon.errors import ConfigError, StageError, UnknownNameError
from mailmon.model.bounces import ScannedAccount

if TYPE_CHECKING:
    from mailmon.bounces.scan import Scanned
    from mailmon.checks.context import RunContext
    from mailmon.checks.targets import Account
    from mailmon.clients.wire import Record

TIMEOUT_S = 3600.0


class Plan(NamedTuple):
    """The accounts to scan, each with the folder that is meant. With `is_test`, those of bounces.test and a log of
    their own."""

    setup: Setup
    accounts: Sequence[Account]
    is_test: bool
    timeout_s: float
    record: Record | None


def plan(
    setup: Setup,
    names: Sequence[str] = (),
    *,
    is_test: bool = False,
    timeout_s: float = TIMEOUT_S,
    record: Record | None = None,
) -> Plan:
    """Return what to scan: all accounts with a bounce folder, or those named. Raises ConfigError, UnknownNameError."""
    key = "bounces.test" if is_test else "bounces"
    able = {
        name: account._replace(bounces=place)
        for name, account in setup.accounts.items()
        if (place := account.bounces_test if is_test else account.bounces)
    }
    problems = [f"no account {name!r} with {key} (configured: {', '.join(able)})" for name in names if name not in able]
    if not able:
        raise ConfigError("bounces scan", [f"no account has {key}: set it to the folder that receives bounces"])
    if problems:
        raise UnknownNameError("\n".join(problems))
    accounts = [account for name, account in able.items() if not names or name in names]
    return Plan(setup, accounts, is_test, timeout_s, record)


def scan(planned: Plan) -> Iterator[ScannedAccount]:
    """Scan one account after the other, recording what is new; a failure of one does not keep others from being
    scanned. Raises StateError."""
    from mailmon.bounces.run import Scan, scan_folder
    from mailmon.checks.bounces import RESERVE_S, BouncesOptions, context_of
    from mailmon.config.checks import options_of
    from mailmon.store.bouncelog.log import NAME, TEST_NAME

    options = options_of(planned.setup.checks, "bounces", BouncesOptions)
    with closing(_context(planned)) as context:
        deadline = context.environment.deadline
        for account in planned.accounts:
            assert account.bounces is not None
            wanted = Scan(
                account,
                account.bounces,
                lambda: deadline.remaining_s() < RESERVE_S,
                TEST_NAME if planned.is_test else NAME,
            )
            started_s = deadline.monotonic()
            try:
                with scan_folder(context_of(context, options), wanted) as (done, _log):
                    yield _scanned(account, done, deadline.monotonic() - started_s)
            except StageError as exc:
                yield _failed(account, exc, deadline.monotonic() - started_s)


def _context(planned: Plan) -> RunContext:
    from mailmon.checks.context import RunContext, RunEnvironment
    from mailmon.clients.deadline import Deadline
    from mailmon.clients.resolver import RememberingResolve, resolver_for
    from mailmon.mail.probe.ledger import Ledger
    from mailmon.store.keeper import Keeper

    setup, at = planned.setup, now()
    keeper = Keeper(setup.state_file, at, is_dry=True)
    environment = RunEnvironment(
        now=now,
        sleep=time.sleep,
        deadline=Deadline(planned.timeout_s),
        resolve=RememberingResolve(resolver_for(setup.nameservers)),
        key=keeper.signing_key(),
        version=__version__,
        record=planned.record,
        run_id=f"{at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        state_file=setup.state_file,
        notices=setup.notices,
        nameservers=tuple(setup.nameservers),
    )
    return RunContext(environment, Ledger(keeper.state.probes), setup.accounts.values())


def _scanned(account: Account, done: Scanned, duration_s: float) -> ScannedAccount:
    from mailmon.mail.bounce import Kind

    assert account.bounces is not None
    return ScannedAccount(
        account.name,
        account.bounces.name,
        duration_s,
        {kind.value: done.kinds[kind] for kind in Kind},
        own_probes=done.own,
        moved=done.moved,
        unread=done.unread,
        notices_sent=done.notices.taken,
        notices_failed=done.notices.failed,
        notice_error=done.notices.error,
        problems=tuple(done.problems),
        obstacles=tuple(done.obstacles),
        warnings=done.warnings,
        words=done.words(),
    )


def _failed(account: Account, exc: StageError, duration_s: float) -> ScannedAccount:
    from mailmon.mail.bounce import Kind

    assert account.bounces is not None
    kinds = {kind.value: 0 for kind in Kind}
    return ScannedAccount(account.name, account.bounces.name, duration_s, kinds, error=exc.message, advice=exc.advice)

"""`mailmon bounces scan`: what is new in the folders with bounces?"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from mailmon import __version__
from mailmon.cli import common
from mailmon.config import Overrides, Setup
from mailmon.errors import ConfigError, StageError, UnknownNameError

if TYPE_CHECKING:
    from mailmon.bounces.scan import Scanned
    from mailmon.checks.context import RunContext
    from mailmon.checks.targets import Account

FAILED = 1


@click.command("scan", short_help="Read the folders with bounces, record what is new, sort where configured.")
@click.argument(
    "names",
    nargs=-1,
    metavar="[ACCOUNT]...",
    shell_complete=common.completing(lambda setup: {a.name for a in setup.accounts.values() if a.bounces}),
)
@click.option("--test", "is_test", is_flag=True, help="Use the folders of bounces.test, and a history of their own.")
@click.option(
    "--timeout", "timeout_s", type=common.FiniteRange(10, 86400), default=3600, show_default=True, metavar="SECONDS",
    help="After that, what is left is for the next scan.",
)  # fmt: skip
@common.transcript_option
@click.option("--nameserver", multiple=True, metavar="ADDRESS[:PORT]", help="Ask this name server; repeatable.")
@common.common_options
def scan(
    names: tuple[str, ...],
    is_test: bool,
    timeout_s: float,
    verbose: bool,
    nameserver: tuple[str, ...],
    config_path: str | None,
    as_json: bool,
    color: str,
) -> None:
    """Read what is new in the folder with bounces of all accounts that have one, or of those named.

    Everything is recorded in the history; nothing is marked as read, and messages are moved only where the
    configuration names folders to move them to. `mailmon check` does the same in each run, as its step `bounces`.
    """
    del color
    setup = common.load_setup(config_path, Overrides({}, nameserver))
    for warning in setup.warnings:
        common.warn(warning)
    accounts = _accounts(setup, names, is_test=is_test)
    record = common.print_transcript if verbose else None
    rows = []
    with closing(_open_tools(setup, common.now(), timeout_s, record)) as tools:
        for row in _scanned(tools, accounts, is_test=is_test):
            rows.append(row)
            if not as_json:
                _say(row)
    if as_json:
        common.print_json({"schema": "mailmon/bounces-scan/1", "accounts": rows})
    if any(row["error"] for row in rows):
        raise click.exceptions.Exit(FAILED)


def _accounts(setup: Setup, names: Sequence[str], *, is_test: bool) -> list[Account]:
    """Return the accounts to scan, with the folder that is meant. Raises ConfigError, UnknownNameError."""
    key = "bounces.test" if is_test else "bounces"
    able = {
        name: account._replace(bounces=place)
        for name, account in setup.accounts.items()
        if (place := account.bounces_test if is_test else account.bounces)
    }
    problems = [
        f"there is no account {name!r} with {key}; there are: {', '.join(able)}" for name in names if name not in able
    ]
    if not able:
        raise ConfigError("bounces scan", [f"no account has {key}: name the folder in which bounces arrive"])
    if problems:
        raise UnknownNameError("\n".join(problems))
    return [account for name, account in able.items() if not names or name in names]


def _open_tools(setup: Setup, now: datetime, timeout_s: float, record: Any) -> RunContext:
    from mailmon.checks.context import RunContext, World
    from mailmon.clients.deadline import Deadline
    from mailmon.clients.resolver import RememberingResolve, resolver_for
    from mailmon.mail.probe.ledger import Ledger
    from mailmon.store.keeper import Keeper

    keeper = Keeper(setup.state_file, now, is_dry=True)
    world = World(
        now=common.now,
        sleep=time.sleep,
        deadline=Deadline(timeout_s),
        resolve=RememberingResolve(resolver_for(setup.nameservers)),
        key=keeper.signing_key(),
        version=__version__,
        record=record,
        run_id=f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        state_file=setup.state_file,
        notices=setup.notices,
        bounce_limits=setup.bounce_limits,
        nameservers=tuple(setup.nameservers),
    )
    return RunContext(world, Ledger(keeper.state.probes), setup.accounts.values())


def _scanned(tools: RunContext, accounts: Sequence[Account], *, is_test: bool) -> Iterator[dict[str, Any]]:
    """Scan one account after the other; the trouble of one keeps no other from being scanned."""
    from mailmon.bounces.run import Scan, scan_folder
    from mailmon.checks.bounces import RESERVE_S, context_of
    from mailmon.store.bouncelog.log import NAME, TEST_NAME

    deadline = tools.world.deadline
    for account in accounts:
        assert account.bounces is not None
        wanted = Scan(
            account, account.bounces, lambda: deadline.remaining_s() < RESERVE_S, TEST_NAME if is_test else NAME
        )
        started_s = deadline.monotonic()
        try:
            with scan_folder(context_of(tools), wanted) as (done, _history):
                yield _row(account, done, deadline.monotonic() - started_s)
        except StageError as exc:
            yield _row(account, None, deadline.monotonic() - started_s, exc.message, exc.advice)


def _row(
    account: Account, done: Scanned | None, duration_s: float, error: str = "", advice: str = ""
) -> dict[str, Any]:
    assert account.bounces is not None
    from mailmon.mail.bounce import Kind

    return {
        "account": account.name,
        "folder": account.bounces.name,
        "duration_s": round(duration_s, 4),
        "new": done.new if done else 0,
        "kinds": {kind.value: done.kinds[kind] if done else 0 for kind in Kind},
        "own_probes": done.own if done else 0,
        "moved": done.moved if done else 0,
        "unread": done.unread if done else 0,
        "notices": {"sent": done.notices.taken if done else 0, "failed": done.notices.failed if done else 0},
        "notice_error": done.notices.error if done else "",
        "problems": list(done.problems) if done else [],
        "obstacles": list(done.obstacles) if done else [],
        "warnings": list(done.warnings) if done else [],
        "words": done.words() if done else "",
        "error": error,
        "advice": advice,
    }


def _say(row: dict[str, Any]) -> None:
    for warning in row["warnings"]:
        common.warn(warning)
    mark = "❌" if row["error"] else "✓"
    common.say(f"{mark} {row['account']} {row['folder']}: {row['error'] or row['words']}")
    unsent = f"{row['notices']['failed']} notices were not taken: {row['notice_error']}" if row["notice_error"] else ""
    for line in (
        row["advice"],
        unsent,
        *row["obstacles"],
        *(f"set aside unread: {problem}" for problem in row["problems"]),
    ):
        if line:
            common.say(f"  → {line}")


COMMAND = scan

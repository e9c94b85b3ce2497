"""`mailmon bounces scan`: log new messages of the bounce folders."""

from __future__ import annotations

import click

from mailmon.app.bounces import scan as app
from mailmon.cli import common
from mailmon.config import Overrides
from mailmon.model.bounces import ScannedAccount
from mailmon.render.document import scan_document

FAILED = 1


@click.command("scan", short_help="Log new messages of the bounce folders; sort them if configured.")
@click.argument(
    "names",
    nargs=-1,
    metavar="[ACCOUNT]...",
    shell_complete=common.completing(lambda setup: {a.name for a in setup.accounts.values() if a.bounces}),
)
@click.option("--test", "is_test", is_flag=True, help="Use the folders of bounces.test, with a log of their own.")
@click.option(
    "--timeout", "timeout_s", type=common.FiniteRange(10, 86400), default=3600, show_default=True,
    metavar="SECONDS",
    help="Stop after this many seconds; the next scan continues.",
)  # fmt: skip
@common.transcript_option
@click.option("--nameserver", multiple=True, metavar="ADDRESS[:PORT]", help="DNS server to use; repeatable.")
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
    """Log new messages in the bounce folders of all accounts, or of those given as ACCOUNT.

    Marks nothing as read, and moves messages only if the configuration names target folders. `mailmon check` does the
    same in each run, as its step `bounces`.
    """
    del color
    setup = common.load_setup(config_path, Overrides({}, nameserver))
    for warning in setup.warnings:
        common.warn(warning)
    record = common.print_transcript if verbose else None
    scanned = []
    for one in app.scan(app.plan(setup, names, is_test=is_test, timeout_s=timeout_s, record=record)):
        scanned.append(one)
        if not as_json:
            _say(one)
    if as_json:
        common.print_json(scan_document(scanned))
    if any(one.error for one in scanned):
        raise click.exceptions.Exit(FAILED)


def _say(one: ScannedAccount) -> None:
    for warning in one.warnings:
        common.warn(warning)
    mark = "❌" if one.error else "✓"
    common.say(f"{mark} {one.account} {one.folder}: {one.error or one.words}")
    unsent = f"{one.notices_failed} notices were refused: {one.notice_error}" if one.notice_error else ""
    for line in (
        one.advice,
        unsent,
        *one.obstacles,
        *(f"could not be read: {problem}" for problem in one.problems),
    ):
        if line:
            common.say(f"  → {line}")


COMMAND = scan

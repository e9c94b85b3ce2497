"""`mailmon bounces scan`: what is new in the folders with bounces?"""

from __future__ import annotations

import click

from mailmon.app.bounces import scan as app
from mailmon.cli import common
from mailmon.config import Overrides
from mailmon.model.bounces import ScannedAccount
from mailmon.render.document import scan_document

FAILED = 1


@click.command("scan", short_help="Read the folders with bounces, record what is new, sort where configured.")
@click.argument(
    "names",
    nargs=-1,
    metavar="[ACCOUNT]...",
    shell_complete=common.completing(lambda setup: {a.name for a in setup.accounts.values() if a.bounces}),
)
@click.option("--test", "is_test", is_flag=True, help="Use the folders of bounces.test, and a bounce log of their own.")
@click.option(
    "--timeout", "timeout_s", type=common.FiniteRange(10, 86400), default=app.TIMEOUT_S, show_default=True,
    metavar="SECONDS",
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

    Everything is recorded in the bounce log; nothing is marked as read, and messages are moved only where the
    configuration names folders to move them to. `mailmon check` does the same in each run, as its step `bounces`.
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
    unsent = f"{one.notices_failed} notices were not taken: {one.notice_error}" if one.notice_error else ""
    for line in (
        one.advice,
        unsent,
        *one.obstacles,
        *(f"set aside unread: {problem}" for problem in one.problems),
    ):
        if line:
            common.say(f"  → {line}")


COMMAND = scan

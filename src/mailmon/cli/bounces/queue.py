"""`mailmon bounces queue` and `retry`: notices about bounces."""

from __future__ import annotations

import click

from mailmon.app.bounces import queue as app
from mailmon.cli import common, screen
from mailmon.cli.bounces.filters import mask_option
from mailmon.model.bounces import Notice
from mailmon.render.document import queue_document, retry_document
from mailmon.render.layout import Paper, Row, table
from mailmon.render.terminal import local_time
from mailmon.text import visible

# Shown for the status of the JSON document.
_STATUSES = {"dead": "failed"}


@click.command("queue", short_help="Show notices about bounces: waiting, failed or sent.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), metavar="N", default=50, show_default=True, help="Number of notices."
)
@mask_option
@common.verbose_option
@common.common_options
def queue(limit: int, mask: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Show notices about bounces, those that are waiting or failed first."""
    setup = common.load_setup(config_path, with_secrets=False)
    notices = app.notices(setup, limit, is_masked=mask, warn=common.warn)
    if as_json:
        common.print_json(queue_document(notices))
        return
    printer = screen.Printer(common.wants_colour(color))
    printer.lines(table([_row(one, printer.paper) for one in notices], printer.paper))
    if not notices:
        common.say("no notices")


@click.command("retry", short_help="Retry queued or failed notices.")
@click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID]...")
@click.option("--all", "is_all", is_flag=True, help="All that are waiting or failed.")
@common.verbose_option
@common.common_options
def retry(ids: tuple[int, ...], is_all: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Retry notices in the next scan: those with the given ids, as shown by `queue`, or all."""
    del color
    if bool(ids) == is_all:
        raise click.UsageError("give the ids of notices, or --all")
    setup = common.load_setup(config_path, with_secrets=False)
    count = app.retry(setup, ids, common.warn)
    if count < len(set(ids)):
        which = f"{count} of {len(set(ids))} notices" if count else "no notice"
        common.warn(f"{which} with these ids could be queued: the others were sent or do not exist")
    if as_json:
        common.print_json(retry_document(count))
    else:
        common.say(f"{count} queued; sent by the next check or `mailmon bounces scan`")


def _row(one: Notice, paper: Paper) -> Row:
    when = f"next {local_time(one.next_at)}" if one.status == "waiting" else local_time(one.done_at or one.next_at)
    cells = (
        f"#{one.id}",
        _STATUSES.get(one.status, one.status),
        f"bounce #{one.message}",
        visible(one.recipient, 320),
        f"{one.attempts} attempts",
    )
    return Row("", (*map(paper.text, cells), when), (paper.text(visible(one.error, 200)),) if one.error else ())


QUEUE, RETRY = queue, retry

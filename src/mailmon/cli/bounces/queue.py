"""`mailmon bounces queue` and `retry`: which notices about bounces have not got to their readers?"""

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


@click.command("queue", short_help="Show the notices about bounces: what waits, is dead, or was sent.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
@mask_option
@common.verbose_option
@common.common_options
def queue(limit: int, mask: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Show the notices about bounces, those that wait or are dead first."""
    setup = common.load_setup(config_path, with_secrets=False)
    notices = app.notices(setup, limit, is_masked=mask, warn=common.warn)
    if as_json:
        common.print_json(queue_document(notices))
        return
    printer = screen.Printer(common.wants_colour(color))
    printer.lines(table([_row(one, printer.paper) for one in notices], printer.paper))
    if not notices:
        common.say("no notices")


@click.command("retry", short_help="Let notices that wait or are dead be tried again.")
@click.argument("ids", nargs=-1, type=click.IntRange(min=1), metavar="[ID]...")
@click.option("--all", "is_all", is_flag=True, help="All that wait or are dead.")
@common.verbose_option
@common.common_options
def retry(ids: tuple[int, ...], is_all: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Let the next scan try notices again: those with these ids, as `queue` shows them, or all."""
    del color
    if bool(ids) == is_all:
        raise click.UsageError("name the ids of notices, or --all")
    setup = common.load_setup(config_path, with_secrets=False)
    count = app.retry(setup, ids, common.warn)
    if count < len(set(ids)):
        which = f"{count} of {len(set(ids))} notices" if count else "no notice"
        common.warn(f"{which} with these ids could be queued: the others were sent, or there are none")
    if as_json:
        common.print_json(retry_document(count))
    else:
        common.say(f"{count} queued; the next check or `mailmon bounces scan` sends")


def _row(one: Notice, paper: Paper) -> Row:
    when = f"next {local_time(one.next_at)}" if one.status == "waiting" else local_time(one.done_at or one.next_at)
    cells = (
        f"#{one.id}",
        one.status,
        f"bounce #{one.message}",
        visible(one.recipient, 320),
        f"{one.attempts} attempts",
    )
    return Row("", (*map(paper.text, cells), when), (paper.text(visible(one.error, 200)),) if one.error else ())


QUEUE, RETRY = queue, retry

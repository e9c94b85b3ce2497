"""`mailmon bounces queue` and `retry`: which notices about bounces have not got to their readers?"""

from __future__ import annotations

from typing import Any

import click

from mailmon.cli import common, screen
from mailmon.cli.bounce_filters import mask_option
from mailmon.cli.bounce_log import open_reader
from mailmon.mail.masking import mask_address, mask_text
from mailmon.model.bounces import Notice
from mailmon.render.document import instant
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
    with open_reader(config_path) as reader:
        notices: list[Notice] = reader.notices(limit)
    if mask:
        notices = [
            one._replace(recipient=mask_address(one.recipient), error=mask_text(one.error, [one.recipient]))
            for one in notices
        ]
    if as_json:
        common.print_json({"schema": "mailmon/bounces-queue/1", "notices": [_document(one) for one in notices]})
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
    from mailmon.store.bouncelog.log import BounceLog

    now = common.now()
    with BounceLog(setup.state_file, now) as history:
        count = history.retry_notices(ids, now)
    if count < len(set(ids)):
        which = f"{count} of {len(set(ids))} notices" if count else "no notice"
        common.warn(f"{which} with these ids could be queued: the others were sent, or there are none")
    if as_json:
        common.print_json({"schema": "mailmon/bounces-retry/1", "queued": count})
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


def _document(one: Notice) -> dict[str, Any]:
    return {
        "id": one.id,
        "bounce": one.message,
        "recipient": one.recipient,
        "status": one.status,
        "attempts": one.attempts,
        "created_at": instant(one.created_at),
        "next_at": instant(one.next_at) if one.status == "waiting" else None,
        "done_at": instant(one.done_at) if one.done_at else None,
        "error": one.error,
    }


COMMANDS = (queue, retry)

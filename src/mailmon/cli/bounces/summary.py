"""`mailmon bounces summary`: show or send the figures of a period."""

from __future__ import annotations

import click

from mailmon.app.bounces import summary as app
from mailmon.app.setup import now
from mailmon.bounces.trends import TOP
from mailmon.cli import common, screen
from mailmon.cli.bounces.filters import mask_option, period, period_options
from mailmon.model.run import EXIT_ALERT
from mailmon.render import bounces as report
from mailmon.render.document import alert_line_document, summary_document


@click.command("summary", short_help="Show or send the figures of a period, compared with the period before.")
@click.option(
    "--top", type=click.IntRange(1, 1000), metavar="N", default=TOP, show_default=True, help="Rows per ranking."
)
@click.option("--send", "is_sent", is_flag=True, help="Send it to all alert channels.")
@click.option("--only-if-any", is_flag=True, help="With --send: skip the message if there were no bounces.")
@period_options("24h")
@mask_option
@common.verbose_option
@common.common_options
def summary(
    top: int,
    is_sent: bool,
    only_if_any: bool,
    since: str,
    until: str | None,
    mask: bool,
    config_path: str | None,
    as_json: bool,
    color: str,
) -> None:
    """Show the number of bounces by class, reason, domain and remote MTA, and the change from the period before.

    With --send, also sends it to all alert channels, as a message that is independent of alerts: for example from a
    daily timer. Exits 69 if a channel refuses it.
    """
    del color
    at = now()
    # Once, and with its secrets where they are needed: afterwards root has become the user that the log belongs to.
    setup = common.load_setup(config_path, with_secrets=is_sent)
    begin, end = period(since, until, at)
    assert begin is not None
    with common.usage("--since"):
        figures = app.summary(setup, begin, end or at, top, is_masked=mask, warn=common.warn)
    lines = app.send(setup, figures, at) if is_sent and (figures.messages.now or not only_if_any) else []
    if as_json:
        document = summary_document(figures, top)
        common.print_json({**document, "alerts": [*map(alert_line_document, lines)]} if is_sent else document)
    printer = screen.Printer(False)
    for words in () if as_json else report.summary_lines(figures):
        printer.text(words, indent=" " * 11)
    for line in () if as_json else lines:
        common.say(f"{line.status}: {line.channel}: {line.error or line.title}", err=line.status != "sent")
    if any(line.status != "sent" for line in lines):
        raise click.exceptions.Exit(EXIT_ALERT)


COMMAND = summary

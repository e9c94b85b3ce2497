"""`mailmon bounces summary`: what did a period bring, and who is sent that?"""

from __future__ import annotations

import time
from datetime import datetime

import click

from mailmon.bounces.trends import TOP, earlier, summarize
from mailmon.cli import common, screen
from mailmon.cli.bounce_filters import mask_option, period, period_options
from mailmon.cli.bounce_log import reader_of
from mailmon.clients.deadline import Deadline
from mailmon.config import Setup
from mailmon.errors import ConfigError
from mailmon.model import Alert, AlertKind, OutboxEntry
from mailmon.model.bounces import Summary
from mailmon.model.run import EXIT_ALERT, AlertLine
from mailmon.render import bounces as report
from mailmon.render.masked import masked_summary
from mailmon.run.delivery import DeliveryContext, deliver

SEND_S = 60.0


@click.command("summary", short_help="Show or send the figures of a period, against the period before.")
@click.option("--top", type=click.IntRange(1, 1000), default=TOP, show_default=True, help="How many rows of each kind.")
@click.option("--send", "is_sent", is_flag=True, help="Send it by all alert channels, mail among them.")
@click.option("--only-if-any", is_flag=True, help="With --send: send nothing of a period that brought nothing.")
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
    """Show how many bounced, by class, reason, domain and remote MTA, and the change against the same time before.

    With --send the same goes to all channels, as a message of its own that has nothing to do with alerts: for a timer,
    once a day. The exit code is 69 when a channel did not take it.
    """
    del color
    now = common.now()
    # Once, and with its secrets where they are needed: afterwards root has become the user that the history belongs to.
    setup = common.load_setup(config_path, with_secrets=is_sent)
    figures = _figures(setup, since, until, now, top)
    if mask:
        figures = masked_summary(figures)
    lines = _send(setup, figures, now) if is_sent and (figures.messages.now or not only_if_any) else []
    if as_json:
        document = report.summary_document(figures, top)
        rows = [{"id": line.id, "channel": line.channel, "status": line.status} for line in lines]
        common.print_json({**document, "alerts": rows} if is_sent else document)
    printer = screen.Printer(False)
    for words in () if as_json else report.summary_lines(figures):
        printer.text(words, indent=" " * 11)
    for line in () if as_json else lines:
        common.say(f"{line.status}: {line.channel}: {line.error or line.title}", err=line.status != "sent")
    if any(line.status != "sent" for line in lines):
        raise click.exceptions.Exit(EXIT_ALERT)


def _figures(setup: Setup, since: str, until: str | None, now: datetime, top: int) -> Summary:
    begin, end = period(since, until, now)
    assert begin is not None
    end = end or now
    try:
        before = earlier(begin, end)
    except OverflowError as exc:
        raise click.BadParameter("the period before would begin before year 1", param_hint="--since") from exc
    with reader_of(setup) as reader:
        return summarize(reader.figures(begin, end), reader.figures(before, begin), begin, end, top)


def _send(setup: Setup, figures: Summary, now: datetime) -> list[AlertLine]:
    """Send the figures by all channels, with the repetitions of an alert; what is refused is not kept for later."""
    channels = setup.channels
    if not channels:
        raise ConfigError("bounces summary", ["no channel is configured"], "Add one under `notify`: docs/channels.md.")
    # The same period has the same id: a receiver can tell a repetition.
    number = f"bounces-{figures.since:%Y%m%dT%H%M}-{figures.until:%Y%m%dT%H%MZ}"
    alert = Alert(
        number, AlertKind.REPORT, report.summary_title(figures), "\n".join(report.summary_lines(figures)), now
    )
    desk = DeliveryContext(channels, Deadline(SEND_S), time.sleep, now)
    _, lines = deliver([OutboxEntry(alert, name) for name in channels], desk, lambda _entry: None)
    return lines


COMMAND = summary

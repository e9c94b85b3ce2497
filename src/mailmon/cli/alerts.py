"""`mailmon alerts`: show recent alerts."""

from __future__ import annotations

import click

from mailmon.app import alerts as app
from mailmon.app.setup import now
from mailmon.cli import common
from mailmon.model import Delivery, OutboxEntry
from mailmon.render import terminal
from mailmon.render.document import alerts_document
from mailmon.text import count

_COLOURS = {"sent": "green", "pending": "yellow", "dropped": "red"}


@click.command("alerts", short_help="Show recent alerts: sent, pending and dropped.")
@common.verbose_option
@common.common_options
def alerts(config_path: str | None, as_json: bool, color: str) -> None:
    """Show recent alerts, oldest first: sent, dropped (with the reason) and pending.

    Reads only the state file; sends nothing.
    """
    setup = common.load_setup(config_path, with_secrets=False)
    log = app.alerts(setup, now())
    for warning in log.warnings:
        common.warn(warning)
    if as_json:
        common.print_json(alerts_document(log))
        return
    has_colour = common.wants_colour(color)
    for delivery in log.deliveries:
        _say(delivery.status, _line(delivery), has_colour=has_colour)
    for entry in log.pending:
        _say("pending", _pending_line(entry), has_colour=has_colour)
    if not log.deliveries and not log.pending:
        common.say("no alerts yet")


def _say(status: str, line: str, *, has_colour: bool) -> None:
    common.say(f"{status:<8}  {line}", colour=_COLOURS[status] if has_colour else None)


def _line(delivery: Delivery) -> str:
    error = f" ({delivery.error})" if delivery.error else ""
    return f"{terminal.local_time(delivery.done_at)}  {delivery.channel:<12}  {delivery.title}{error}"


def _pending_line(entry: OutboxEntry) -> str:
    error = f", {count(entry.runs, 'run')}: {entry.error}" if entry.error else ""
    return f"{terminal.local_time(entry.alert.at)}  {entry.channel:<12}  {entry.alert.title}{error}"


COMMAND = alerts

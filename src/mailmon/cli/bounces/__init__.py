"""`mailmon bounces`: a group whose commands are imported when they are run."""

from __future__ import annotations

import click

from mailmon.cli import LazyGroup

_COMMANDS = {
    "classify": "Classify messages: bounce, delay, complaint or other.",
    "scan": "Log new messages of the bounce folders; sort them if configured.",
    "list": "List bounces, delay warnings and complaints.",
    "show": "Show all details of one message.",
    "export": "Export bounces as CSV, JSON or XLSX.",
    "summary": "Show or send the figures of a period, compared with the period before.",
    "queue": "Show notices about bounces: waiting, failed or sent.",
    "retry": "Retry queued or failed notices.",
}
_MODULES = {
    "list": "log:LIST",
    "show": "log:SHOW",
    "export": "log:EXPORT",
    "queue": "queue:QUEUE",
    "retry": "queue:RETRY",
}


@click.group("bounces", cls=LazyGroup, package=__name__, table=_COMMANDS, modules=_MODULES)
def bounces() -> None:
    """Classify, log and summarise bounces."""


COMMAND = bounces

"""`mailmon bounces`: a group whose commands are imported when they are run."""

from __future__ import annotations

import click

from mailmon.cli import LazyGroup

_COMMANDS = {
    "classify": "Classify messages: bounce, delay, complaint or other.",
    "scan": "Read the folders with bounces, record what is new, sort where configured.",
    "list": "List what came back, was late, or was complained about.",
    "show": "Show all that is known of one message.",
    "export": "Write bounces as CSV, JSON or XLSX.",
    "summary": "Show or send the figures of a period, against the period before.",
    "queue": "Show the notices about bounces: what waits, is dead, or was sent.",
    "retry": "Let notices that wait or are dead be tried again.",
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
    """Read mail that came back: who was not reached, and why."""


COMMAND = bounces

"""`mailmon status`: what is remembered."""

from __future__ import annotations

import click

from mailmon.checks import LABELS
from mailmon.cli import common
from mailmon.mail.text import count, format_duration
from mailmon.model import Memory
from mailmon.report import document, terminal
from mailmon.store.state import State, peek_or_empty


@click.command("status", short_help="Show what is remembered: health, since when, what is pending.")
@common.common_options
def status(config_path: str | None, as_json: bool, color: str) -> None:
    """Show the last run, each check's health and since when, and the alerts that wait for their channel.

    Reads the state file only: nothing is checked and nothing is sent.
    """
    setup = common.load_setup(config_path, with_secrets=False)
    loaded = peek_or_empty(setup.state_file)
    for warning in loaded.warnings:
        common.warn(warning)
    if as_json:
        common.print_json(_document(loaded.state))
    else:
        _print(loaded.state, has_colour=common.wants_colour(color))


def _print(state: State, *, has_colour: bool) -> None:
    now = common.now()
    if run := state.last_run:
        ago = format_duration((now - run.finished_at).total_seconds())
        common.say(f"last run  {terminal.local_time(run.finished_at)}, {ago} ago: {run.status}")
    else:
        common.say("no complete run yet: run `mailmon check`")
    for step_id, memory in _in_order(state):
        colour = terminal.HEALTH_COLOURS.get(memory.health) if has_colour else None
        common.say(terminal.health_line(step_id, memory, LABELS, now), colour=colour)
    for entry in state.outbox:
        error = f": {entry.error}" if entry.error else ""
        common.say(f"pending   {entry.channel}, {count(entry.runs, 'run')}: {entry.alert.title}{error}")


def _document(state: State) -> dict[str, object]:
    run = state.last_run
    last_run = run and {
        "run_id": run.run_id,
        "started_at": document.instant(run.started_at),
        "finished_at": document.instant(run.finished_at),
        "status": run.status.value,
    }
    return {
        "schema": "mailmon/status/1",
        "last_run": last_run,
        "checks": [document.memory_document(step_id, memory) for step_id, memory in _in_order(state)],
        "pending": [document.pending_document(entry) for entry in state.outbox],
    }


def _in_order(state: State) -> list[tuple[str, Memory]]:
    """Return what is remembered in the order in which a run tells it."""
    order = list(LABELS)

    def place(item: tuple[str, Memory]) -> tuple[int, str]:
        check, _, name = item[0].partition(":")
        return (order.index(check) if check in order else len(order), name)

    return sorted(state.checks.items(), key=place)


COMMAND = status

"""`mailmon status`: what is remembered, and is it fresh?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import click

from mailmon.checks import LABELS
from mailmon.cli import common
from mailmon.clock import read_anchor
from mailmon.config import Setup
from mailmon.model import CheckState, Health, Silence
from mailmon.render import document, terminal
from mailmon.run.certificates import CERTIFICATE
from mailmon.run.subjects import own_topic
from mailmon.store.keeper import look_up
from mailmon.store.silences import active, read_silences
from mailmon.store.state import State
from mailmon.text import count, format_duration, parse_duration

EXIT_STALE = 1
MAX_SKEW_S = 300.0


class _View(NamedTuple):
    """What is shown. `max_age_s` is how old the last complete run may be, None for any age."""

    state: State
    setup: Setup
    silences: tuple[Silence, ...]
    now: datetime
    max_age_s: float | None

    @property
    def age_s(self) -> float | None:
        run = self.state.last_run
        return (self.now - run.finished_at).total_seconds() if run else None

    @property
    def is_stale(self) -> bool:
        # A run that ended in the future is no fresh one: somebody has set the clock back.
        return self.max_age_s is not None and (self.age_s is None or not -MAX_SKEW_S <= self.age_s <= self.max_age_s)

    def next_reminder_at(self, step_id: str, memory: CheckState) -> datetime | None:
        """Return when a failure that lasts is told again; while nobody can tell whether it does, it is not."""
        policy = self.setup.policies.get(step_id.partition(":")[0])
        told = memory.told
        is_told = (
            told.health in (Health.DOWN, Health.DEGRADED) and told.health is memory.health and not memory.unknown_runs
        )
        if not is_told or told.at is None or policy is None or policy.reminder_interval_s is None:
            return None
        return told.at + timedelta(seconds=policy.reminder_interval_s)


@click.command("status", short_help="Show what is remembered: health, since when, what is pending.")
@click.option("--max-age", metavar="DURATION", help="Exit code 1 when the last complete run is older, like 30m.")
@common.verbose_option
@common.common_options
def status(max_age: str | None, config_path: str | None, as_json: bool, color: str) -> None:
    """Show the last run, each check's health and last value, silences, and the alerts that wait for their channel.

    Reads the state file only: nothing is checked and nothing is sent.
    """
    setup = common.load_setup(config_path, with_secrets=False)
    now = common.now()
    loaded = look_up(setup.state_file, now)
    silences, problem = read_silences(setup.state_file, read_anchor(now))
    for warning in (*loaded.warnings, *([problem] if problem else [])):
        common.warn(warning)
    view = _View(loaded.state, setup, tuple(active(silences, now)), now, _seconds(max_age))
    if as_json:
        common.print_json(_document(view))
    else:
        _print(view, has_colour=common.wants_colour(color))
    if view.is_stale:
        raise click.exceptions.Exit(EXIT_STALE)


def _seconds(max_age: str | None) -> float | None:
    if max_age is None:
        return None
    try:
        return parse_duration(max_age)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--max-age") from exc


def _print(view: _View, *, has_colour: bool) -> None:
    run = view.state.last_run
    if run and view.age_s is not None:
        stale = f", older than {format_duration(view.max_age_s or 0)}" if view.is_stale else ""
        line = (
            f"last run  {terminal.local_time(run.finished_at)}, {format_duration(view.age_s)} ago{stale}: {run.status}"
        )
        common.say(line, colour="red" if has_colour and stale else None)
    else:
        common.say("no complete run yet: run `mailmon check`")
    common.say(f"state     {view.setup.state_file}")
    for step_id, memory in _in_order(view.state):
        colour = terminal.HEALTH_COLOURS.get(memory.health) if has_colour else None
        common.say(terminal.health_line(_label(step_id), memory, view.now), colour=colour)
        if next_at := view.next_reminder_at(step_id, memory):
            common.say(f"          next reminder {terminal.local_time(next_at)}")
    for silence in view.silences:
        common.say(f"silent    {silence.name}, until {terminal.local_time(silence.until)}: {silence.why}")
    for entry in view.state.outbox:
        error = f" ({entry.error})" if entry.error else ""
        common.say(f"pending   {entry.channel}, {count(entry.runs, 'run')}: {entry.alert.title}{error}")


def _label(step_id: str) -> str:
    """Return how a step is called: `SMTP Auth (office)`, `Alerts by phone`."""
    check, _, name = step_id.partition(":")
    label = LABELS.get(check) or own_topic(step_id).label
    return f"{label} ({name})" if check in LABELS or step_id.startswith(CERTIFICATE) else label


def _document(view: _View) -> dict[str, object]:
    run = view.state.last_run
    last_run = run and {
        "run_id": run.run_id,
        "started_at": document.instant(run.started_at),
        "finished_at": document.instant(run.finished_at),
        "status": run.status.value,
    }
    return {
        "schema": "mailmon/status/1",
        "state_file": str(view.setup.state_file),
        "last_run": last_run,
        "age_s": view.age_s,
        "is_stale": view.is_stale,
        "checks": [
            document.memory_document(step_id, memory, view.next_reminder_at(step_id, memory))
            for step_id, memory in _in_order(view.state)
        ],
        "silences": [document.silence_document(silence) for silence in view.silences],
        "pending": [document.pending_document(entry) for entry in view.state.outbox],
    }


def _in_order(state: State) -> list[tuple[str, CheckState]]:
    """Return what is remembered in the order in which a run tells it."""
    order = list(LABELS)

    def place(item: tuple[str, CheckState]) -> tuple[int, str]:
        check, _, name = item[0].partition(":")
        return (order.index(check) if check in order else len(order), name)

    return sorted(state.checks.items(), key=place)


COMMAND = status

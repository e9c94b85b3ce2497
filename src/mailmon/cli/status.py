"""`mailmon status`: show the current health of every check."""

from __future__ import annotations

import click

from mailmon.app import status as app
from mailmon.app.setup import now
from mailmon.cli import common
from mailmon.model.status import StatusReport
from mailmon.render import terminal
from mailmon.render.document import status_document
from mailmon.text import count, format_duration, parse_duration

EXIT_STALE = 1


@click.command("status", short_help="Show the current health of every check and pending alerts.")
@click.option("--max-age", metavar="DURATION", help="Exit with 1 if the last complete run is older, for example 30m.")
@common.verbose_option
@common.common_options
def status(max_age: str | None, config_path: str | None, as_json: bool, color: str) -> None:
    """Show the last run, the current health of every check, active silences and pending alerts.

    Reads only the state file; checks nothing and sends nothing.
    """
    setup = common.load_setup(config_path, with_secrets=False)
    report = app.status(setup, now(), _seconds(max_age))
    for warning in report.warnings:
        common.warn(warning)
    if as_json:
        common.print_json(status_document(report))
    else:
        _print(report, has_colour=common.wants_colour(color))
    if report.is_stale:
        raise click.exceptions.Exit(EXIT_STALE)


def _seconds(max_age: str | None) -> float | None:
    if max_age is None:
        return None
    try:
        return parse_duration(max_age)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--max-age") from exc


def _print(report: StatusReport, *, has_colour: bool) -> None:
    run = report.last_run
    if run and report.age_s is not None:
        stale = f", older than {format_duration(report.max_age_s or 0)}" if report.is_stale else ""
        ago = format_duration(report.age_s)
        line = f"last run  {terminal.local_time(run.finished_at)}, {ago} ago{stale}: {run.status}"
        common.say(line, colour="red" if has_colour and stale else None)
    else:
        common.say("no complete run yet: start one with `mailmon check`")
    common.say(f"state     {report.state_file}")
    for check in report.checks:
        colour = terminal.HEALTH_COLOURS.get(check.state.health) if has_colour else None
        for line in terminal.health_lines(check.label, check.state, report.at):
            common.say(line, colour=colour)
        if check.next_reminder_at:
            common.say(f"          next reminder {terminal.local_time(check.next_reminder_at)}")
        if check.alert:
            common.say(f"          {check.alert}")
    for silence in report.silences:
        common.say(f"silenced  {silence.name}, until {terminal.local_time(silence.until)}: {silence.why}")
    for entry in report.pending:
        error = f" ({entry.error})" if entry.error else ""
        common.say(f"pending   {entry.channel}, {count(entry.runs, 'run')}: {entry.alert.title}{error}")


COMMAND = status

"""`mailmon check`: one full cycle."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

import click

from mailmon.alerting.wording import conclude
from mailmon.app import check as app
from mailmon.app.setup import now
from mailmon.cli import common
from mailmon.config import Overrides
from mailmon.model import Outcome
from mailmon.render import terminal
from mailmon.run import Request, RunResult
from mailmon.run.workers import Progress
from mailmon.text import format_duration

# A run that is over by then needs no progress line, which is drawn at most so often.
QUIET_S, INTERVAL_S = 2.0, 0.2
_ERASE = "\r\x1b[K"

_OPTIONS = (
    click.option("--smtp-host", metavar="HOST", help="SMTP server."),
    click.option("--smtp-port", type=int, metavar="PORT", help="Its port; 465 means tls, others starttls."),
    click.option("--imap-host", metavar="HOST", help="IMAP server."),
    click.option("--imap-port", type=int, metavar="PORT", help="Its port; 143 means starttls, others tls."),
    click.option("--username", metavar="NAME", help="Login name."),
    click.option("--password", metavar="TEXT", help="Others can read it in the process list: use --password-file."),
    click.option(
        "--password-file", metavar="PATH", callback=common.absolute, help="File or pipe that holds the password."
    ),
    click.option("--test-recipient", metavar="ADDRESS", help="Where the probe is sent."),
    click.option(
        "--receive-timeout", type=common.Finite(), metavar="SECONDS", help="Until the probe must have arrived."
    ),
    click.option("--ntfy-topic", metavar="TOPIC", help="ntfy topic for alerts."),
    click.option("--ntfy-server", metavar="URL", help="ntfy server."),
    click.option("--state-file", metavar="PATH", callback=common.absolute, help="State file."),
)


def _override_options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("check", short_help="Run one full cycle.")
@click.argument(
    "names",
    nargs=-1,
    metavar="[NAME]...",
    shell_complete=common.completing(lambda setup: {*setup.accounts, *setup.routes}),
)
@click.option(
    "--due/--all", "only_due", default=True, help="Skip what was asked within its interval (default), or nothing."
)
@click.option("--shard", metavar="I/N", help="Only part I of N: several machines share one configuration.")
@click.option("--dry-run", is_flag=True, help="Run the whole cycle; print the alert, send none, write no state.")
@common.transcript_option
@click.option("--nameserver", multiple=True, metavar="ADDRESS[:PORT]", help="Ask this name server; repeatable.")
@common.common_options
@_override_options
def check(
    names: tuple[str, ...],
    only_due: bool,
    shard: str | None,
    dry_run: bool,
    verbose: bool,
    nameserver: tuple[str, ...],
    config_path: str | None,
    as_json: bool,
    color: str,
    **overrides: Any,
) -> None:
    """Run one full cycle for all accounts and routes, or for those named.

    Logs in by IMAP and SMTP, sends a probe, waits for it, cleans up, compares with what is remembered, and alerts
    only on a change. The options below take the place of what the configuration says.
    """
    if overrides["password"]:
        common.warn("--password: other users can read it in the process list; use --password-file")
    setup = common.load_setup(config_path, Overrides(overrides, nameserver), writes=not dry_run)
    with common.usage("--shard"):
        setup = app.part_of(setup, shard)
    for warning in setup.warnings:
        common.warn(warning)
    line = progress_line(is_quiet=verbose)
    printer = _Printer(common.wants_colour(color), line, is_silent=as_json)
    report = app.check(
        Request(
            setup,
            now,
            names,
            is_all=not only_due,
            is_dry=dry_run,
            record=common.print_transcript if verbose else None,
            on_done=printer,
            on_progress=line.show if line else None,
        )
    )
    if line:
        line.clear()
    _tell(report, len(setup.warnings), as_json=as_json)
    raise click.exceptions.Exit(report.exit_code)


class _Printer:
    """Prints each step as it ends."""

    def __init__(self, has_colour: bool, line: ProgressLine | None, *, is_silent: bool) -> None:
        self._has_colour = has_colour
        self._line = line
        self._is_silent = is_silent

    def __call__(self, outcome: Outcome, label: str) -> None:
        if self._is_silent:
            return
        if self._line:
            self._line.clear()
        for number, line in enumerate(terminal.step_lines(outcome, label)):
            colour = terminal.COLOURS.get(outcome.status) if self._has_colour and number == 0 else None
            common.say(line, colour=colour)


def _tell(report: RunResult, told: int, *, as_json: bool) -> None:
    """Print what the steps have not said: the alerts, the state, and with --json everything."""
    for warning in report.warnings[told:]:
        common.warn(warning)
    if report.state_error:
        kept = "alerts may repeat" if report.may_repeat else "its journal keeps what was announced"
        common.say(f"mailmon: {report.state_error}; {kept}", err=True)
    for alert in report.alerts:
        if alert.status != "sent":
            common.say(f"mailmon: alert {alert.status}: {alert.channel}: {alert.error}", err=True)
    if as_json:
        from mailmon.render.document import check_document

        common.print_json(check_document(report))
        return
    for preview in report.previews:
        common.say("\nthis alert would be sent:")
        for line in terminal.alert_lines(preview):
            common.say(f"  {line}")
    for alert in report.alerts:
        if alert.status == "sent":
            common.say(f"alert sent: {alert.channel}: {alert.title}")
    common.say(conclude(report))


class ProgressLine:
    """The line, on stderr. For one thread."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._shown_s = 0.0

    def show(self, progress: Progress) -> None:
        """Draw the line again, unless it was drawn just now."""
        now_s = time.monotonic()
        if now_s - self._began_s < QUIET_S or now_s - self._shown_s < INTERVAL_S:
            return
        self._shown_s = now_s
        _write(_ERASE + words_of(progress)[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Take the line away, so that something else can be printed; it comes back with the next second."""
        if self._shown_s:
            _write(_ERASE)
            self._shown_s = 0.0


def progress_line(is_quiet: bool) -> ProgressLine | None:
    """Return the line, None where nobody would see it."""
    return None if is_quiet or not sys.stderr.isatty() else ProgressLine()


def words_of(progress: Progress) -> str:
    """Return how far a run is.

    >>> words_of(Progress(3, 8, 1, None, 0.0))
    '3 of 8 steps, 1 failed'
    """
    failed = f", {progress.failed} failed" if progress.failed else ""
    for_s = time.monotonic() - progress.oldest_since_s
    oldest = f"; {progress.oldest.id} for {format_duration(for_s)}" if progress.oldest and for_s >= 1 else ""
    return f"{progress.done} of {progress.planned} steps{failed}{oldest}"


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        return


COMMAND = check

"""`mailmon check`: run all checks once."""

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
    click.option("--smtp-port", type=int, metavar="PORT", help="SMTP port; 465 implies tls, others starttls."),
    click.option("--imap-host", metavar="HOST", help="IMAP server."),
    click.option("--imap-port", type=int, metavar="PORT", help="IMAP port; 143 implies starttls, others tls."),
    click.option("--username", metavar="NAME", help="Login name."),
    click.option("--password", metavar="TEXT", help="Password, visible in the process list: prefer --password-file."),
    click.option("--password-file", metavar="PATH", callback=common.absolute, help="File or pipe with the password."),
    click.option("--test-recipient", metavar="ADDRESS", help="Address that the test mail is sent to."),
    click.option(
        "--receive-timeout", type=common.Finite(), metavar="SECONDS", help="How long to wait for the test mail."
    ),
    click.option("--ntfy-topic", metavar="TOPIC", help="ntfy topic for alerts."),
    click.option("--ntfy-server", metavar="URL", help="ntfy server."),
    click.option("--state-file", metavar="PATH", callback=common.absolute, help="State file."),
)


def _override_options(command: Any) -> Any:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command("check", short_help="Run all checks once.")
@click.argument(
    "names",
    nargs=-1,
    metavar="[NAME]...",
    shell_complete=common.completing(lambda setup: {*setup.accounts, *setup.routes}),
)
@click.option("--due/--all", "only_due", default=True, help="Run only the checks that are due (default), or all.")
@click.option("--shard", metavar="I/N", help="Run only part I of N, to share one configuration among machines.")
@click.option("--dry-run", is_flag=True, help="Run all checks; print the alert, send none, write no state.")
@common.transcript_option
@click.option("--nameserver", multiple=True, metavar="ADDRESS[:PORT]", help="DNS server to use; repeatable.")
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
    """Run all checks once, or only those of the accounts and routes given as NAME.

    Logs in to IMAP and SMTP, sends a test mail, waits for its arrival, deletes it, and alerts if the result differs
    from the stored state. The options below override the configuration.

    Exit code 0: ok, or only warnings; 1: a check failed; 75: inconclusive, or another run holds the lock.
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
    result = app.check(
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
    _print_rest(result, len(setup.warnings), as_json=as_json)
    raise click.exceptions.Exit(result.exit_code)


class _Printer:
    """Prints each step when it has finished."""

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


def _print_rest(result: RunResult, n_printed: int, *, as_json: bool) -> None:
    """Print alerts and problems with the state, with --json the whole document."""
    for warning in result.warnings[n_printed:]:
        common.warn(warning)
    if result.state_error:
        kept = "alerts may repeat" if result.may_repeat else "sent alerts are kept in its journal"
        common.say(f"mailmon: {result.state_error}; {kept}", err=True)
    for alert in result.alerts:
        if alert.status != "sent":
            common.say(f"mailmon: alert {alert.status}: {alert.channel}: {alert.error}", err=True)
    if as_json:
        from mailmon.render.document import check_document

        common.print_json(check_document(result))
        return
    for preview in result.previews:
        common.say("\nalert that would be sent:")
        for line in terminal.alert_lines(preview):
            common.say(f"  {line}")
    for alert in result.alerts:
        if alert.status == "sent":
            common.say(f"alert sent: {alert.channel}: {alert.title}")
    common.say(conclude(result))


class ProgressLine:
    """The line, on stderr. For one thread."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._shown_s = 0.0

    def show(self, progress: Progress) -> None:
        """Draw the line again, unless it was drawn a moment ago."""
        now_s = time.monotonic()
        if now_s - self._began_s < QUIET_S or now_s - self._shown_s < INTERVAL_S:
            return
        self._shown_s = now_s
        _write(_ERASE + words_of(progress)[: shutil.get_terminal_size().columns - 1])

    def clear(self) -> None:
        """Erase the line, so that something else can be printed; the next second draws it again."""
        if self._shown_s:
            _write(_ERASE)
            self._shown_s = 0.0


def progress_line(is_quiet: bool) -> ProgressLine | None:
    """Return the line, None where stderr is no terminal."""
    return None if is_quiet or not sys.stderr.isatty() else ProgressLine()


def words_of(progress: Progress) -> str:
    """Return the progress of a run as text.

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

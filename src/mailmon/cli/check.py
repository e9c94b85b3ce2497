"""`mailmon check`: one full cycle."""

from __future__ import annotations

from typing import Any

import click

from mailmon.cli import common
from mailmon.cli.progress import ProgressLine, progress_line
from mailmon.config import Overrides, Setup
from mailmon.model import Outcome
from mailmon.render import document, terminal
from mailmon.run import Request, RunResult, run

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
    setup = _part_of(common.load_setup(config_path, Overrides(overrides, nameserver), writes=not dry_run), shard)
    for warning in setup.warnings:
        common.warn(warning)
    line = progress_line(is_quiet=verbose)
    printer = _Printer(common.wants_colour(color), line, is_silent=as_json)
    report = run(
        Request(
            setup,
            common.now,
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


def _part_of(setup: Setup, text: str | None) -> Setup:
    if not text:
        return setup
    from mailmon.config.shard import part_of, read_shard

    try:
        return part_of(setup, read_shard(text))
    except ValueError as exc:
        raise click.UsageError(f"--shard: {exc}") from exc


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
        common.print_json(_document(report))
        return
    for preview in report.previews:
        common.say("\nthis alert would be sent:")
        for line in terminal.alert_lines(preview):
            common.say(f"  {line}")
    for alert in report.alerts:
        if alert.status == "sent":
            common.say(f"alert sent: {alert.channel}: {alert.title}")


def _document(report: RunResult) -> dict[str, Any]:
    previews = [
        {"id": alert.id, "channel": "(dry run)", "status": "pending", "title": alert.title} for alert in report.previews
    ]
    return {
        "schema": "mailmon/check/1",
        "run_id": report.run_id,
        "started_at": document.instant(report.started_at),
        "finished_at": document.instant(report.finished_at),
        "duration_s": round(report.duration_s, 4),
        "status": report.status.value,
        "steps": [document.step_document(outcome) for outcome in report.steps],
        "changes": [document.change_document(flip) for flip in report.changes],
        "alerts": [
            *({"id": a.id, "channel": a.channel, "status": a.status, "title": a.title} for a in report.alerts),
            *previews,
        ],
        **({"warnings": list(report.warnings)} if report.warnings else {}),
    }


COMMAND = check

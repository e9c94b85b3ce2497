"""Options, output and exit code of the commands that print findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from mailmon.app.findings import must_be_known as known_patterns
from mailmon.cli.common import F, print_json, say, usage, warn
from mailmon.model import Finding, Severity, Verdict
from mailmon.model.diagnosis import SEVERITIES, severity_rank

EXIT_FOUND, EXIT_UNKNOWN = 1, 75
_NO_HOST = ("dns.host_not_found", "dns.resolver_error", "dns.mx_dangling", "dns.mx_none", "dns.domain_not_found")
_PROTOCOLS = ("tcp", "smtp", "imap", "pop3", "sieve")
_UNREACHABLE = ("unreachable", "greeting_rejected", "timeout", "connection_lost", "protocol_error", "ehlo_refused")


def finding_options(command: F) -> F:
    """Add the options of the commands that print findings."""
    for option in (
        click.option(
            "--skip", metavar="IDS", multiple=True, help="Hide these findings, for example tls or tls.no_*; repeatable."
        ),
        click.option(
            "--only",
            metavar="IDS",
            multiple=True,
            help="Show only these findings, for example tls or tls.cert_*; repeatable.",
        ),
        click.option(
            "--fail-on",
            type=click.Choice([one.value for one in SEVERITIES]),
            default="error",
            show_default=True,
            help="Exit with 1 for findings of this severity or above.",
        ),
        click.option(
            "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", help="Output format."
        ),
    ):
        command = option(command)
    return command


def must_be_known(given: Mapping[str, Any]) -> None:
    """Refuse a pattern that matches no finding. Raises click.UsageError."""
    for option in ("only", "skip"):
        with usage(f"--{option}"):
            known_patterns(given[option])


def outcome_of(everything: Iterable[Finding], chosen: Iterable[Finding], given: Mapping[str, Any]) -> int:
    """Return the exit code for the chosen findings; 75 if there are none because the host could not be tested."""
    code = exit_code(chosen, Severity(given["fail_on"]))
    if code or not given["only"] or list(chosen):
        return code
    message = f"no results for {', '.join(given['only'])}"
    failed = next((one for one in everything if _hides_the_rest(one)), None)
    warn(f"{message}: {failed.message}" if failed else message)
    return EXIT_UNKNOWN if failed else 0


def _hides_the_rest(finding: Finding) -> bool:
    """Return whether a finding prevents all others: no address, no connection, no conversation."""
    area, _, problem = finding.id.partition(".")
    ends_all = finding.id in _NO_HOST or (area in _PROTOCOLS and problem in _UNREACHABLE)
    return ends_all and finding.status in (Verdict.FAIL, Verdict.UNKNOWN)


def print_result(
    given: Mapping[str, Any],
    as_json: bool,
    document: Callable[[], dict[str, Any]],
    markdown: Callable[[], Iterable[str]],
    show: Callable[[], None],
) -> None:
    """Print a result in the chosen format."""
    if as_json or given["form"] == "json":
        print_json(document())
    elif given["form"] == "markdown":
        for line in markdown():
            say(line)
    else:
        show()


def exit_code(findings: Iterable[Finding], fail_on: Severity) -> int:
    """Return 1 for findings of severity `fail_on` or above, else 75 if a test was inconclusive, else 0."""
    known = list(findings)
    if any(one.severity and severity_rank(one.severity) >= severity_rank(fail_on) for one in known):
        return EXIT_FOUND
    return EXIT_UNKNOWN if any(one.status is Verdict.UNKNOWN for one in known) else 0

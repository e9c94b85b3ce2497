"""`mailmon dns DOMAIN`: check the DNS records of a mail domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailmon.app import dns as app
from mailmon.app.findings import selected
from mailmon.cli import common, screen
from mailmon.cli.findings import finding_options, must_be_known, outcome_of, print_result
from mailmon.domain.options import Options
from mailmon.render.document import survey_document

if TYPE_CHECKING:
    from mailmon.model import Finding
    from mailmon.model.dns import Survey

_STATES = {"is there": "green", "differs": "yellow", "to publish": "cyan", "to serve": "cyan"}


@click.command("dns", short_help="Check the DNS records of a mail domain, from MX to DANE.")
@click.argument("domain")
@click.option("--selector", "selectors", metavar="NAME", multiple=True, help="DKIM selector; repeatable.")
@click.option("--ip", "addresses", metavar="ADDR", multiple=True, help="IP address that you send from; repeatable.")
@click.option("--runbook", is_flag=True, help="Print the records to publish, as a zone file.")
@click.option("--host", metavar="NAME", default="", help="Name of the mail server, for a domain without MX record.")
@click.option(
    "--dkim-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="DKIM signing key: PEM, or the signer's .txt.",
)
@click.option("--no-connect", is_flag=True, help="Use only DNS: fetch no policy, compare no certificate.")
@click.option(
    "--ca-file", type=click.Path(exists=True, dir_okay=False), help="Trust these CAs instead of the system's."
)
@click.option(
    "--timeout",
    type=common.FiniteRange(0.5, 60),
    metavar="SECONDS",
    default=5,
    show_default=True,
    help="Seconds per query.",
)
@click.option(
    "--deadline",
    type=common.FiniteRange(1, 600),
    metavar="SECONDS",
    default=30,
    show_default=True,
    help="Seconds in total.",
)
@click.option(
    "--nameserver", "nameservers", metavar="ADDRESS[:PORT]", multiple=True, help="DNS server to use; repeatable."
)
@click.option("-v", "--verbose", is_flag=True, help="Also show passed tests, evidence and the SPF tree.")
@finding_options
@common.common_options
def dns(domain: str, config_path: str | None, as_json: bool, color: str, **given: Any) -> None:
    """Check the DNS records of a mail domain, and compare them with its servers.

    Wrong and missing records are printed as they should be, ready to copy. Exit code 1: a problem of severity
    --fail-on or above; 75: a test was inconclusive.
    """
    from mailmon.render import domain as report

    must_be_known(given)
    with common.usage():
        planned = app.plan(_wanted(domain, given))
    if not given["nameservers"]:
        options = planned.options._replace(nameservers=common.configured_nameservers(config_path))
        planned = planned._replace(options=options)
    with screen.progress(as_json or given["form"] != "text" or given["runbook"]) as progress:
        result = app.survey(planned, progress)
    everything = result.findings
    result = result._replace(findings=selected(everything, given["only"], given["skip"]))
    is_coloured = common.wants_colour(color)

    def show() -> None:
        if given["runbook"]:
            _show_runbook(result, planned.options, is_coloured=is_coloured)
        else:
            _show(result, everything, is_verbose=given["verbose"], is_coloured=is_coloured)

    print_result(given, as_json, lambda: survey_document(result), lambda: report.markdown(result), show)
    raise click.exceptions.Exit(outcome_of(everything, result.findings, given))


def _wanted(domain: str, given: Mapping[str, Any]) -> app.Wanted:
    return app.Wanted(
        domain,
        given["selectors"],
        given["addresses"],
        given["host"],
        given["dkim_key"],
        not given["no_connect"],
        given["ca_file"],
        given["timeout"],
        given["deadline"],
        given["nameservers"],
    )


def _show(result: Survey, everything: Iterable[Finding], *, is_verbose: bool, is_coloured: bool) -> None:
    from mailmon.render import diagnosis, domain
    from mailmon.render.shorten import both_forms

    printer = screen.Printer(is_coloured)
    printer.text(both_forms(result.domain), "bold")
    printer.pair(diagnosis.summary_line(result.findings), f"({result.duration_s:.1f} s)", "bold")
    printer.raw("")
    printer.lines(diagnosis.finding_lines(result.findings, printer.paper, is_verbose=is_verbose))
    if result.records:
        printer.raw("")
        printer.lines(domain.record_lines(result, printer.paper, everything))
    wanted = list(domain.wanted_lines(result))
    if wanted:
        printer.raw("\nRecords to publish:", "bold")
        for line in wanted:
            printer.raw(f"  {line}")
    if result.spf and is_verbose:
        printer.raw("\nSPF tree:", "bold")
        for line in domain.spf_lines(result):
            printer.text(f"  {line}", indent=" " * (len(line) - len(line.lstrip()) + 6))
    for note in result.notes:
        printer.text(f"note: {note}", "dim", indent="  ")


def _show_runbook(result: Survey, options: Options, *, is_coloured: bool) -> None:
    from mailmon.domain.runbook import runbook

    print_line = screen.Printer(is_coloured).raw
    print_line(f"; Records to publish for {result.domain}", "bold")
    for entry in runbook(result, options):
        print_line(f"\n; {entry.purpose}: {entry.state}", _STATES.get(entry.state, "magenta"))
        for line in entry.lines:
            print_line(line, "")
        for line in entry.words:
            print_line(f";   {line}", "")


COMMAND = dns

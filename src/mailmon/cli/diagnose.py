"""`mailmon diagnose HOST`: test a mail server from outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from mailmon.app import diagnose as app
from mailmon.app.findings import selected
from mailmon.cli import common, screen
from mailmon.cli.findings import finding_options, must_be_known, outcome_of, print_result
from mailmon.config import Setup
from mailmon.diagnose.plan import KINDS
from mailmon.model.diagnosis import Diagnosis
from mailmon.render.document import diagnosis_document


@click.command("diagnose", short_help="Test a mail server from outside: TLS, relaying, logins, host names and more.")
@click.argument("host", metavar="HOST[:PORT]")
@click.option(
    "--port", "ports", metavar="N[:KIND]", multiple=True, help="Port to test; repeatable [default: all mail ports]."
)
@click.option("--as", "kind", type=click.Choice(list(KINDS)), help="Protocol of the port.")
@click.option(
    "--ca-file", type=click.Path(exists=True, dir_okay=False), help="Trust these CAs instead of the system's."
)
@click.option(
    "--timeout",
    type=common.FiniteRange(0.5, 300),
    metavar="SECONDS",
    default=10,
    show_default=True,
    help="Seconds per step.",
)
@click.option(
    "--deadline",
    type=common.FiniteRange(1, 3600),
    metavar="SECONDS",
    help="Seconds in total [default: 30, at least 4 times --timeout].",
)
@click.option(
    "--relay-test/--no-relay-test", "relay", default=None, help="Try all relaying variants, or none [default: one]."
)
@click.option("--relay-recipient", metavar="ADDR", help="External recipient for relaying tests.")
@click.option("--mail-from", metavar="ADDR", help="External envelope sender for relaying tests.")
@click.option("--trusted-client", is_flag=True, help="The server trusts this machine: do not report relaying for it.")
@click.option("--nolisting", is_flag=True, help="The preferred MX host refuses connections on purpose.")
@click.option("--intrusive", is_flag=True, help="Also test smuggling, injection and wrong passwords; sends messages.")
@click.option("--mailbox", metavar="ADDR", help="Your own mailbox on the server [default: postmaster@HOST].")
@click.option("--helo", metavar="NAME", help="Host name to send in EHLO [default: this machine's, else its address].")
@click.option("--account", metavar="NAME", help="Log in with the credentials of this configured account.")
@click.option("--family", type=click.Choice(["auto", "4", "6"]), default="auto", help="Use only IPv4 or IPv6.")
@click.option(
    "--nameserver", "nameservers", metavar="ADDRESS[:PORT]", multiple=True, help="DNS server to use; repeatable."
)
@click.option("--dnsbl", is_flag=True, help="Look up its addresses in DNS block lists.")
@click.option("-v", "--verbose", is_flag=True, help="Also show passed tests, evidence and transcripts.")
@finding_options
@common.common_options
def diagnose(host: str, config_path: str | None, as_json: bool, color: str, **given: Any) -> None:
    """Test a mail server from outside, and report problems with their fixes.

    Tests all mail ports unless a port is given; for a domain, those of its MX hosts. Sends no message without
    --intrusive, and does not log in without --account. Exit code 1: a problem of severity --fail-on or above; 75: a
    test was inconclusive.
    """
    from mailmon.render import diagnosis as report

    must_be_known(given)
    wanted = _wanted(host, given)
    with common.usage():
        planned = app.plan(wanted, lambda: _setup(config_path))
    if not wanted.nameservers:
        request = planned.request._replace(nameservers=common.configured_nameservers(config_path))
        planned = planned._replace(request=request)
    with screen.progress(as_json or given["form"] != "text") as progress:
        everything = app.diagnose(planned, progress)
    result = everything._replace(findings=selected(everything.findings, given["only"], given["skip"]))
    is_coloured = common.wants_colour(color)
    print_result(
        given,
        as_json,
        lambda: diagnosis_document(result),
        lambda: report.markdown(result),
        lambda: _show(result, is_verbose=given["verbose"], is_coloured=is_coloured),
    )
    raise click.exceptions.Exit(outcome_of(everything.findings, result.findings, given))


def _wanted(host: str, given: Mapping[str, Any]) -> app.Wanted:
    return app.Wanted(
        host,
        given["ports"],
        given["kind"],
        given["ca_file"],
        given["timeout"],
        given["deadline"],
        {True: "all", False: "none", None: "one"}[given["relay"]],
        given["relay_recipient"] or "",
        given["mail_from"] or "",
        is_trusted=given["trusted_client"],
        is_nolisting=given["nolisting"],
        is_intrusive=given["intrusive"],
        mailbox=given["mailbox"] or "",
        helo=given["helo"] or "",
        account=given["account"] or "",
        family=given["family"],
        nameservers=given["nameservers"],
        dnsbl=given["dnsbl"],
    )


def _setup(config_path: str | None) -> Setup | None:
    if common.config_file(config_path) is None:
        return None
    return common.load_setup(config_path, uses_state=False)


def _show(result: Diagnosis, *, is_verbose: bool, is_coloured: bool) -> None:
    from mailmon.render import diagnosis as report
    from mailmon.render.shorten import both_forms

    printer = screen.Printer(is_coloured)
    printer.text(f"{both_forms(result.host)} ({', '.join(result.addresses) or 'no address'})", "bold", indent="  ")
    printer.pair(report.summary_line(result.findings), f"({result.duration_s:.1f} s)", "bold")
    printer.raw("")
    printer.lines(report.finding_lines(result.findings, printer.paper, is_verbose=is_verbose))
    if result.services:
        printer.raw("")
        printer.lines(report.service_lines(result, printer.paper))
    if result.notes:
        printer.raw("")
    for note in result.notes:
        printer.text(f"note: {note}", "dim", indent="  ")
    if is_verbose:
        for one in result.transcripts:
            printer.raw(f"\n{one.target}: {one.purpose}", "bold")
            for line in one.lines:
                printer.raw(f"{line.at_s:8.3f}  {'C:' if line.who == 'client' else 'S:'} {line.text}")


COMMAND = diagnose

"""`mailmon explain ID`: what a finding means, and how to fix it."""

from __future__ import annotations

import click

from mailmon.cli import common


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from mailmon.findings.registry import areas, entries

    return sorted(name for name in (*areas(), *entries()) if name.startswith(incomplete))


@click.command("explain", short_help="Explain a finding: severity, meaning, fix and reference.")
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=_complete)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout, nothing else.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour the text.")
def explain(ids: tuple[str, ...], as_json: bool, color: str) -> None:
    """Explain findings: severity, meaning, fix and reference of each ID. Needs no configuration.

    An area (tls) or a pattern (tls.cert_*) lists the matching ids; without ID all are listed.
    """
    from mailmon.cli.screen import Printer
    from mailmon.findings.registry import entries, unknown_pattern
    from mailmon.findings.row import is_meant
    from mailmon.render.document import explanation_document
    from mailmon.render.explanation import explanation_lines, listing_lines

    if said := unknown_pattern(ids):
        raise click.UsageError(said)
    chosen = [one for one in entries().values() if not ids or is_meant(one.id, ids)]
    if as_json:
        common.print_json(explanation_document(chosen))
        return
    printer = Printer(common.wants_colour(color))
    for number, one in enumerate(one for one in chosen if one.id in ids):
        if number:
            printer.raw("")
        printer.lines(explanation_lines(one, printer.paper))
    if listed := [one for one in chosen if one.id not in ids]:
        printer.lines(listing_lines(listed, printer.paper))


COMMAND = explain

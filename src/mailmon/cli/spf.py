"""`mailmon spf`: evaluate SPF for a client."""

from __future__ import annotations

from typing import Any

import click

from mailmon.app import spf as app
from mailmon.app.findings import read_nameservers
from mailmon.cli import common, screen
from mailmon.mail.auth.spf import Verdict
from mailmon.mail.auth.spf.values import MAX_LOOKUPS, MAX_VOID
from mailmon.render.document import spf_document
from mailmon.text import utf8_text, visible

_COLOURS = {"pass": "green", "fail": "red", "softfail": "yellow", "permerror": "red", "temperror": "magenta"}


@click.command("spf", short_help="Evaluate SPF for a client address and an envelope sender.")
@click.option("--ip", "address", required=True, metavar="ADDRESS", help="IP address of the client.")
@click.option("--helo", default="", metavar="NAME", help="Host name that the client sends in EHLO.")
@click.option("--mail-from", default="", metavar="ADDR", help="Envelope sender; empty for the null sender.")
@click.option(
    "--nameserver", "nameservers", metavar="ADDRESS[:PORT]", multiple=True, help="DNS server to use; repeatable."
)
@click.option(
    "--timeout",
    type=common.FiniteRange(0.5, 60),
    metavar="SECONDS",
    default=5,
    show_default=True,
    help="Seconds per query.",
)
@common.common_options
def spf(address: str, config_path: str | None, as_json: bool, color: str, **given: Any) -> None:
    """Evaluate SPF (RFC 7208) for a client, and show each evaluated term.

    Exits 0 for every SPF result.
    """
    with common.usage():
        client = app.client_of(address, given["helo"], given["mail_from"])
        nameservers = read_nameservers(given["nameservers"])
    evaluated = app.evaluate(client, nameservers or common.configured_nameservers(config_path), given["timeout"])
    if as_json:
        common.print_json(spf_document(*evaluated))
    else:
        _show(evaluated.verdict, is_coloured=common.wants_colour(color))


def _show(verdict: Verdict, *, is_coloured: bool) -> None:
    from mailmon.render.layout import Row, table

    result = verdict.result.value
    printer = screen.Printer(is_coloured)
    printer.text(f"{result}: {_shown(verdict.reason, 500)}", _COLOURS.get(result, ""), indent="  ")
    if verdict.explanation:
        printer.text(f"explanation by the domain: {_shown(verdict.explanation, 500)}", indent="  ")
    rows = [Row("", (_shown(one.domain), _shown(one.term)), (_shown(one.outcome),)) for one in verdict.trace]
    printer.lines(table(rows, printer.paper))
    lookups, void = f"{verdict.lookups} of {MAX_LOOKUPS}", f"{verdict.void_lookups} of {MAX_VOID}"
    printer.text(f"{lookups} DNS look-ups, {void} void look-ups")


def _shown(text: str, limit: int = 400) -> str:
    return visible(utf8_text(text), limit)


COMMAND = spf

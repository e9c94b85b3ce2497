"""`mailmon spf`: may this address send mail for this domain?"""

from __future__ import annotations

import ipaddress
import time
from typing import Any

import click

from mailmon.cli import common, screen
from mailmon.cli.findings import read_nameservers
from mailmon.mail.auth.spf import Client, Verdict
from mailmon.mail.auth.spf.values import MAX_LOOKUPS, MAX_VOID
from mailmon.mail.message.address import dns_name
from mailmon.text import utf8_text, visible

_COLOURS = {"pass": "green", "fail": "red", "softfail": "yellow", "permerror": "red", "temperror": "magenta"}


@click.command("spf", short_help="Say whether an address may send mail for a domain, and which term decides.")
@click.option("--ip", "address", required=True, metavar="ADDRESS", help="The address that connects.")
@click.option("--helo", default="", metavar="NAME", help="What it says in EHLO.")
@click.option("--mail-from", default="", metavar="ADDR", help="The envelope sender; empty for the null sender.")
@click.option("--nameserver", "nameservers", metavar="HOST[:PORT]", multiple=True, help="Ask this DNS server.")
@click.option("--timeout", type=common.FiniteRange(0.5, 60), default=5.0, show_default=True, help="Seconds a question.")
@common.common_options
def spf(address: str, config_path: str | None, as_json: bool, color: str, **given: Any) -> None:
    """Evaluate SPF (RFC 7208) for a client, and show each term that was looked at.

    The exit code is 0 whatever the result is: it was found out.
    """
    from mailmon.clients.records import Records, spf_questions
    from mailmon.mail.auth.spf import check_host

    try:
        helo, mail_from = _as_asked(given["helo"]), _as_asked(given["mail_from"])
        client = Client(ipaddress.ip_address(address), helo, mail_from, now_s=int(time.time()))
        nameservers = read_nameservers(given["nameservers"])
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc
    if not client.helo and not client.mail_from:
        raise click.UsageError("give --mail-from, or --helo for the null sender")
    records = Records(nameservers or common.configured_nameservers(config_path), given["timeout"])
    verdict = check_host(client, spf_questions(records))
    if as_json:
        common.print_json(_document(client, verdict))
    else:
        _show(verdict, is_coloured=common.wants_colour(color))


def _as_asked(name: str) -> str:
    """Return a name or address with its domain as DNS is asked for it: in A-labels (RFC 7208 section 4.3).

    Raises ValueError.
    """
    local, at, domain = name.rpartition("@")
    return name if domain.isascii() else f"{local}{at}{dns_name(domain)}"


def _document(client: Client, verdict: Verdict) -> dict[str, Any]:
    return {
        "schema": "mailmon/spf/1",
        "result": verdict.result.value,
        "explanation": verdict.explanation,
        "reason": _shown(verdict.reason, 500),
        "domain": visible(client.domain, 300),
        "record": _shown(verdict.record, 2000),
        "lookups": verdict.lookups,
        "void_lookups": verdict.void_lookups,
        "trace": [
            {"domain": visible(one.domain), "term": _shown(one.term), "outcome": one.outcome, "lookups": one.lookups}
            for one in verdict.trace
        ],
    }


def _show(verdict: Verdict, *, is_coloured: bool) -> None:
    from mailmon.render.layout import Row, table

    result = verdict.result.value
    printer = screen.Printer(is_coloured)
    printer.text(f"{result}: {_shown(verdict.reason, 500)}", _COLOURS.get(result, ""), indent="  ")
    if verdict.explanation:
        printer.text(f"explanation of the domain: {_shown(verdict.explanation, 500)}", indent="  ")
    rows = [Row("", (_shown(one.domain), _shown(one.term)), (_shown(one.outcome),)) for one in verdict.trace]
    printer.lines(table(rows, printer.paper))
    looks, void = f"{verdict.lookups} of {MAX_LOOKUPS}", f"{verdict.void_lookups} of {MAX_VOID}"
    printer.text(f"{looks} terms asked DNS, {void} found nothing")


def _shown(text: str, limit: int = 400) -> str:
    return visible(utf8_text(text), limit)


COMMAND = spf

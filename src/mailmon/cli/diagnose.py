"""`mailmon diagnose HOST`: what is wrong with a mail server, seen from here and now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from mailmon.cli import common, screen
from mailmon.cli.findings import finding_options, must_be_known, outcome_of, read_nameservers, selected, tell
from mailmon.diagnose.blocklists import LISTS
from mailmon.diagnose.plan import KINDS, SUBJECT, Options, Request, kinds_for, split_target
from mailmon.errors import MailmonError
from mailmon.model.diagnosis import Diagnosis, Left


@click.command("diagnose", short_help="Look at a mail server from outside: TLS, relaying, logins, names, and more.")
@click.argument("host", metavar="HOST[:PORT]")
@click.option("--port", "ports", metavar="N[:KIND]", multiple=True, help="Look at this port; repeatable.")
@click.option("--as", "kind", type=click.Choice(list(KINDS)), help="What is spoken on the port.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Trust these CAs, not the system's.")
@click.option("--timeout", type=common.FiniteRange(0.5, 300), default=10.0, show_default=True, help="Seconds per step.")
@click.option("--deadline", type=common.FiniteRange(1, 3600), help="Seconds in all [default: 30, or 4 time-outs].")
@click.option("--relay-test/--no-relay-test", "relay", default=None, help="Try every form of relaying, or none.")
@click.option("--relay-recipient", metavar="ADDR", help="A foreign address to ask relaying for.")
@click.option("--mail-from", metavar="ADDR", help="A foreign envelope sender to ask relaying with.")
@click.option("--trusted-client", is_flag=True, help="The server trusts this machine: do not report relaying for it.")
@click.option("--nolisting", is_flag=True, help="The preferred MX host refuses connections on purpose.")
@click.option("--intrusive", is_flag=True, help="Also smuggling, injection, wrong passwords: this sends messages.")
@click.option("--mailbox", metavar="ADDR", help="A mailbox of our own there [default: postmaster@HOST].")
@click.option("--helo", metavar="NAME", help="Host name to send in EHLO [default: the machine's, else its address].")
@click.option("--account", metavar="NAME", help="Log in with the credentials of this account.")
@click.option("--family", type=click.Choice(["auto", "4", "6"]), default="auto", help="IPv4 or IPv6 only.")
@click.option(
    "--nameserver", "nameservers", metavar="HOST[:PORT]", multiple=True, help="Ask this DNS server; repeatable."
)
@click.option("--dnsbl", is_flag=True, help="Look its addresses up in block lists.")
@click.option("-v", "--verbose", is_flag=True, help="Show what passed, the evidence and the conversations.")
@finding_options
@common.common_options
def diagnose(host: str, config_path: str | None, as_json: bool, color: str, **given: Any) -> None:
    """Look at a mail server from outside, as a stranger sees it, and say what is wrong and how to mend it.

    Without a port all mail ports are looked at; for a domain those of its MX hosts. No message is sent, and nobody
    logs in, unless --intrusive or --account says so. Exit code 1: something is wrong; 75: something could not be told.
    """
    from mailmon.diagnose.run import diagnose
    from mailmon.render import diagnosis as report

    must_be_known(given)
    try:
        name, named = split_target(host)
        ports = given["ports"] or named
        kinds = kinds_for(tuple(ports), given["kind"])
        nameservers = read_nameservers(given["nameservers"])
    except ValueError as exc:
        raise click.UsageError(str(exc)) from exc
    nameservers = nameservers or common.configured_nameservers(config_path)
    lists = LISTS if given["dnsbl"] else ()
    request = Request(name, tuple(kinds), not ports and given["kind"] is None, nameservers, lists)
    options = _options(given, config_path)
    with screen.progress(as_json or given["form"] != "text") as progress:
        result = diagnose(request, options, progress)
    everything = result.findings
    if result.left:
        result = result._replace(notes=(*result.notes, *_take_away(result.left, config_path)))
    result = result._replace(findings=tuple(selected(everything, given["only"], given["skip"])))
    is_coloured = common.wants_colour(color)
    tell(
        given,
        as_json,
        lambda: report.diagnosis_document(result),
        lambda: report.markdown(result),
        lambda: _show(result, is_verbose=given["verbose"], is_coloured=is_coloured),
    )
    raise click.exceptions.Exit(outcome_of(everything, result.findings, given))


def _take_away(left: tuple[Left, ...], config_path: str | None) -> Iterator[str]:
    """Remove what the tests left in mailboxes that an account of the configuration reads; say what is gone, or not."""
    for mailbox, tokens in left:
        count, trouble = 0, "no account of the configuration reads it by IMAP"
        try:
            count, trouble = _remove(mailbox, tokens, config_path)
        except MailmonError as exc:
            trouble = exc.message.splitlines()[0]
        if count:
            yield f"the smuggling test sent {len(tokens)} messages to {mailbox}; {count} of them were removed"
        if count < len(tokens):
            still = f"{len(tokens) - count} messages in {mailbox} (Subject: {SUBJECT})"
            yield f"the smuggling test left {still}: delete them there ({trouble})"


def _remove(mailbox: str, tokens: tuple[str, ...], config_path: str | None) -> tuple[int, str]:
    """Return how many messages were removed from a mailbox, and why others are still there."""
    from mailmon.checks.leftovers import remove_left
    from mailmon.clients.deadline import Deadline
    from mailmon.clients.resolver import resolver_for
    from mailmon.diagnose.intrusive import MARK_FIELD

    if common.config_file(config_path) is None:
        return 0, "there is no configuration with an account that reads it"
    setup = common.load_setup(config_path, uses_state=False)
    readers = (one for one in setup.accounts.values() if one.imap and one.address.lower() == mailbox.lower())
    account = next(readers, None)
    if account is None:
        return 0, "no account of the configuration reads it by IMAP"
    resolve = resolver_for(setup.nameservers)
    return remove_left(account, MARK_FIELD, tokens, Deadline(30.0), resolve), f"not found in {account.folder} yet"


def _options(given: dict[str, Any], config_path: str | None) -> Options:
    timeout_s = given["timeout"]
    relay = {True: "all", False: "none", None: "one"}[given["relay"]]
    options = Options(
        given["ca_file"],
        timeout_s,
        given["deadline"] or max(30.0, 4 * timeout_s),
        relay,
        is_trusted=given["trusted_client"],
        is_nolisting=given["nolisting"],
        is_intrusive=given["intrusive"],
        mailbox=_address(given["mailbox"]),
        helo=_one_word(given["helo"]),
        family=given["family"],
    )
    if given["relay_recipient"]:
        options = options._replace(relay_recipient=_address(given["relay_recipient"]))
    if given["mail_from"]:
        options = options._replace(mail_from=_address(given["mail_from"]))
    if given["account"]:
        accounts = common.load_setup(config_path, uses_state=False).accounts
        if given["account"] not in accounts:
            raise click.UsageError(f"there is no account {given['account']!r}; known: {', '.join(accounts)}")
        account = accounts[given["account"]]
        helo = options.helo or (account.smtp.helo if account.smtp else "")
        options = options._replace(username=account.username, password=account.password.value, helo=helo)
    return options


def _address(text: str | None) -> str:
    if text and (text.count("@") != 1 or not text.isascii() or any(char in text for char in '<> \r\n\t"')):
        raise click.UsageError(f"{text[:80]!r} is no address like user@example.org")
    return text or ""


def _one_word(text: str | None) -> str:
    if text and (not text.isascii() or not text.isprintable() or " " in text):
        raise click.UsageError(f"--helo must be one word of ASCII, got {text[:80]!r}")
    return text or ""


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
            for said in one.lines:
                printer.raw(f"{said.at_s:8.3f}  {'C:' if said.who == 'client' else 'S:'} {said.text}")


COMMAND = diagnose

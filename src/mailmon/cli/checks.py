"""`mailmon checks`: the built-in checks, and the key of the configuration that brings each into use."""

from __future__ import annotations

import click

from mailmon.checks import CHECKS
from mailmon.checks.check import AnyCheck


@click.command("checks", short_help="List the built-in checks.")
def checks() -> None:
    """List the built-in checks: name, label, what each does, and what it needs.

    A check needs a key in the configuration that brings it into use, and often other checks that have succeeded.
    """
    listed = list(CHECKS.values())
    wide, wider = (max(map(len, words)) for words in (list(CHECKS), [check.label for check in listed]))
    for check in listed:
        click.echo(f"{check.name:<{wide}}  {check.label:<{wider}}  {check.about}")
        click.echo(f"{'':<{wide}}  {'':<{wider}}  needs {', '.join(_needs(check))}")


def _needs(check: AnyCheck) -> list[str]:
    """Return the key that brings a check into use, and the checks that must have succeeded."""
    named = (need.partition(":")[0] for need in check.needs)
    return [CHECKS.key(check.name), *("imap_auth or pop3_auth" if name == "mailbox" else name for name in named)]


COMMAND = checks

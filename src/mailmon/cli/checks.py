"""`mailmon checks`: which questions are built in?"""

from __future__ import annotations

from importlib import import_module

import click

from mailmon.checks import LABELS


@click.command("checks", short_help="List the built-in checks.")
def checks() -> None:
    """List the built-in checks with the question that each of them answers."""
    wide, wider = max(map(len, LABELS)), max(map(len, LABELS.values()))
    for name, label in LABELS.items():
        question = (import_module(f"mailmon.checks.{name}").__doc__ or "").strip().splitlines()[0]
        click.echo(f"{name:<{wide}}  {label:<{wider}}  {question}")


COMMAND = checks

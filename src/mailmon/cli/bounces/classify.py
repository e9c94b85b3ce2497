"""`mailmon bounces classify`."""

from __future__ import annotations

import gc
import json
import sys

import click

from mailmon.app.bounces.classify import STDIN, classify_files
from mailmon.render.document import classified_document

EXIT_FAILED = 1


@click.command("classify", short_help="Classify messages: bounce, delay, complaint or other.")
@click.argument("files", nargs=-1, required=True, metavar="FILE [FILE]...")
@click.option("--json", "_as_json", is_flag=True, help="Changes nothing: the output is always JSON Lines.")
def classify(files: tuple[str, ...], _as_json: bool) -> None:
    """Classify messages as bounce, delay, complaint or other, with the recipients and the reason.

    FILE is a message, an mbox file, a Maildir, a folder, or - for standard input. Of a folder its .eml files are read,
    also in the folders below it, sorted by path; where none ends in .eml, all its files. Hidden files are left out.

    Prints one JSON object per message, in order. For a file that cannot be read or is no message the object has an
    "error"; the others are still read, and the exit code is 1. Kinds, reasons and keys: docs/bounces.md.

    \b
      mailmon bounces classify bounce.eml
      mailmon bounces classify /var/mail/bounces ~/Maildir/.Bounces saved/
    """
    gc.freeze()  # tables and patterns live until the end; walking through them again and again costs a tenth
    has_failed = False
    for one in classify_files(files, sys.stdin.buffer if STDIN in files else None):
        has_failed = has_failed or one.classification is None
        click.echo(json.dumps(classified_document(*one)))
    if has_failed:
        raise click.exceptions.Exit(EXIT_FAILED)


COMMAND = classify

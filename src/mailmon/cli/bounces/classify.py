"""`mailmon bounces classify`: classify messages in files, mailboxes and folders."""

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
@click.option("--json", "_as_json", is_flag=True, help="No effect: the output is always JSON Lines.")
def classify(files: tuple[str, ...], _as_json: bool) -> None:
    """Classify messages as bounce, delay, complaint or other, with the recipients and the reason.

    FILE is a message, an mbox file, a Maildir, a folder, or - for standard input. In a folder, reads the .eml files,
    including those of subfolders, sorted by path; if there are none, all files. Hidden files are skipped.

    Prints one JSON object per message, in order. A file that cannot be read, or is not a message, gives an object with
    "error" and exit code 1; the others are still read. For kinds, reasons and keys see docs/bounces.md.

    \b
    Examples:
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

"""`mailmon bounces list`, `show` and `export`: read the bounce log."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click

from mailmon import safe
from mailmon.app.bounces import log as app
from mailmon.app.bounces.log import FORMATS, MAX_LISTED
from mailmon.app.setup import is_another_users
from mailmon.cli import common, screen
from mailmon.cli.bounces.filters import chosen, filter_options, mask_option
from mailmon.errors import StateError
from mailmon.model.bounces import BounceFilter
from mailmon.render import bounces as report
from mailmon.render.document import list_document, message_document


@click.command("list", short_help="List bounces, delay warnings and complaints.")
@click.option(
    "--limit", type=click.IntRange(1, MAX_LISTED), metavar="N", default=50, show_default=True, help="Number of rows."
)
@filter_options
@mask_option
@common.verbose_option
@common.common_options
def list_bounces(limit: int, mask: bool, config_path: str | None, as_json: bool, color: str, **options: Any) -> None:
    """List the latest bounces, delay warnings and complaints, oldest first, one row per recipient.

    Reads only the bounce log. `mailmon bounces export` has no limit.
    """
    wanted = chosen(**options)
    rows = app.latest(
        common.load_setup(config_path, with_secrets=False), wanted, limit, is_masked=mask, warn=common.warn
    )
    if as_json:
        common.print_json(list_document(rows))
        return
    printer = screen.Printer(common.wants_colour(color))
    printer.lines(report.row_lines(rows, printer.paper))
    if not rows:
        common.say("no bounces logged" if wanted == BounceFilter() else "no matching bounces")


@click.command("show", short_help="Show all details of one message.")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@mask_option
@common.verbose_option
@common.common_options
def show(number: int, mask: bool, config_path: str | None, as_json: bool, color: str) -> None:
    """Show one message with all its recipients, and the original message. `bounces list` shows the ID after #."""
    message = app.message(common.load_setup(config_path, with_secrets=False), number, is_masked=mask, warn=common.warn)
    if as_json:
        common.print_json(message_document(message))
        return
    printer = screen.Printer(common.wants_colour(color))
    printer.lines(report.message_lines(message, printer.paper))


@click.command("export", short_help="Export bounces as CSV, JSON or XLSX.")
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=None, help="Format [default: by the file name, else csv]."
)
@click.option("--output", metavar="FILE", default="-", show_default=True, help="Output file; - is stdout.")
@filter_options
@mask_option
@common.verbose_option
@common.common_options
def export(
    form: str | None, output: str, mask: bool, config_path: str | None, as_json: bool, color: str, **options: Any
) -> None:
    """Export all matching bounces, one row per recipient, oldest first. New files get mode 0600.

    For the columns see docs/bounce-log.md. CSV and XLSX put a quote before text that a spreadsheet could take for a
    formula. --json is the same as --format json.
    """
    del color
    if as_json and form not in (None, "json"):
        raise click.UsageError("--json cannot be combined with another --format")
    wanted = chosen(**options)
    name = "json" if as_json else form or _form_of(output)
    if name == "xlsx" and output == "-" and sys.stdout.isatty():
        raise click.UsageError("cannot print XLSX to a terminal: name a file with --output")
    setup = common.load_setup(config_path, with_secrets=False, uses_state=False)
    if output != "-" and is_another_users(setup):
        # Only root may write FILE, and the log is not read as root: another process reads it as its owner.
        from mailmon.app.root import run_again

        with _target(output) as (file, _):
            if code := run_again(("--output", "-", "--format", name), file):
                raise click.exceptions.Exit(code)
        return
    common.enter_state(setup, common.config_file(config_path))
    with _target(output) as (file, scratch):
        app.export(setup, wanted, name, file, scratch, is_masked=mask, warn=common.warn)


def _form_of(output: str) -> str:
    suffix = Path(output).suffix.lower().removeprefix(".")
    return suffix if suffix in FORMATS else "csv"


@contextmanager
def _target(output: str) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a file to write to, and a directory for temporary files. Raises StateError.

    The complete file is renamed to its place, or copied to stdout, a pipe or a device: all of it, or nothing.
    """
    target = Path(output)
    is_stream = output == "-" or (target.exists() and not target.is_file())
    try:
        with tempfile.TemporaryDirectory(prefix="mailmon-") as name:
            if is_stream:
                with open(Path(name, "export"), "w+b") as file:
                    yield file, Path(name)
                    file.seek(0)
                    _copy(file, output)
                return
            with _new_file(target) as file:
                yield file, Path(name)
    except OSError as exc:
        if isinstance(exc, BrokenPipeError):
            raise
        where = "stdout" if output == "-" else output
        raise StateError(f"{where}: cannot be written: {exc.strerror}", "Name another file with --output.") from exc


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """Yield a file that replaces the target when it is complete; the directory is opened once."""
    directory = safe.open_directory(target.parent, os.O_RDONLY)
    name = f".mailmon-{secrets.token_hex(8)}"
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(name, flags, 0o600, dir_fd=directory), "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.rename(name, target.name, src_dir_fd=directory, dst_dir_fd=directory)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=directory)
        raise
    finally:
        os.close(directory)


def _copy(file: BinaryIO, output: str) -> None:
    if output == "-":
        shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    # Not made and not emptied: what was a pipe or a device a moment ago may be a link to a file by now.
    with open(os.open(output, os.O_WRONLY | os.O_CLOEXEC), "wb") as stream:
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise FileExistsError(errno.EEXIST, "a file has taken the place of the pipe")
        shutil.copyfileobj(file, stream)


LIST, SHOW, EXPORT = list_bounces, show, export

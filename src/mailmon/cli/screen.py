"""Progress on a terminal, and text laid out to its width."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click

from mailmon.cli import common
from mailmon.render.layout import Line, Paper, cells_of, hanging


@contextmanager
def progress(is_quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Show on a terminal what is being tested: on stderr, and erased at the end."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda _done, _all, _what: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    # Where Python takes LANG=C for UTF-8 (PEP 538), the terminal does not.
    is_unicode = _is_unicode(sys.stderr) and os.environ.get("LANG") not in ("C", "POSIX")
    with console.status("testing", spinner="dots" if is_unicode else "line") as status:

        def show(done: int, planned: int, what: str) -> None:
            status.update(f"{done} of {planned}: {what}")

        yield show


def paper() -> Paper:
    """Return the layout of stdout: as wide as COLUMNS, else as the terminal, else one line per row."""
    return Paper(_columns(), _is_unicode())


def _columns() -> int | None:
    given = os.environ.get("COLUMNS", "").strip()
    if given.isascii() and given.isdigit() and 0 < len(given) <= 4 and int(given):
        return int(given)
    if not sys.stdout.isatty():
        return None
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def _is_unicode(stream: TextIO | None = None) -> bool:
    """Return whether UTF-8 can be shown: Python writes it in the C locale too, where a terminal expects ASCII."""
    if "utf" not in (getattr(stream or sys.stdout, "encoding", None) or "utf-8").lower():
        return False
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    return next(filter(None, names), "") not in ("C", "POSIX")


class Printer:
    """Prints lines on stdout."""

    def __init__(self, is_coloured: bool) -> None:
        self.paper = paper()
        self._is_coloured = is_coloured

    def lines(self, lines: Iterable[Line]) -> None:
        """Print lines as they are laid out. Raises OSError, so that a truncated output is not taken for a whole one."""
        for line in lines:
            if self._is_coloured and line.style and line.head:
                click.echo(common.styled(line.head, line.style) + line.tail, color=True)
            else:
                click.echo(line.plain)

    def text(self, text: str, style: str = "", *, indent: str = "") -> None:
        """Print a paragraph, wrapped where there is a width; further lines begin with `indent`."""
        text = self.paper.text(text)
        wide = self.paper.columns is None
        wrapped = [text] if wide else hanging(text, self.paper.prose, indent)
        self.lines(Line(line, style) for line in wrapped)

    def pair(self, text: str, more: str, style: str = "") -> None:
        """Print a text and a short one after it, or below it where there is no room."""
        both = f"{text}  {more}"
        if self.paper.columns is None or cells_of(both) <= self.paper.prose:
            self.raw(both, style)
        else:
            self.text(text, style)
            self.raw(more, style)

    def raw(self, text: str, style: str = "") -> None:
        """Print a line as it is, to be copied."""
        self.lines([Line(text, style)])

"""How is more shown than a line? Progress while something goes on, and text as wide as the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def progress(is_quiet: bool) -> Iterator[Callable[[int, int, str], None]]:
    """Show on a terminal what is being looked at; on stderr, and gone at the end."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda _done, _all, _what: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    with console.status("looking") as status:

        def show(done: int, planned: int, what: str) -> None:
            status.update(f"{done} of {planned}: {what}")

        yield show


def console(is_coloured: bool) -> Console:
    """Return where rich text goes: as wide as the terminal, 140 columns into a file."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 140
    return Console(no_color=not is_coloured, force_terminal=is_coloured or None, highlight=False, width=width)


def printer(console: Console) -> Callable[[str, str], None]:
    """Return what prints a line in a style; a long one is not cut."""
    from rich.text import Text

    def print_line(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    return print_line

"""The bounce log: rows, one message, and exports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mailmon.app.setup import now
from mailmon.config import Setup
from mailmon.errors import MailmonError
from mailmon.model.bounces import BounceFilter, BounceRow, LoggedMessage

if TYPE_CHECKING:
    from mailmon.store.bouncelog.log import Reader

FORMATS = ("csv", "json", "xlsx")
MAX_LISTED = 10_000
# Takes warnings about the log's file, for people.
Warn = Callable[[str], None]


class NoSuchBounceError(MailmonError):
    """The log has no message of that id."""

    exit_code = 1
    code = "not_found"


def ignore(_warning: str) -> None:
    """Drop a warning."""


def latest(
    setup: Setup, wanted: BounceFilter, limit: int, *, is_masked: bool = False, warn: Warn = ignore
) -> list[BounceRow]:
    """Return the latest rows that match, oldest first. Raises StateError."""
    with open_log(setup, warn) as reader:
        rows = reader.latest(wanted, limit)
    if is_masked:
        from mailmon.render.bounces import masked_row

        rows = [masked_row(row) for row in rows]
    return rows


def message(setup: Setup, number: int, *, is_masked: bool = False, warn: Warn = ignore) -> LoggedMessage:
    """Return one message with all its recipients. Raises NoSuchBounceError, StateError."""
    with open_log(setup, warn) as reader:
        found = reader.message(number)
    if found is None:
        raise NoSuchBounceError(f"no bounce {number} in the bounce log", "List the ids with `mailmon bounces list`.")
    if is_masked:
        from mailmon.render.bounces import masked_message

        found = masked_message(found)
    return found


def export(
    setup: Setup,
    wanted: BounceFilter,
    form: str,
    file: BinaryIO,
    scratch: Path,
    *,
    is_masked: bool = False,
    warn: Warn = ignore,
) -> None:
    """Write all rows that match, oldest first, in one of FORMATS. `scratch` is a directory for temporary files.

    Raises StateError, MissingExtraError for xlsx without its library.
    """
    from mailmon.render.bounces import masked_row
    from mailmon.render.export import WRITERS

    with open_log(setup, warn) as reader:
        rows: Iterator[BounceRow] = reader.rows(wanted)
        WRITERS[form](map(masked_row, rows) if is_masked else rows, file, scratch)


@contextmanager
def open_log(setup: Setup, warn: Warn = ignore) -> Iterator[Reader]:
    """Open the log for reading; sqlite3 is loaded here and not before. Raises StateError."""
    from mailmon.store.bouncelog.log import Reader

    with Reader(setup.state_file, now()) as reader:
        for warning in reader.warnings:
            warn(warning)
        yield reader

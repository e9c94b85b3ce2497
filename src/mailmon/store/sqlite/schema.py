"""Schemas of SQLite files: application id, tables, and migrations.

Times are ISO 8601 in UTC with milliseconds and Z, so that text compares as time does. SQLite 3.34 is enough.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from mailmon.errors import StateError
from mailmon.store.sqlite.connect import DamagedError

# Facts about the file itself; every schema has it.
_META = "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


class Expiry(NamedTuple):
    """Rows that expire: a table, and its indexed column with a time.

    Rows of other tables that belong to them go with them (ON DELETE CASCADE).
    """

    table: str
    column: str


class Schema(NamedTuple):
    """A kind of database. `application_id` tells its files from any other database.

    `migrations` has a row of statements per version: what was released never changes, new versions are appended.
    A file of the last version without one of the `tables` is damaged. `lost` is the consequence
    of losing a file, for the warning. `expiry` names the rows that expire, None: none.
    """

    application_id: int
    migrations: tuple[tuple[str, ...], ...]
    tables: frozenset[str]
    lost: str
    expiry: Expiry | None = None

    @property
    def version(self) -> int:
        """Return the last version, which this mailmon reads and writes."""
        return len(self.migrations)


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Bring a database to the last version, one transaction per version.

    Raises sqlite3.Error; the database then has the version that was reached.
    """
    while (version := version_of(connection)) < schema.version:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(schema, version):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def version_of(connection: sqlite3.Connection) -> int:
    """Return the version of the schema, 0 where there is none yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_foreign(connection: sqlite3.Connection, schema: Schema) -> bool:
    """Return whether this is a database of another program."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == schema.application_id:
        return False
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def usable_version(connection: sqlite3.Connection, path: Path, schema: Schema) -> int:
    """Return the version of a database that this mailmon can use. Raises StateError, DamagedError, sqlite3.Error."""
    version = version_of(connection)
    if is_foreign(connection, schema):
        raise StateError(f"{path}: this is a database of another program", "Move it away.")
    if version > schema.version:
        raise StateError(
            f"{path}: written by a newer mailmon (layout {version}; this one knows {schema.version})",
            "Update mailmon, or move the file away to start a new one.",
        )
    if version < 0:
        raise DamagedError(f"{path}: the database is damaged: layout {version}")
    return version


def missing_tables(connection: sqlite3.Connection, schema: Schema) -> list[str]:
    """Return the tables that are missing in a database of the last version."""
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return sorted({*schema.tables, "meta"} - found)


def to_text(at: datetime) -> str:
    """Return an aware time as `2026-03-01T12:00:00.000Z`; times beyond year 1 or 9999 in UTC become the limit."""
    try:
        there = at.astimezone(UTC)
    except OverflowError:
        there = datetime(1, 1, 1, tzinfo=UTC) if at.year == 1 else datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)
    return there.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def from_text(text: str) -> datetime:
    """Return the aware time that `to_text` wrote. Raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at


def _statements(schema: Schema, version: int) -> Sequence[str]:
    if version:
        return schema.migrations[version]
    return (f"PRAGMA application_id = {schema.application_id}", _META, *schema.migrations[0])

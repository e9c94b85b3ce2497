"""A toy database with two versions, and processes that use it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from mailmon.store.sqlite.database import Database, ReadOnlyDatabase
from mailmon.store.sqlite.files import DatabaseFile
from mailmon.store.sqlite.schema import Expiry, Schema, to_text

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_NOTES = (
    "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, words TEXT NOT NULL)",
    "CREATE INDEX notes_by_at ON notes (at)",
)
_TAGS = (
    "CREATE TABLE tags (note INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE, tag TEXT NOT NULL)",
    "INSERT INTO tags SELECT id, 'old' FROM notes",
)
TOY = Schema(0x746F7931, (_NOTES, _TAGS), frozenset({"notes", "tags"}), "notes are lost", Expiry("notes", "at"))
TOY_1 = TOY._replace(migrations=TOY.migrations[:1], tables=frozenset({"notes"}))


def in_directory(directory: Path) -> DatabaseFile:
    """Return where the toy lies now and where it lay before."""
    return DatabaseFile(directory / "toy.sqlite", directory / "old.sqlite")


def write_notes(database: Database, count: int = 1, at: datetime = NOON) -> None:
    """Add notes of some size in one transaction."""
    with database.guard():
        database.connection.execute("BEGIN IMMEDIATE")
        rows = [(to_text(at), f"note {number} " + "x" * 200) for number in range(count)]
        database.connection.executemany("INSERT INTO notes (at, words) VALUES (?, ?)", rows)
        database.connection.execute("COMMIT")


def make_old(file: DatabaseFile, count: int = 50, schema: Schema = TOY) -> None:
    """Make a database under its earlier name."""
    assert file.earlier is not None
    with Database(DatabaseFile(file.earlier), schema, NOON) as database:
        write_notes(database, count)


def make_killed(file: DatabaseFile, directory: Path, count: int = 50) -> None:
    """Make a database under its earlier name as a run leaves it that was killed: with rows that are in its log only."""
    elsewhere = DatabaseFile(file.path, directory / file.path.name)
    directory.mkdir()
    assert elsewhere.earlier is not None
    assert file.earlier is not None
    with Database(DatabaseFile(elsewhere.earlier), TOY_1, NOON) as database:
        write_notes(database, count)
        for suffix in ("", "-wal"):
            whole = elsewhere.earlier.with_name(elsewhere.earlier.name + suffix).read_bytes()
            file.earlier.with_name(file.earlier.name + suffix).write_bytes(whole)
    file.earlier.with_name(f"{file.earlier.name}.lock").touch()


def count_notes(database: Database | ReadOnlyDatabase) -> int:
    """Return how many notes there are, 0 where there is no database."""
    if database.connection is None:
        return 0
    with database.guard():
        return int(database.connection.execute("SELECT count(*) FROM notes").fetchone()[0])


def names_in(directory: Path) -> set[str]:
    """Return the names of the files in a directory, without the log that a reader leaves beside the database."""
    return {path.name for path in directory.iterdir()} - {"toy.sqlite-wal", "toy.sqlite-shm"}


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a Python program."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip

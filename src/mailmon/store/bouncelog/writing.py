"""Writes to the bounce log: a batch of messages with the position in the folder in one transaction, nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from mailmon.store.bouncelog import notices
from mailmon.store.sqlite.schema import to_text

if TYPE_CHECKING:  # readers of the bounce log need not load the classifier
    from mailmon.mail.bounce.values import Classification

MAX_CHARS = 4000
_INSERT_MESSAGE = """
    INSERT INTO messages (folder_id, uidvalidity, uid, message_id, digest, received_at, seen_at, run_id, kind, form,
        feedback_type, original_message_id, original_subject, original_from, original_to, original_cc, outcome, problem,
        evidence)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_INSERT_RECIPIENT = """
    INSERT INTO recipients (message_id, address, domain, status, action, reason, is_hard, diagnostic, reporting_mta,
        remote_mta, original_recipient) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_SET_POSITION = """
    INSERT INTO folders (account, folder, uidvalidity, last_uid, scanned_at) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (account, folder) DO UPDATE
    SET uidvalidity = excluded.uidvalidity, last_uid = excluded.last_uid, scanned_at = excluded.scanned_at
"""


class Outcome(StrEnum):
    """Result of reading a message: understood, not a bounce, or unreadable."""

    PROCESSED = "processed"
    SKIPPED = "skipped"
    PROBLEM = "problem"


class Folder(NamedTuple):
    """A mailbox folder as the server numbers it now (RFC 3501 section 2.3.1.1)."""

    account: str
    name: str
    uidvalidity: int


class Position(NamedTuple):
    """The position in a folder: read up to this UID of this UIDVALIDITY."""

    uidvalidity: int
    last_uid: int


class SeenMessage(NamedTuple):
    """One message of a folder as the scan understood it.

    `digest` is the SHA-256 of all its bytes, `received_at` its INTERNALDATE, `problem` why it could not be read.
    A message that `stays` is never moved; `evidence` is the proof that it is genuine, "" for none.
    """

    uid: int
    message_id: str
    digest: bytes
    received_at: datetime
    classification: Classification
    outcome: Outcome = Outcome.PROCESSED
    problem: str = ""
    stays: bool = False
    evidence: str = ""


class Recorded(NamedTuple):
    """A recorded message. `is_new` is false if an earlier scan recorded it, even under another UID."""

    uid: int
    id: int
    is_new: bool
    outcome: Outcome


class Run(NamedTuple):
    """A run, and its time."""

    run_id: str
    at: datetime


def record(
    connection: sqlite3.Connection,
    folder: Folder,
    last_uid: int,
    messages: Iterable[SeenMessage],
    run: Run,
    readers: Mapping[int, Iterable[str]] = MappingProxyType({}),
) -> tuple[Recorded, ...]:
    """Write messages and the position behind them in one transaction; known messages are not changed.

    A message is known by the same UID and digest or, where the server assigned new UIDs, by the digest of one that has
    no new UID yet. A notice about a new message is queued with it for each of its `readers`, by UID.
    Raises sqlite3.Error; then nothing was written.
    """
    batch = tuple(messages)  # computed before the transaction, so that no other process waits for it
    with _transaction(connection):
        at = to_text(run.at)
        connection.execute(_SET_POSITION, (_text(folder.account), _text(folder.name), folder.uidvalidity, last_uid, at))
        folder_id = _folder_id(connection, folder)
        recorded = [_record_one(connection, folder_id, folder.uidvalidity, message, run) for message in batch]
        for message, known in zip(batch, recorded, strict=True):
            if known.is_new:
                notices.add(connection, known.id, readers.get(message.uid, ()), run.at)
        return tuple(recorded)


def position(connection: sqlite3.Connection, account: str, name: str) -> Position | None:
    """Return the position in a folder, None if it was never read."""
    query = "SELECT uidvalidity, last_uid FROM folders WHERE account = ? AND folder = ?"
    row = connection.execute(query, (_text(account), _text(name))).fetchone()
    return Position(*row) if row else None


def known(connection: sqlite3.Connection, folder: Folder, uids: Iterable[int]) -> dict[int, Recorded]:
    """Return the records of these UIDs: messages that a killed run recorded but did not move."""
    folder_id = _folder_id(connection, folder)
    query = "SELECT id, outcome FROM messages WHERE folder_id = ? AND uidvalidity = ? AND uid = ?"
    found = {}
    for uid in uids:
        if row := connection.execute(query, (folder_id, folder.uidvalidity, uid)).fetchone():
            found[uid] = Recorded(uid, row[0], False, Outcome(row[1]))
    return found


def pending(
    connection: sqlite3.Connection, folder: Folder, outcomes: Sequence[Outcome], limit: int
) -> tuple[Recorded, ...]:
    """Return messages recorded under a UID of this folder, which no scan has moved yet."""
    query = f"""
        SELECT uid, id, outcome FROM messages
        WHERE folder_id = ? AND uidvalidity = ? AND uid IS NOT NULL AND outcome IN ({", ".join("?" * len(outcomes))})
        ORDER BY uid LIMIT ?
    """  # noqa: S608 -- only question marks are put in
    values = (_folder_id(connection, folder), folder.uidvalidity, *outcomes, limit)
    return tuple(Recorded(uid, number, False, Outcome(word)) for uid, number, word in connection.execute(query, values))


def release(connection: sqlite3.Connection, folder: Folder, uids: Iterable[int]) -> None:
    """Note that messages are no longer in the folder. One that somebody puts back is known by its bytes."""
    folder_id = _folder_id(connection, folder)
    with _transaction(connection):
        connection.executemany(
            "UPDATE messages SET uid = NULL WHERE folder_id = ? AND uidvalidity = ? AND uid = ?",
            [(folder_id, folder.uidvalidity, uid) for uid in uids],
        )


def set_evidence(connection: sqlite3.Connection, number: int, evidence: str) -> None:
    """Note what shows that a message is genuine, by its id."""
    connection.execute("UPDATE messages SET evidence = ? WHERE id = ?", (evidence, number))


def domain_of(address: str) -> str:
    """Return the domain of an address in lower case, "" where it has none.

    >>> domain_of('"a@b"@Example.ORG.'), domain_of("postmaster")
    ('example.org', '')
    """
    _, at, domain = address.rpartition("@")
    return domain.strip(" <>").rstrip(".").lower() if at else ""


def _record_one(
    connection: sqlite3.Connection, folder_id: int, uidvalidity: int, message: SeenMessage, run: Run
) -> Recorded:
    query = "SELECT id, outcome, digest, message_id FROM messages WHERE folder_id = ? AND uidvalidity = ? AND uid = ?"
    row = connection.execute(query, (folder_id, uidvalidity, message.uid)).fetchone()
    if row and (row[2] == message.digest or (row[3] and row[3] == _text(message.message_id))):
        return Recorded(message.uid, row[0], False, Outcome(row[1]))
    if row:
        # A mailbox that came back from a backup gives its UIDs a second time: the older message loses its own.
        connection.execute("UPDATE messages SET uid = NULL WHERE id = ?", (row[0],))
    query = """
        SELECT id, outcome FROM messages
        WHERE folder_id = ? AND digest = ? AND (uidvalidity <> ? OR uid IS NULL) ORDER BY id LIMIT 1
    """
    row = connection.execute(query, (folder_id, message.digest, uidvalidity)).fetchone()
    if row:
        change = "UPDATE messages SET uidvalidity = ?, uid = ? WHERE id = ?"
        connection.execute(change, (uidvalidity, None if message.stays else message.uid, row[0]))
        return Recorded(message.uid, row[0], False, Outcome(row[1]))
    return Recorded(message.uid, _insert(connection, folder_id, uidvalidity, message, run), True, message.outcome)


def _insert(connection: sqlite3.Connection, folder_id: int, uidvalidity: int, message: SeenMessage, run: Run) -> int:
    found, original = message.classification, message.classification.original
    uid = None if message.stays else message.uid
    values = (
        folder_id, uidvalidity, uid, _text(message.message_id), message.digest, to_text(message.received_at),
        to_text(run.at), run.run_id, found.kind.value, found.form.value, _text(found.feedback_type),
        _text(original.message_id), _text(original.subject), _text(original.envelope_sender), _list(original.to),
        _list(original.cc), message.outcome.value, _text(message.problem),
        message.evidence,
    )  # fmt: skip
    message_id = connection.execute(_INSERT_MESSAGE, values).lastrowid
    assert message_id is not None
    recipients = [
        (
            message_id, _text(one.address), domain_of(_text(one.address)), _text(one.status), _text(one.action),
            _text(one.reason), int(one.is_hard), _text(one.diagnostic), _text(one.reporting_mta), _text(one.remote_mta),
            _text(one.original_recipient),
        )
        for one in found.recipients
    ]  # fmt: skip
    if recipients:
        connection.executemany(_INSERT_RECIPIENT, recipients)
    return message_id


def _folder_id(connection: sqlite3.Connection, folder: Folder) -> int:
    query = "SELECT id FROM folders WHERE account = ? AND folder = ?"
    row = connection.execute(query, (_text(folder.account), _text(folder.name))).fetchone()
    return int(row[0]) if row else 0


def _text(text: str) -> str:
    """Return text without surrogates and NUL, cut to MAX_CHARS."""
    return text[:MAX_CHARS].encode("utf-8", "replace").decode().replace("\0", "�")


def _list(texts: Iterable[str]) -> str:
    return json.dumps([_text(text) for text in texts], ensure_ascii=False)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

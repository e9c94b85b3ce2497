"""Queries on the bounce log: rows, one message, and the figures of a period."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from mailmon.model.bounces import (
    BounceFilter,
    BounceRow,
    BounceWindow,
    Figures,
    Hearsay,
    LoggedMessage,
    Refusal,
    Unverified,
)
from mailmon.store.sqlite.schema import from_text, to_text

_COLUMNS = """
    m.id, m.received_at, f.account, f.folder, m.kind, r.address, r.domain, r.status, r.action, r.reason, r.is_hard,
    r.diagnostic, r.reporting_mta, r.remote_mta, m.original_message_id, m.original_subject, m.original_from,
    m.original_to, m.original_cc, r.original_recipient
"""
_TABLES = """
    FROM messages AS m JOIN folders AS f ON f.id = m.folder_id LEFT JOIN recipients AS r ON r.message_id = m.id
"""
_MESSAGE = """
    SELECT seen_at, run_id, uidvalidity, uid, message_id, digest, form, feedback_type, outcome, problem,
        evidence
    FROM messages WHERE id = ?
"""
MAX_REFUSALS = 1000
# Evidence that is only a signature of the refusing domain (mail/bounce/provenance.py).
REPORTER = "reporter"
# Messages without a recipient count as different recipients.
_HEARSAY = """
    count(*), count(DISTINCT m.id), count(DISTINCT coalesce(nullif(lower(r.address), ''), 'message ' || m.id)),
    min(m.run_id), max(m.run_id)
"""
_CLASS = "CASE WHEN m.kind <> 'bounce' THEN m.kind WHEN r.is_hard THEN 'hard' ELSE 'soft' END"


def rows(connection: sqlite3.Connection, wanted: BounceFilter) -> Iterator[BounceRow]:
    """Yield the matching rows, oldest first.

    Raises sqlite3.Error, or ValueError, TypeError or AttributeError where the contents are invalid.
    """
    where, values = _where(wanted)
    query = f"SELECT {_COLUMNS} {_TABLES} WHERE {where} ORDER BY m.received_at, m.id, r.id"
    for row in connection.execute(query, values):
        yield _row(row)


def latest(connection: sqlite3.Connection, wanted: BounceFilter, limit: int) -> list[BounceRow]:
    """Return the last matching rows, oldest first. Raises as `rows` does."""
    where, values = _where(wanted)
    order = "ORDER BY m.received_at DESC, m.id DESC, r.id DESC LIMIT ?"
    found = connection.execute(f"SELECT {_COLUMNS} {_TABLES} WHERE {where} {order}", (*values, limit))
    return [_row(row) for row in found][::-1]


def message(connection: sqlite3.Connection, number: int) -> LoggedMessage | None:
    """Return one message with all its recipients, None if the id is unknown. Raises as `rows` does."""
    # SQLite's integers end at 63 bits.
    head = connection.execute(_MESSAGE, (number,)).fetchone() if 0 < number < 2**63 else None
    if head is None:
        return None
    found = connection.execute(f"SELECT {_COLUMNS} {_TABLES} WHERE m.id = ? ORDER BY r.id", (number,))
    seen_at, run_id, uidvalidity, uid, message_id, digest, *rest = head
    return LoggedMessage(
        tuple(map(_row, found)), from_text(seen_at), run_id, uidvalidity, uid, message_id, digest.hex(), *rest
    )


def figures(connection: sqlite3.Connection, since: datetime, until: datetime) -> Figures:
    """Return the figures of a period. Raises sqlite3.Error."""
    where, values = _where(BounceFilter(since, until))

    def tally(name: str, only: str = "") -> dict[str, int]:
        query = f"SELECT {name}, count(*) {_TABLES} WHERE {where} {only} GROUP BY 1"
        return dict(connection.execute(query, values))

    messages = connection.execute(f"SELECT count(DISTINCT m.id) {_TABLES} WHERE {where}", values)
    named = "AND m.kind = 'bounce' AND r.id IS NOT NULL"
    return Figures(
        messages.fetchone()[0],
        tally(_CLASS),
        tally("r.reason", named),
        tally("r.domain", named),
        tally("lower(r.remote_mta)", named),
    )


def _refusal(domain: str, reason: str, status: str, diagnostic: str, is_reporters: int) -> Refusal:
    return Refusal(domain, reason, status, diagnostic, bool(is_reporters))


def window(connection: sqlite3.Connection, account: str, since: datetime, reasons: Sequence[str]) -> BounceWindow:
    """Return the bounces of an account since a time, with permanent refusals for these reasons.

    Raises sqlite3.Error.
    """
    where, values = f"{_TABLES} WHERE f.account = ? AND m.received_at >= ?", (account, to_text(since))
    bounced = f"{where} AND m.kind = 'bounce' AND r.id IS NOT NULL"
    refused = f"{bounced} AND r.status LIKE '5.%' AND r.reason IN ({', '.join('?' * len(reasons))})"
    # A bare column beside max() is that of the row with the maximum (SQLite, bare columns in an aggregate query).
    refusals = f"""
        SELECT r.domain, r.reason, r.status, r.diagnostic, min(m.evidence = '{REPORTER}'), max(m.received_at) AS at
        {refused} AND m.evidence <> '' GROUP BY 1, 2 ORDER BY at DESC, 1, 2 LIMIT {MAX_REFUSALS}
    """
    hearsay = f"""
        SELECT r.domain, r.reason, r.status, r.diagnostic, max(m.received_at), {_HEARSAY}
        {refused} AND m.evidence = '' GROUP BY 1, 2 ORDER BY min(m.id), 1, 2 LIMIT {MAX_REFUSALS}
    """
    proved, unproved = "AND m.evidence <> ''", "AND m.evidence = ''"
    classes = f"{_CLASS}, %s {where} AND m.kind <> 'other' %s GROUP BY 1"
    domains = f"r.domain, %s {bounced} %s GROUP BY 1 ORDER BY min(m.id)"

    def tally(query: str) -> dict[str, int]:
        return dict(connection.execute(f"SELECT {query % ('count(*)', proved)}", values))

    def rumours(query: str) -> dict[str, Hearsay]:
        found = connection.execute(f"SELECT {query % (_HEARSAY, unproved)}", values)
        return {name: Hearsay(*row) for name, *row in found}

    return BounceWindow(
        tally(classes),
        tally(domains),
        tuple(_refusal(*row[:5]) for row in connection.execute(refusals, (*values, *reasons))),
        Unverified(
            rumours(classes),
            rumours(domains),
            tuple((Refusal(*row[:4]), Hearsay(*row[5:])) for row in connection.execute(hearsay, (*values, *reasons))),
        ),
    )


def _where(wanted: BounceFilter) -> tuple[str, tuple[Any, ...]]:
    """Return a condition and its values."""
    terms: list[str] = ["1"]
    values: list[Any] = []
    for term, at in (("m.received_at >= ?", wanted.since), ("m.received_at < ?", wanted.until)):
        if at is not None:
            terms.append(term)
            values.append(to_text(at))
    columns = (("m.kind", wanted.kinds), ("r.domain", wanted.domains), ("r.reason", wanted.reasons))
    for column, choices in columns:
        if choices:
            terms.append(f"{column} IN ({', '.join('?' * len(choices))})")
            values += choices
    if wanted.statuses:
        # The appended dot makes the match end at a whole number.
        terms.append("(" + " OR ".join("substr(r.status || '.', 1, ?) = ?" for _ in wanted.statuses) + ")")
        for status in wanted.statuses:
            values += [len(status) + 1, f"{status}."]
    if wanted.is_hard is not None:
        terms.append("m.kind = 'bounce' AND r.is_hard = ?")
        values.append(int(wanted.is_hard))
    return " AND ".join(terms), tuple(values)


def _row(row: tuple[Any, ...]) -> BounceRow:
    is_hard = None if row[10] is None else bool(row[10])
    # Without a recipient the columns of one are NULL.
    before, after = [text or "" for text in row[5:10]], [text or "" for text in row[11:14]]
    places = (row[0], from_text(row[1]), *row[2:5])
    returned = (*row[14:17], _texts(row[17]), _texts(row[18]))
    return BounceRow._make((*places, *before, is_hard, *after, *returned, row[19] or ""))


def _texts(document: str) -> tuple[str, ...]:
    if document == "[]":
        return ()
    return tuple(map(str, json.loads(document)))

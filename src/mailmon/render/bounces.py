"""How does the history of bounces read? The JSON documents of docs/history.md, and lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mailmon.model.bounces import BounceRow, LoggedMessage, Ranking, Summary, Trend
from mailmon.render.document import instant
from mailmon.render.layout import Line, Paper, Row, table
from mailmon.render.terminal import local_time
from mailmon.text import format_duration, visible

LIST_SCHEMA = "mailmon/bounces/1"
ONE_SCHEMA = "mailmon/bounce/1"
SUMMARY_SCHEMA = "mailmon/bounces-summary/1"
_MARKS = {"bounce": "soft", "delayed": "delayed", "feedback": "feedback", "other": "other"}
_NAMES = {"": "(not said)"}
_COLOURS = {"hard": "red", "soft": "yellow", "delayed": "yellow", "feedback": "magenta"}


def word_of(row: BounceRow) -> str:
    """Return what a row is in one word: hard or soft for a bounce, else its kind."""
    return "hard" if row.is_hard and row.kind == "bounce" else _MARKS.get(row.kind, row.kind)


def row_document(row: BounceRow) -> dict[str, Any]:
    """Return one recipient of one message: the keys are the columns of an export."""
    document = row._asdict()
    names = {"is_hard": "hard"}
    values = {
        "received_at": instant(row.received_at),
        "original_to": [*row.original_to],
        "original_cc": [*row.original_cc],
    }
    return {names.get(key, key): values.get(key, value) for key, value in document.items()}


def list_document(rows: list[BounceRow]) -> dict[str, Any]:
    """Return the rows as one document."""
    return {"schema": LIST_SCHEMA, "bounces": [row_document(row) for row in rows]}


def message_document(message: LoggedMessage) -> dict[str, Any]:
    """Return one message with all its recipients."""
    row = message.rows[0]
    return {
        "schema": ONE_SCHEMA,
        "id": row.id,
        "received_at": instant(row.received_at),
        "seen_at": instant(message.seen_at),
        "run_id": message.run_id,
        "account": row.account,
        "folder": row.folder,
        "uidvalidity": message.uidvalidity,
        "uid": message.uid,
        "message_id": message.message_id,
        "sha256": message.digest,
        "kind": row.kind,
        "form": message.form,
        "feedback_type": message.feedback_type,
        "outcome": message.outcome,
        "problem": message.problem,
        "evidence": message.evidence,
        "original": {
            "message_id": row.original_message_id,
            "subject": row.original_subject,
            "from": row.original_from,
            "to": list(row.original_to),
            "cc": list(row.original_cc),
        },
        "recipients": [_recipient_document(one) for one in message.rows if one.is_hard is not None],
    }


def summary_document(summary: Summary, top: int) -> dict[str, Any]:
    """Return the figures of a period."""
    return {
        "schema": SUMMARY_SCHEMA,
        "since": instant(summary.since),
        "until": instant(summary.until),
        "before_since": instant(summary.before_since),
        "top": top,
        "messages": _figures(summary.messages),
        "recipients": _figures(summary.recipients),
        "classes": [_trend_document(trend) for trend in summary.classes],
        "reasons": _ranking_document(summary.reasons),
        "domains": _ranking_document(summary.domains),
        "remote_mtas": _ranking_document(summary.remote_mtas),
    }


def row_lines(rows: Iterable[BounceRow], paper: Paper) -> Iterator[Line]:
    """Yield rows as a table: time, id, class, status, reason, address and the words of the server."""
    return table([_table_row(row, paper) for row in rows], paper)


def _table_row(row: BounceRow, paper: Paper) -> Row:
    what = (word_of(row), visible(row.status) or "-", visible(row.reason) or "-")
    cells = (local_time(row.received_at), f"#{row.id}", *what, visible(row.address, 320) or "(no address)")
    forwarded = f"written to {visible(row.original_recipient, 320)}; " if row.original_recipient else ""
    said = paper.text(f"{forwarded}{visible(row.diagnostic, 200)}")
    return Row("", tuple(map(paper.text, cells)), (said,) if said else (), _COLOURS.get(word_of(row), ""))


def message_lines(message: LoggedMessage, paper: Paper) -> Iterator[Line]:
    """Yield a message as people read it; what is not known is left out."""
    row = message.rows[0]
    where = f"{row.account}, {row.folder}, UID {message.uid or 'unknown'} of {message.uidvalidity}"
    yield Line(f"#{row.id}  {row.kind}, received {local_time(row.received_at)}, {message.outcome}")
    facts = {
        "where": where,
        "seen": f"{local_time(message.seen_at)} by run {message.run_id}",
        "Message-ID": message.message_id,
        "SHA-256": message.digest,
        "form": message.form,
        "feedback type": message.feedback_type,
        "problem": message.problem,
        "evidence": message.evidence,
        "original Message-ID": row.original_message_id,
        "original subject": row.original_subject,
        "original sender": row.original_from,
        "original To": ", ".join(row.original_to),
        "original Cc": ", ".join(row.original_cc),
    }
    yield from _facts(facts, paper)
    for one in message.rows:
        if one.is_hard is None:
            continue
        yield Line(paper.text(f"{word_of(one)}  {visible(one.address, 320) or '(no address)'}"))
        names = ("status", "action", "reason", "diagnostic", "reporting_mta", "remote_mta")
        facts = {name.replace("_mta", " MTA"): getattr(one, name) for name in names}
        yield from _facts({"written to": one.original_recipient} | facts, paper)


def summary_title(summary: Summary) -> str:
    """Say what a period brought in one line: `Bounces: 12 in 1 d (9 hard, 3 soft), 8 before`."""
    counts = {trend.name: trend for trend in summary.classes}
    hard, soft = counts["hard"], counts["soft"]
    within = format_duration((summary.until - summary.since).total_seconds())
    if not summary.recipients.now:
        return f"Bounces: none in {within}, {hard.before + soft.before} before"
    more = [f"{trend.now} {name}" for name, trend in counts.items() if trend.now]
    return f"Bounces: {hard.now + soft.now} in {within} ({', '.join(more)}), {hard.before + soft.before} before"


def summary_lines(summary: Summary) -> Iterator[str]:
    """Yield the figures of a period as people read them."""
    yield f"{local_time(summary.since)} to {local_time(summary.until)}, and the same time before"
    for trend in (summary.messages, summary.recipients, *summary.classes):
        yield _line(trend, trend.name)
    rankings = {"reason": summary.reasons, "domain": summary.domains, "remote MTA": summary.remote_mtas}
    for title, ranking in rankings.items():
        if ranking.rows:
            yield f"bounces by {title}"
            yield from (_line(trend, visible(trend.name, 100) or _NAMES[""]) for trend in ranking.rows)
        if ranking.others.now or ranking.others.before:
            yield _line(ranking.others, "(all others)")


def _line(trend: Trend, name: str) -> str:
    percent = "" if trend.change_percent is None else f", {trend.change_percent:+.0f} %"
    return f"  {trend.now:>7}  {name}  (before {trend.before}{percent})"


def _facts(facts: dict[str, str], paper: Paper) -> Iterator[Line]:
    given = [Row("", (name,), (paper.text(visible(text, 2000)),)) for name, text in facts.items() if text]
    indent = "" if paper.columns is None else "  "
    for line in table(given, paper if paper.columns is None else paper._replace(columns=paper.columns - len(indent))):
        yield Line(indent + line.plain)


def _recipient_document(row: BounceRow) -> dict[str, Any]:
    names = ("address", "domain", "status", "action", "reason")
    document = {name: getattr(row, name) for name in names}
    document |= {"hard": row.is_hard, "diagnostic": row.diagnostic}
    more = ("reporting_mta", "remote_mta", "original_recipient")
    return document | {name: getattr(row, name) for name in more}


def _ranking_document(ranking: Ranking) -> dict[str, Any]:
    return {"rows": [_trend_document(trend) for trend in ranking.rows], "others": _figures(ranking.others)}


def _trend_document(trend: Trend) -> dict[str, Any]:
    return {"name": trend.name, **_figures(trend)}


def _figures(trend: Trend) -> dict[str, Any]:
    return {
        "count": trend.now,
        "before": trend.before,
        "change": trend.change,
        "change_percent": trend.change_percent,
    }

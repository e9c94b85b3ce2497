"""Bounces as text, and their masking for --mask (docs/bounce-log.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailmon.mail.masking import HIDDEN, mask_address, mask_domain, mask_text
from mailmon.model.bounces import BounceRow, LoggedMessage, Ranking, Summary, Trend
from mailmon.render.layout import Line, Paper, Row, table
from mailmon.render.terminal import local_time
from mailmon.text import format_duration, visible

_MARKS = {"bounce": "soft", "delayed": "delayed", "feedback": "feedback", "other": "other"}
_NAMES = {"": "(not given)"}
_COLOURS = {"hard": "red", "soft": "yellow", "delayed": "yellow", "feedback": "magenta"}


def word_of(row: BounceRow) -> str:
    """Return the class of a row: hard or soft for a bounce, else its kind."""
    return "hard" if row.is_hard and row.kind == "bounce" else _MARKS.get(row.kind, row.kind)


def row_lines(rows: Iterable[BounceRow], paper: Paper) -> Iterator[Line]:
    """Yield rows as a table: time, id, class, status, reason, address and the server's reply."""
    return table([_table_row(row, paper) for row in rows], paper)


def _table_row(row: BounceRow, paper: Paper) -> Row:
    what = (word_of(row), visible(row.status) or "-", visible(row.reason) or "-")
    cells = (local_time(row.received_at), f"#{row.id}", *what, visible(row.address, 320) or "(no address)")
    forwarded = f"sent to {visible(row.original_recipient, 320)}; " if row.original_recipient else ""
    said = paper.text(f"{forwarded}{visible(row.diagnostic, 200)}")
    return Row("", tuple(map(paper.text, cells)), (said,) if said else (), _COLOURS.get(word_of(row), ""))


def message_lines(message: LoggedMessage, paper: Paper) -> Iterator[Line]:
    """Yield a message as text; unknown fields are left out."""
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
        yield from _facts({"sent to": one.original_recipient} | facts, paper)


def summary_title(summary: Summary) -> str:
    """Return the figures of a period in one line: `Bounces: 12 in 1 d (9 hard, 3 soft), 8 before`."""
    counts = {trend.name: trend for trend in summary.classes}
    hard, soft = counts["hard"], counts["soft"]
    within = format_duration((summary.until - summary.since).total_seconds())
    if not summary.recipients.now:
        return f"Bounces: none in {within}, {hard.before + soft.before} before"
    more = [f"{trend.now} {name}" for name, trend in counts.items() if trend.now]
    return f"Bounces: {hard.now + soft.now} in {within} ({', '.join(more)}), {hard.before + soft.before} before"


def summary_lines(summary: Summary) -> Iterator[str]:
    """Yield the figures of a period as text."""
    yield f"{local_time(summary.since)} to {local_time(summary.until)}, compared with the period before"
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


def masked_row(row: BounceRow) -> BounceRow:
    """Return a row whose addresses, domains and host names are masked, and whose subject is hidden."""
    known = _addresses(row)
    return row._replace(
        account=mask_text(row.account, known),
        folder=mask_text(row.folder, known),
        address=mask_address(row.address),
        domain=mask_domain(row.domain),
        diagnostic=mask_text(row.diagnostic, known),
        reporting_mta=mask_domain(row.reporting_mta),
        remote_mta=mask_domain(row.remote_mta),
        original_message_id=mask_address(row.original_message_id),
        original_subject=HIDDEN if row.original_subject else "",
        original_from=mask_address(row.original_from),
        original_to=tuple(map(mask_address, row.original_to)),
        original_cc=tuple(map(mask_address, row.original_cc)),
        original_recipient=mask_address(row.original_recipient),
    )


def masked_message(message: LoggedMessage) -> LoggedMessage:
    """Return a message as `masked_row` shows its rows."""
    known = [address for row in message.rows for address in _addresses(row)]
    # The name of one recipient may occur in the reply about another.
    rows = [masked_row(row)._replace(diagnostic=mask_text(row.diagnostic, known)) for row in message.rows]
    return message._replace(
        rows=tuple(rows), message_id=mask_address(message.message_id), problem=mask_text(message.problem, known)
    )


def masked_summary(summary: Summary) -> Summary:
    """Return a summary whose domains and host names are masked; two may look the same then."""
    return summary._replace(domains=_masked(summary.domains), remote_mtas=_masked(summary.remote_mtas))


def _masked(ranking: Ranking) -> Ranking:
    return ranking._replace(rows=tuple(trend._replace(name=mask_domain(trend.name)) for trend in ranking.rows))


def _addresses(row: BounceRow) -> tuple[str, ...]:
    return (row.address, row.original_recipient, row.original_from, *row.original_to, *row.original_cc)

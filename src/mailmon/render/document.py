"""All JSON documents (docs/json.md), which other tools rely on: the use cases return values, and these functions
the documents of them.

Importing it loads nothing that a webhook or a quiet check does not need.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailmon.alerting.wording import explain_quiet
from mailmon.model import Alert, Change, CheckState, Delivery, Finding, Health, OutboxEntry, Outcome, Quiet, Silence
from mailmon.text import utf8_text, visible

if TYPE_CHECKING:
    from mailmon.findings.registry import Entry
    from mailmon.mail.auth.spf import Client
    from mailmon.mail.auth.spf import Verdict as SpfVerdict
    from mailmon.mail.bounce import Classification, Recipient
    from mailmon.model.bounces import BounceRow, LoggedMessage, Notice, Ranking, ScannedAccount, Summary, Trend
    from mailmon.model.diagnosis import Diagnosis, Service
    from mailmon.model.dns import Survey
    from mailmon.model.run import AlertLine, RunResult
    from mailmon.model.status import AlertLog, SilenceList, StatusReport

LIST_SCHEMA = "mailmon/bounces/1"


ONE_SCHEMA = "mailmon/bounce/1"


SUMMARY_SCHEMA = "mailmon/bounces-summary/1"


def check_document(result: RunResult) -> dict[str, Any]:
    """Return one run; the alerts that a dry run would have sent are pending."""
    previews = [
        {"id": alert.id, "channel": "(dry run)", "status": "pending", "title": alert.title} for alert in result.previews
    ]
    return {
        "schema": "mailmon/check/1",
        "run_id": result.run_id,
        "started_at": instant(result.started_at),
        "finished_at": instant(result.finished_at),
        "duration_s": round(result.duration_s, 4),
        "status": result.status.value,
        "steps": [_run_step_document(outcome, result) for outcome in result.steps],
        "changes": [change_document(change) for change in result.changes],
        "alerts": [*map(alert_line_document, result.alerts), *previews],
        **({"warnings": list(result.warnings)} if result.warnings else {}),
    }


def _run_step_document(outcome: Outcome, result: RunResult) -> dict[str, Any]:
    """Return one step of a run, with the reason why no alert was sent about it where there is one."""
    is_alerted = any(outcome.id in line.about for line in result.alerts)
    quiet = None if is_alerted else result.quiet.get(outcome.id)
    return {**step_document(outcome), **({"quiet": quiet_document(quiet, result.finished_at)} if quiet else {})}


def quiet_document(quiet: Quiet, now: datetime) -> dict[str, Any]:
    """Return why no alert was sent: in words, as a code, and the figures that belong to it."""
    return {
        "reason": explain_quiet(quiet, now).removeprefix("no alert yet: ").removeprefix("no alert: "),
        "code": quiet.reason,
        **({"runs": quiet.runs, "threshold": quiet.threshold} if quiet.threshold else {}),
        **({"at": instant(quiet.at)} if quiet.at else {}),
        **({"until": instant(quiet.until)} if quiet.until else {}),
    }


def status_document(report: StatusReport) -> dict[str, Any]:
    """Return the health of every check, as of the last runs."""
    run = report.last_run
    last_run = run and {
        "run_id": run.run_id,
        "started_at": instant(run.started_at),
        "finished_at": instant(run.finished_at),
        "status": run.status.value,
    }
    return {
        "schema": "mailmon/status/1",
        "state_file": str(report.state_file),
        "last_run": last_run,
        "age_s": report.age_s,
        "is_stale": report.is_stale,
        "checks": [state_document(check.id, check.state, check.next_reminder_at, report.at) for check in report.checks],
        "silences": [silence_document(silence) for silence in report.silences],
        "pending": [pending_document(entry) for entry in report.pending],
    }


def alerts_document(log: AlertLog) -> dict[str, Any]:
    """Return the latest alerts, oldest first, then those that are pending."""
    rows = [*map(delivery_document, log.deliveries), *map(pending_document, log.pending)]
    return {"schema": "mailmon/alerts/1", "alerts": rows}


def silences_document(held: SilenceList) -> dict[str, Any]:
    """Return the active silences."""
    return {"schema": "mailmon/silence/1", "silences": [silence_document(silence) for silence in held.silences]}


def spf_document(client: Client, verdict: SpfVerdict) -> dict[str, Any]:
    """Return the result of SPF for a client, with the terms that led to it."""
    return {
        "schema": "mailmon/spf/1",
        "result": verdict.result.value,
        "explanation": verdict.explanation,
        "reason": visible(utf8_text(verdict.reason), 500),
        "domain": visible(client.domain, 300),
        "record": visible(utf8_text(verdict.record), 2000),
        "lookups": verdict.lookups,
        "void_lookups": verdict.void_lookups,
        "trace": [
            {
                "domain": visible(one.domain),
                "term": visible(utf8_text(one.term), 400),
                "outcome": one.outcome,
                "lookups": one.lookups,
            }
            for one in verdict.trace
        ],
    }


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the whole diagnosis."""
    from mailmon.model.diagnosis import summarise

    return {
        "schema": "mailmon/diagnose/1",
        "host": diagnosis.host,
        "addresses": list(diagnosis.addresses),
        "duration_s": round(diagnosis.duration_s, 3),
        "findings": [finding_document(one) for one in diagnosis.findings],
        "services": [_service_document(one) for one in diagnosis.services],
        "transcripts": [
            {
                "target": one.target,
                "purpose": one.purpose,
                "lines": [{"at_s": line.at_s, "from": line.who, "text": line.text} for line in one.lines],
            }
            for one in diagnosis.transcripts
        ],
        "notes": list(diagnosis.notes),
        "summary": summarise(diagnosis.findings),
    }


def survey_document(survey: Survey) -> dict[str, Any]:
    """Return the whole survey."""
    from mailmon.model.diagnosis import summarise

    return {
        "schema": "mailmon/dns/1",
        "domain": survey.domain,
        "duration_s": round(survey.duration_s, 3),
        "records": [
            {
                "name": row.name,
                "type": row.type,
                "purpose": row.purpose,
                "expected": row.expected,
                "found": list(row.found),
                "ttl_s": row.ttl_s,
            }
            for row in survey.records
            if row.is_worth_showing
        ],
        "findings": [finding_document(one) for one in survey.findings],
        "spf": [line._asdict() for line in survey.spf],
        "notes": list(survey.notes),
        "summary": summarise(survey.findings),
    }


def explanation_document(entries: Iterable[Entry]) -> dict[str, Any]:
    """Return the JSON document of entries."""
    return {"schema": "mailmon/explain/1", "findings": [_entry_document(one) for one in entries]}


def classified_document(file: str, found: Classification | None, error: str) -> dict[str, Any]:
    """Return one message as `bounces classify` prints it; a file that cannot be read has an error."""
    if found is None:
        return {"file": file, "kind": "other", "error": error, "recipients": []}
    return {
        "file": file,
        "kind": found.kind,
        "type": found.form,
        "recipients": [_classified_recipient_document(recipient) for recipient in found.recipients],
        "feedback_type": found.feedback_type,
        "original": found.original._asdict(),
    }


def scan_document(accounts: Iterable[ScannedAccount]) -> dict[str, Any]:
    """Return what a scan of bounce folders found."""
    return {"schema": "mailmon/bounces-scan/1", "accounts": [_scanned_document(one) for one in accounts]}


def queue_document(notices: Iterable[Notice]) -> dict[str, Any]:
    """Return the notices about bounces."""
    return {"schema": "mailmon/bounces-queue/1", "notices": [_notice_document(one) for one in notices]}


def retry_document(queued: int) -> dict[str, Any]:
    """Return how many notices were queued again."""
    return {"schema": "mailmon/bounces-retry/1", "queued": queued}


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


def instant(at: datetime) -> str:
    """Return ISO 8601 in UTC, ending in Z."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def finding_document(finding: Finding) -> dict[str, Any]:
    """Return a finding; empty values are left out, except for the five keys that every finding has."""
    document: dict[str, Any] = {
        "id": finding.id,
        "status": finding.status.value,
        "severity": finding.severity.value if finding.severity else None,
        "target": finding.target,
        "message": finding.message,
    }
    optional = ("evidence", "expected", "found", "fix", "reference", "duration_s")
    return document | {key: value for key in optional if (value := getattr(finding, key))}


def step_document(outcome: Outcome) -> dict[str, Any]:
    """Return one step of a run."""
    return {
        "id": outcome.id,
        "check": outcome.check,
        "name": outcome.name,
        "status": outcome.status.value,
        "duration_s": round(outcome.duration_s, 4),
        "message": outcome.message,
        "advice": outcome.advice,
        "findings": [finding_document(finding) for finding in outcome.findings],
        "metrics": {metric.name: metric.value for metric in outcome.metrics},
    }


def change_document(change: Change) -> dict[str, Any]:
    """Return an announced change of health."""
    return {
        "id": change.id,
        "from": change.before.value,
        "to": change.after.value,
        "since": instant(change.at),
        "reason": change.reason,
    }


def alert_document(alert: Alert) -> dict[str, Any]:
    """Return an alert as it is passed to a webhook or command."""
    return {
        "schema": "mailmon/alert/1",
        "id": alert.id,
        "kind": alert.kind.value,
        "title": alert.title,
        "body": alert.body,
        "at": instant(alert.at),
        "thread": alert.thread or alert.id,
        "changes": [alert_change_document(change) for change in alert.changes],
    }


def alert_change_document(change: Change) -> dict[str, Any]:
    """Return one change in an alert."""
    return change_document(change) | {
        "label": change.label,
        "target": change.target,
        "advice": change.advice,
        "news": change.news.value,
        "severity": change.severity.value if change.severity else None,
        "notes": list(change.notes),
        "earlier": [{"to": past.after.value, "at": instant(past.at)} for past in change.history],
        "earlier_left_out": change.more,
    }


def pending_document(entry: OutboxEntry) -> dict[str, Any]:
    """Return a pending alert in the outbox."""
    return {
        "id": entry.alert.id,
        "channel": entry.channel,
        "status": "pending",
        "title": entry.alert.title,
        "at": instant(entry.alert.at),
        "runs": entry.runs,
        "error": entry.error,
    }


def delivery_document(delivery: Delivery) -> dict[str, Any]:
    """Return an alert that was sent or dropped."""
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "status": delivery.status,
        "title": delivery.title,
        "at": instant(delivery.at),
        "done_at": instant(delivery.done_at),
        "error": delivery.error,
    }


def silence_document(silence: Silence) -> dict[str, Any]:
    """Return a silence."""
    return {
        "name": silence.name,
        "since": instant(silence.since),
        "until": instant(silence.until),
        "why": silence.why,
    }


def state_document(step_id: str, state: CheckState, next_reminder_at: datetime | None, now: datetime) -> dict[str, Any]:
    """Return the state of a check. `announced` is the health that the last alert reported."""
    announced = state.announced
    return {
        "id": step_id,
        "health": "unknown" if announced.unknown_since else state.health.value,
        "since": instant(announced.unknown_since or state.since),
        "checked_at": instant(state.checked_at) if state.checked_at else None,
        "reason": state.reason,
        "value": state.value,
        "announced": announced.health.value,
        "announced_at": instant(announced.at) if announced.at else None,
        "next_reminder_at": instant(next_reminder_at) if next_reminder_at else None,
        "failing_runs": state.streak if state.health is Health.FAILING else 0,
        "unknown_runs": state.unknown_runs,
        **({"quiet": quiet_document(state.quiet, now)} if state.quiet else {}),
        **({"skipped": state.skipped} if state.skipped else {}),
    }


def alert_line_document(line: AlertLine) -> dict[str, Any]:
    """Return what became of one alert on one channel."""
    return {"id": line.id, "channel": line.channel, "status": line.status, "title": line.title}


def _entry_document(entry: Entry) -> dict[str, Any]:
    from mailmon.findings.software_fixes import blocks_of

    row = entry.row
    return {
        "id": entry.id,
        "title": row.title,
        "severity": row.severity.value if row.severity else None,
        "varies": row.varies,
        "meaning": row.meaning,
        "fix": row.fix,
        "software": [{"place": one.head, "lines": list(one.lines)} for one in blocks_of(entry.id)],
        "reference": row.reference,
        "reported_by": list(entry.commands),
    }


def _service_document(service: Service) -> dict[str, Any]:
    tls = service.tls
    return {
        "target": service.target,
        "address": service.address,
        "protocol": service.protocol,
        "banner": service.banner,
        "ehlo": service.ehlo,
        "software": service.software,
        "extensions": service.extensions,
        "tls": tls._asdict() | {"names": list(tls.names)} if tls else None,
        "timings": service.timings,
    }


def _classified_recipient_document(one: Recipient) -> dict[str, Any]:
    document: dict[str, Any] = {
        "address": one.address,
        "status": one.status,
        "action": one.action,
        "reason": one.reason,
        "hard": one.is_hard,
        "diagnostic": one.diagnostic,
        "reporting_mta": one.reporting_mta,
        "remote_mta": one.remote_mta,
    }
    return document | ({"original_recipient": one.original_recipient} if one.original_recipient else {})


def _scanned_document(one: ScannedAccount) -> dict[str, Any]:
    return {
        "account": one.account,
        "folder": one.folder,
        "duration_s": round(one.duration_s, 4),
        "new": one.new,
        "kinds": dict(one.kinds),
        "own_probes": one.own_probes,
        "moved": one.moved,
        "unread": one.unread,
        "notices": {"sent": one.notices_sent, "failed": one.notices_failed},
        "notice_error": one.notice_error,
        "problems": list(one.problems),
        "obstacles": list(one.obstacles),
        "warnings": list(one.warnings),
        "words": one.words,
        "error": one.error,
        "advice": one.advice,
    }


def _notice_document(one: Notice) -> dict[str, Any]:
    return {
        "id": one.id,
        "bounce": one.message,
        "recipient": one.recipient,
        "status": one.status,
        "attempts": one.attempts,
        "created_at": instant(one.created_at),
        "next_at": instant(one.next_at) if one.status == "waiting" else None,
        "done_at": instant(one.done_at) if one.done_at else None,
        "error": one.error,
    }


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

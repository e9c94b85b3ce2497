"""The wording of alerts, of the reasons for none, and of the line that ends a run: all of it.

Subject first, then the state, since when, and the cause: `mail.example.org:587: SMTP Auth failing since 02:10 +0100:
login: 535 5.7.8 no`. The golden texts are in tests/alerting/test_wording.py. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from mailmon.mail.localtime import short_time
from mailmon.model import (
    Alert,
    AlertKind,
    Change,
    CheckState,
    Health,
    News,
    OpenProblem,
    OutboxEntry,
    Quiet,
    QuietReason,
    Status,
)
from mailmon.model.run import RunResult
from mailmon.text import count, fit_characters, format_duration, join_words

MAX_CAUSES = 12
MAX_NOTES = 12
MAX_NAMES = 12
MAX_TITLE = 120
MAX_LABELS = 2
MAX_ADVICE = 3
# At least so many of a title's characters are for a recovery that stands behind what is still failing.
_MIN_NEWS = 40


_COUNTED = (Status.OK, Status.WARNING, Status.FAILED, Status.UNKNOWN, Status.SKIPPED)


class _Verbs(NamedTuple):
    """The state of a subject in words: while it fails, that it did, and when that has ended."""

    failing: str
    failed: str
    recovered: str


_USUAL = _Verbs("failing", "failed", "recovered")
_VERBS: Mapping[str, _Verbs] = {
    "network": _Verbs("has no network", "had no network", "is online again"),
    "certificate": _Verbs("expiring", "was expiring", "renewed"),
    "unit": _Verbs("failed", "failed", "completed again"),
}
_WARNING, _WARNED = "warning", "warned"
_UNKNOWN, _WAS_UNKNOWN, _KNOWN_AGAIN = "cannot be checked", "could not be checked", "can be checked again"
# Labels of what is no step; `{}` is its name.
_OWN_LABELS = {
    "network": "mailmon",
    "ping": "Ping",
    "certificate": "Certificate",
    "channel": "Alerts via {}",
    "unit": "{}",
}
# What counts consecutive runs until an alert is due.
_COUNTED_RUNS = {
    QuietReason.FAILURES: "failure",
    QuietReason.RECOVERIES: "recovery",
    QuietReason.INCONCLUSIVE: "inconclusive",
}
_PROBLEMS = (Health.DOWN, Health.FAILING)
_WARNINGS = (Health.DEGRADED, Health.UNKNOWN)


class _Rank:
    """The order in a message: new before old, failures before warnings, and both before recoveries.

    Numbers: an enumeration takes half a millisecond of every start.
    """

    FAILURE = 0
    # Known to fail, and announced all the same: another cause, other readers, or checked again.
    OTHER_FAILURE = 1
    WARNING = 2
    OTHER_WARNING = 3
    OLD_FAILURE = 4
    OLD_WARNING = 5
    PARTLY_ENDED = 6
    ENDED = 7


_GOOD_NEWS = (_Rank.PARTLY_ENDED, _Rank.ENDED)


class _Group(NamedTuple):
    """Changes with one cause: the same happened, for the same reason, at the same place."""

    changes: tuple[Change, ...]

    @property
    def first(self) -> Change:
        return self.changes[0]

    @property
    def rank(self) -> int:
        change = self.first
        if change.after is Health.UP:
            return _Rank.ENDED
        is_change = change.news is News.CHANGE
        if change.after in _PROBLEMS:
            is_known = change.before is change.after or (change.before is Health.UNKNOWN and change.since == change.at)
            if is_change and not is_known:
                return _Rank.FAILURE
            return _Rank.OLD_FAILURE if change.news is News.REMINDER else _Rank.OTHER_FAILURE
        if is_change:
            return (
                _Rank.PARTLY_ENDED
                if change.before is Health.DOWN and change.after is Health.DEGRADED
                else _Rank.WARNING
            )
        return _Rank.OLD_WARNING if change.news is News.REMINDER else _Rank.OTHER_WARNING

    @property
    def is_joint(self) -> bool:
        """Return whether one reason holds for all; else each has its own, with figures that are nobody else's."""
        return len({change.reason for change in self.changes}) == 1

    @property
    def names(self) -> str:
        """Return the subjects of the changes, behind their label: ` (office)`, ` for 3 accounts`."""
        subjects = [change.subject for change in self.changes if change.subject]
        if len(self.changes) > 1:
            return f" for {count(len(self.changes), self.first.kind)}"
        return f" ({subjects[0]})" if subjects else ""


def compose(
    changes: Sequence[Change], now: datetime, alert_id: str, open_problems: Sequence[OpenProblem] = ()
) -> Alert | None:
    """Return the one alert for these changes, None without any.

    `open_problems` are steps that are not healthy and not among the changes: a recovery must not read as an all-clear.
    """
    if not changes:
        return None
    groups = sorted(_grouped(changes), key=lambda group: group.rank)
    left = open_problems if is_good_news(changes) else ()
    healths = {group.first.after for group in groups}
    is_problem, is_warning = (not healths.isdisjoint(some) for some in (_PROBLEMS, _WARNINGS))
    kind = AlertKind.PROBLEM if is_problem else AlertKind.WARNING if is_warning else AlertKind.RECOVERY
    paragraphs = _problem_lines(left, now) + [_paragraph(group, now) for group in groups[:MAX_CAUSES]]
    if len(groups) > MAX_CAUSES:
        paragraphs.append(f"and {len(groups) - MAX_CAUSES} more")
    thread = next((change.alert for change in changes if change.alert not in ("", alert_id)), "")
    return Alert(alert_id, kind, _title(groups, left, now), "\n\n".join(paragraphs), now, tuple(changes), thread)


def is_good_news(changes: Sequence[Change]) -> bool:
    """Return whether changes are recoveries only, so that what has not recovered must be announced with them."""
    return all(_Group((change,)).rank in _GOOD_NEWS for change in changes)


def _grouped(changes: Iterable[Change]) -> list[_Group]:
    """Group changes that one cause explains, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        what = (change.label, change.target, change.before, change.after, change.news, change.causes or change.reason)
        when = (change.since, change.at, change.history)
        groups.setdefault((*what, *when), []).append(change)
    return [_Group(tuple(members)) for members in groups.values()]


def _title(groups: Sequence[_Group], open_problems: Sequence[OpenProblem], now: datetime) -> str:
    """Return a title that begins with the server, what, and since when: a phone at night shows little more.

    What is still failing stands before a recovery, and is never what is cut.
    """
    news = _news(groups, now)
    named = [one for one in open_problems if one.label]
    if others := len(open_problems) - len(named):
        others_said = f" ({count(others, 'other problem')})"
        news = f"{fit_characters(news, MAX_TITLE - len(others_said))}{others_said}"
    if not named:
        return fit_characters(news, MAX_TITLE)
    first, where = named[0], _host(groups[0].first.target)
    verb = _problem_verb(first)
    alike = [one for one in named if _host(one.target) == _host(first.target) and _problem_verb(one) == verb]
    more = f" (and {len(named) - len(alike)} more)" if len(named) > len(alike) else ""
    place = f"{_host(first.target)}: " if first.target else ""
    said = f"{place}{_listed([_called(one) for one in alike], MAX_LABELS)} {verb}{more}, "
    if first.target and where == _host(first.target):
        news = news.removeprefix(f"{groups[0].first.target}: ").removeprefix(f"{where}: ")
    return fit_characters(f"{fit_characters(said, MAX_TITLE - _MIN_NEWS)}{news}", MAX_TITLE)


def _news(groups: Sequence[_Group], now: datetime) -> str:
    """Describe the first group and those like it, count others of its sort, and name or count those of other sorts."""
    first = groups[0].first
    how, at = _verb(first), _when(first, now)
    leading = [group for group in groups if group.rank is groups[0].rank]
    alike = [g for g in leading if _host(g.first.target) == _host(first.target) and _verb(g.first) == how]
    # A time or a duration that is not everybody's is nobody's but the first one's.
    alike = [group for group in alike if _when(group.first, now) == at]
    where = first.target if len({group.first.target for group in alike}) == 1 else _host(first.target)
    names = groups[0].names if all(group.names == groups[0].names for group in alike) else ""
    labels = list(dict.fromkeys(group.first.label for group in alike))
    unnamed = [count(len(labels) - MAX_LABELS, "more check")] if len(labels) > MAX_LABELS else []
    what = f"{join_words([*labels[:MAX_LABELS], *unnamed])}{names} {how} {at}"
    more = [f"and {len(leading) - len(alike)} more"] if len(leading) > len(alike) else []
    more += _of_other_ranks(groups[len(leading) :])
    evidence = _evidence(groups[0])
    if evidence and len({_evidence(group) for group in alike}) > 1:
        evidence = f"{first.label}: {evidence}"
    place, noted = f"{where}: " if where else "", f" ({', '.join(more)})" if more else ""
    return f"{place}{what}{noted}{f': {evidence}' if evidence else ''}"


def _of_other_ranks(groups: Sequence[_Group]) -> list[str]:
    """Return what else there is, sort by sort: by its name where it is one, else counted."""
    said: dict[str, list[_Group]] = {}
    for group in groups:
        said.setdefault(_in_short(group), []).append(group)
    return [
        f"{some[0].first.label}{some[0].names} {_verb(some[0].first)}" if len(some) == 1 else f"{len(some)} {words}"
        for words, some in said.items()
    ]


def _in_short(group: _Group) -> str:
    match group.rank:
        case _Rank.FAILURE:
            return "failing"
        case _Rank.OTHER_FAILURE | _Rank.OLD_FAILURE:
            return "still failing"
        case _Rank.WARNING:
            return "cannot be checked" if group.first.after is Health.UNKNOWN else "with a warning"
        case _Rank.OTHER_WARNING | _Rank.OLD_WARNING:
            return "still with a warning"
        case _Rank.PARTLY_ENDED:
            return "recovered with a warning"
        case _:
            return "recovered"


def _problem_lines(open_problems: Sequence[OpenProblem], now: datetime) -> list[str]:
    """Return the paragraph that names what is still not healthy."""
    named = [one for one in open_problems if one.label]
    lines = [
        f"{_called(one)}: {_problem_verb(one)}{f' since {short_time(one.since, now)}' if one.since else ''}"
        f"{f': {one.reason}' if one.reason else ''}"
        for one in named[:MAX_NAMES]
    ]
    lines += [f"and {len(named) - MAX_NAMES} more"] if len(named) > MAX_NAMES else []
    return ["\n".join(lines)] if lines else []


def _called(problem: OpenProblem) -> str:
    """Return what it is called: `SMTP Auth (office)`."""
    return f"{problem.label} ({problem.subject})" if problem.subject else problem.label


def _problem_verb(problem: OpenProblem) -> str:
    if problem.health is Health.UNKNOWN:
        return _UNKNOWN
    failing = _verbs(problem.kind).failing
    return failing if problem.health is Health.FAILING else f"still {failing}"


def _verbs(kind: str) -> _Verbs:
    return _VERBS.get(kind, _USUAL)


def _verb(change: Change) -> str:
    """Return the state of a change's subject: `failing`, `still warning`, `failed 3 times and recovered`."""
    failing = _verbs(change.kind).failing
    if change.news is not News.CHANGE:
        return f"still {_WARNING if change.after is Health.DEGRADED else failing}"
    match change.after:
        case Health.UP:
            return f"{_trouble(change)} and {_end(change)}" if change.history else _end(change)
        case Health.DEGRADED if change.before is Health.DOWN:
            return f"{_end(change)} with a warning"
        case Health.DEGRADED:
            return _WARNING
        case Health.UNKNOWN:
            return _UNKNOWN
        case _:
            return failing


def _end(change: Change) -> str:
    """Return how the end of a trouble is put: what only warned, or could not be checked, did not fail."""
    if change.ended is Health.UNKNOWN:
        return _KNOWN_AGAIN
    return _USUAL.recovered if change.ended is Health.DEGRADED else _verbs(change.kind).recovered


def _trouble(change: Change) -> str:
    """Return what was never announced, by its worst: `failed`, `failed 3 times`, `warned`, `could not be checked`."""
    past, failed = [step.after for step in change.history], _verbs(change.kind).failed
    for health, words in ((Health.DOWN, failed), (Health.UNKNOWN, _WAS_UNKNOWN), (Health.DEGRADED, _WARNED)):
        if health in past:
            times = past.count(health)
            often = "again and again" if change.more and times > 1 else f"{times} times"
            return f"{words} {often}" if times > 1 else words
    return failed


def _when(change: Change, now: datetime) -> str:
    if change.after is not Health.UP or len(change.history) > 1:
        return f"{_since_or_at(change)} {short_time(change.at, now)}"
    lasted = f"after {format_duration(max((change.at - change.since).total_seconds(), 0.0))}"
    return f"{lasted} ({_span(change.since, change.at, now)})" if change.history else lasted


def _since_or_at(change: Change) -> str:
    """Return what stands before the time of a change: a recovery and the failure of a unit are moments."""
    is_end = not _end(change).startswith(("is ", "can ")) and _Group((change,)).rank in _GOOD_NEWS
    return "at" if is_end or (change.kind == "unit" and change.news is News.CHANGE) else "since"


def _evidence(group: _Group) -> str:
    """Return what came back, without the place that was said before, and whose it is where others got another."""
    change = group.first
    if change.after is Health.UP:
        return ""
    said = change.reason.removeprefix(f"{change.target}: ")
    own = said if group.is_joint else f"{change.subject or change.id}: {said}"
    return f"now {own}" if change.news is News.CAUSE else own


def _paragraph(group: _Group, now: datetime) -> str:
    change = group.first
    subjects = [change.subject or change.id for change in group.changes]
    listed = f" ({_listed(subjects, MAX_NAMES)})" if len(group.changes) > 1 and group.is_joint else ""
    label = f"{change.label}{group.names}{listed}"
    if change.after is Health.UP:
        lines = [f"{label} {_recovered(change, now)}."]
        lines += _reasons(group, "Cause")
    else:
        changed = "the cause has changed: " if change.news is News.CAUSE else ""
        lines = (
            [f"{label}: {changed}{change.reason}"] if group.is_joint else _reasons(group, f"{label}: {changed}".strip())
        )
        advice = list(dict.fromkeys(one.advice for one in group.changes if one.advice))
        lines += [f"→ {words}" for words in advice[:MAX_ADVICE]]
        lines += [_since(change, now)]
    is_one = len(group.changes) == 1
    lines += _noted([note if is_one else f"{f.subject}: {note}" for f in group.changes for note in f.notes])
    return "\n".join(lines)


def _reasons(group: _Group, head: str) -> list[str]:
    """Return the reason of all, or each one's own below each other: nobody gets the figures of somebody else."""
    if group.is_joint:
        return [f"{head}: {group.first.reason}"] if group.first.reason else []
    lines = [f"{change.subject or change.id}: {change.reason}" for change in group.changes[:MAX_NAMES]]
    lines += [f"and {len(group.changes) - MAX_NAMES} more"] if len(group.changes) > MAX_NAMES else []
    return [f"{head.rstrip(':')}:", *lines]


def _recovered(change: Change, now: datetime) -> str:
    ended = f"{_end(change)} {_since_or_at(change)} {short_time(change.at, now)}"
    return f"{_sequence(change, now)}, {ended}" if change.history else f"{ended}, {_when(change, now)}"


def _since(change: Change, now: datetime) -> str:
    if change.news is not News.CHANGE:
        lasted = format_duration(max((now - change.since).total_seconds(), 0.0))
        state = "Warning" if change.after is Health.DEGRADED else "Failing"
        return f"{state} for {lasted} (since {short_time(change.since, now)})."
    earlier = f" Before: {_sequence(change, now)}." if change.history else ""
    if change.before is Health.DOWN and change.after is Health.DEGRADED and not change.history:
        earlier = f" It was down for {format_duration(max((change.at - change.since).total_seconds(), 0.0))}."
    return f"Since {short_time(change.at, now)}.{earlier}"


def _sequence(change: Change, now: datetime) -> str:
    """Return what was never announced: `failed at 02:10, recovered at 02:40`."""
    words = {Health.UP: _end(change), Health.DEGRADED: _WARNED, Health.UNKNOWN: _WAS_UNKNOWN}
    steps = [
        f"{words.get(past.after, _verbs(change.kind).failed)} at {short_time(past.at, now)}" for past in change.history
    ]
    if change.more:
        steps.insert(1, f"changed {change.more} more times")
    return ", ".join(steps)


def _noted(notes: Sequence[str]) -> list[str]:
    lines = [f"{note[:1].upper()}{note[1:]}." for note in notes[:MAX_NOTES]]
    return [*lines, f"and {len(notes) - MAX_NOTES} more"] if len(notes) > MAX_NOTES else lines


def _listed(words: Sequence[str], limit: int) -> str:
    if len(words) <= limit:
        return join_words(words)
    return f"{', '.join(words[:limit])} and {len(words) - limit} more"


def _host(target: str) -> str:
    host, colon, port = target.rpartition(":")
    return host if colon and port.isdigit() else target


def _span(since: datetime, at: datetime, now: datetime) -> str:
    """Return from when to when, with one offset and one date where both are the same: `13:15-13:30 +0100`."""
    begun, ended = short_time(since, now), short_time(at, now)
    day, offset = begun[:-11], begun[-5:]
    if ended[:-11] == day and ended[-5:] == offset:
        return f"{begun[:-6]}-{ended[len(day) :]}"
    return f"from {begun} to {ended}"


def own_label(kind: str, name: str) -> str:
    """Return the label of what is no step.

    >>> own_label("channel", "phone"), own_label("unit", "mailmon.service")
    ('Alerts via phone', 'mailmon.service')
    """
    return _OWN_LABELS[kind].format(name)


def explain_quiet(quiet: Quiet, now: datetime) -> str:
    """Return in words why no alert was sent."""
    if quiet.reason in _COUNTED_RUNS:
        silenced = f" (silenced until {short_time(quiet.until, now)})" if quiet.until else ""
        return f"no alert yet: {_COUNTED_RUNS[quiet.reason]} {quiet.runs} of {quiet.threshold}{silenced}"
    match quiet.reason:
        case QuietReason.SENT:
            sent = f"alert already sent{f' at {short_time(quiet.at, now)}' if quiet.at else ''}"
            return f"{sent}, reminder due at {short_time(quiet.until, now)}" if quiet.until else sent
        case QuietReason.SILENCED:
            until = f" until {short_time(quiet.until, now)}" if quiet.until else ""
            return f'silenced{until} (silence "{quiet.by}")'
        case QuietReason.SILENCE_ENDED:
            return "silence ended: alert due in the next run"
        case QuietReason.NO_CHANNEL:
            return f"no alert: no channel for severity {quiet.by}" if quiet.by else "no alert: no channel configured"
        case QuietReason.NO_OTHER_CHANNEL:
            return "no alert: no other channel is configured"
        case QuietReason.NO_NETWORK:
            return "no alert: no network"
        case QuietReason.SKIPPED:
            return quiet.by or "skipped"
    return f"no alert: {quiet.reason}"


def explain(step_id: str, state: CheckState, outbox: Iterable[OutboxEntry], now: datetime) -> str:
    """Return in words what became of the alert about a step, "" where it is healthy and nothing waits."""
    waiting = {
        entry.channel: entry.error for entry in outbox if any(change.id == step_id for change in entry.alert.changes)
    }
    if waiting:
        return _pending(waiting)
    quiet = state.quiet
    if quiet:  # a reminder and a skipped step have their own place beside it
        if quiet.reason == QuietReason.SKIPPED:
            return ""
        return explain_quiet(quiet._replace(until=None) if quiet.reason == QuietReason.SENT else quiet, now)
    is_known = state.announced.health not in (Health.NEW, Health.UP) or state.announced.unknown_since
    return f"alert sent at {short_time(state.announced.at, now)}" if is_known and state.announced.at else ""


def conclude(result: RunResult) -> str:
    """Return the line that ends a run: `4 ok, 1 failed · no alert yet: failure 1 of 2`."""
    found = [step.status for step in result.steps]
    counted = (
        ", ".join(f"{found.count(status)} {status}" for status in _COUNTED if status in found) or "nothing to check"
    )
    said = [*_alerts_said(result), *_quiet_said(result), *_not_due_said(result)]
    return f"{counted} · {'; '.join(said)}" if said else counted


def _not_due_said(result: RunResult) -> list[str]:
    """Return what is not healthy and was not due: `1 not due (Web page (shop) failing since 17:10 +0000)`."""
    steps = [
        f"{label} {'warning' if state.health is Health.DEGRADED else 'failing'} since "
        f"{short_time(state.since, result.finished_at)}"
        for label, state in result.not_due.items()
    ]
    return [f"{len(steps)} not due ({_listed(steps, MAX_LABELS)})"] if steps else []


def _alerts_said(result: RunResult) -> list[str]:
    """Return what became of the alerts of a run, the sent ones first."""
    if result.previews:
        return ["dry run: alert not sent"]
    sent = [line.channel for line in result.alerts if line.status == "sent"]
    waiting = {line.channel: line.error for line in result.alerts if line.status == "pending"}
    dropped = [line.channel for line in result.alerts if line.status == "dropped"]
    return [
        *([f"alert sent to {join_words(list(dict.fromkeys(sent)))}"] if sent else []),
        *([_pending(waiting)] if waiting else []),
        *([f"alert dropped: {join_words(list(dict.fromkeys(dropped)))} is not configured"] if dropped else []),
    ]


def _quiet_said(result: RunResult) -> list[str]:
    """Return the reasons for no alert, each with its steps where not all have the same."""
    alerted = {step_id for line in result.alerts for step_id in line.about}
    reasons: dict[str, list[str]] = {}
    for step_id, quiet in result.quiet.items():
        if step_id not in alerted and quiet.reason != QuietReason.SKIPPED:
            reasons.setdefault(explain_quiet(quiet, result.finished_at), []).append(step_id)
    is_clear = len(reasons) == 1 and not alerted
    said = [words if is_clear else f"{words} ({_listed(ids, MAX_LABELS)})" for words, ids in reasons.items()]
    return [*said[:MAX_LABELS], f"and {len(said) - MAX_LABELS} more reasons"] if len(said) > MAX_LABELS + 1 else said


def _pending(errors: Mapping[str, str]) -> str:
    """Return which alerts wait: `alert pending for ntfy: no answer within 10 s`."""
    words = [f"{channel}: {error}" if error else channel for channel, error in errors.items()]
    return f"alert pending for {'; for '.join(words)}"

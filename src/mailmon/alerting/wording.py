"""In which words does a person hear of it? Subject first: which server, what, since when, the evidence, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from mailmon.mail.localtime import local
from mailmon.model import Alert, AlertKind, Change, Health, News, OpenProblem
from mailmon.text import count, fit_characters, format_duration, join_words

MAX_CAUSES = 12
MAX_NOTES = 12
MAX_NAMES = 12
MAX_TITLE = 120
MAX_LABELS = 2
MAX_ADVICE = 3
# Of a title's characters so many at least for good news that stand behind what is still failing.
_MIN_NEWS = 40

COULD_NOT, WARNED = "could not be checked", "warned"
FAILED, RECOVERED = "failed", "recovered"

_PLURALS = {"works": "work", "sees": "see", "has": "have", "is": "are", "warns": "warn"}
_PROBLEMS = (Health.DOWN, Health.FAILING)
_WARNINGS = (Health.DEGRADED, Health.UNKNOWN)


class _Rank:
    """What a person must read first: new before old, failures before warnings, and both before good news.

    Numbers: an enumeration takes half a millisecond of every start.
    """

    FAILURE = 0
    # Known to fail, and news all the same: for another reason, for other readers, or seen again.
    OTHER_FAILURE = 1
    WARNING = 2
    OTHER_WARNING = 3
    OLD_FAILURE = 4
    OLD_WARNING = 5
    PARTLY_ENDED = 6
    ENDED = 7


_GOOD_NEWS = (_Rank.PARTLY_ENDED, _Rank.ENDED)


class _Group(NamedTuple):
    """Flips that have one cause: the same happened, for the same reason, at the same place."""

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
        """Say whether one reason holds for all; else each has its own, with figures that are nobody else's."""
        return len({change.reason for change in self.changes}) == 1

    @property
    def names(self) -> str:
        """Return what the flips are about, behind their label: ` (office)`, ` for 3 accounts`."""
        subjects = [change.subject for change in self.changes if change.subject]
        if len(self.changes) > 1:
            return f" for {count(len(self.changes), self.first.kind)}"
        return f" ({subjects[0]})" if subjects else ""


def compose(
    changes: Sequence[Change], now: datetime, alert_id: str, open_problems: Sequence[OpenProblem] = ()
) -> Alert | None:
    """Return the one alert for these flips, None without any.

    `standing` is what is not well and stands in no flip: good news alone must not read as an all-clear.
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
    """Say whether flips tell of ends only, so that what has not ended must be told with them."""
    return all(_Group((change,)).rank in _GOOD_NEWS for change in changes)


def _grouped(changes: Iterable[Change]) -> list[_Group]:
    """Put flips together that one cause explains, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        what = (change.label, change.target, change.before, change.after, change.news, change.causes or change.reason)
        when = (change.since, change.at, change.history)
        groups.setdefault((*what, *when), []).append(change)
    return [_Group(tuple(members)) for members in groups.values()]


def _title(groups: Sequence[_Group], open_problems: Sequence[OpenProblem], now: datetime) -> str:
    """Say in the first words which server, what, and since when: a phone at night shows little more.

    What is still failing stands before the good news, and is never what is cut.
    """
    news = _news(groups, now)
    named = [one for one in open_problems if one.label]
    if others := len(open_problems) - len(named):
        others_said = f" ({count(others, 'other check')} not well)"
        news = f"{fit_characters(news, MAX_TITLE - len(others_said))}{others_said}"
    if not named:
        return fit_characters(news, MAX_TITLE)
    first, where = named[0], _host(groups[0].first.target)
    alike = [one for one in named if _host(one.target) == _host(first.target) and one.verb == first.verb]
    more = f" (and {len(named) - len(alike)} more)" if len(named) > len(alike) else ""
    place = f"{_host(first.target)}: " if first.target else ""
    said = f"{place}{_listed([one.called for one in alike], MAX_LABELS)} {first.verb}{more}, "
    if first.target and where == _host(first.target):
        news = news.removeprefix(f"{groups[0].first.target}: ").removeprefix(f"{where}: ")
    return fit_characters(f"{fit_characters(said, MAX_TITLE - _MIN_NEWS)}{news}", MAX_TITLE)


def _news(groups: Sequence[_Group], now: datetime) -> str:
    """Tell of the first group and those like it, count the others of its sort, and name or count those of others."""
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
    what = f"{join_words([*labels[:MAX_LABELS], *unnamed])}{names} {_verb(first, many=len(labels) > 1)} {at}"
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
    """Return the paragraph that names what is still not well."""
    named = [one for one in open_problems if one.label]
    lines = [
        f"{one.called}: {one.verb}{f' since {_clock(one.since, now)}' if one.since else ''}"
        f"{f': {one.reason}' if one.reason else ''}"
        for one in named[:MAX_NAMES]
    ]
    lines += [f"and {len(named) - MAX_NAMES} more"] if len(named) > MAX_NAMES else []
    return ["\n".join(lines)] if lines else []


def _verb(change: Change, *, many: bool = False) -> str:
    works = _plural(change.works) if many else change.works
    fails = "failing" if change.failed == FAILED and change.kind != "unit" else change.failed
    if change.news is not News.CHANGE:
        words = "warns" if change.after is Health.DEGRADED else fails
        return f"still {_plural(words) if many else words}"
    match change.after:
        case Health.UP:
            return f"{_trouble(change)} and {works}" if change.history else works
        case Health.DEGRADED if change.before is Health.DOWN:
            return f"{works} with a warning"
        case Health.DEGRADED:
            return "warn" if many else "warns"
        case Health.UNKNOWN:
            return "cannot be checked"
        case _:
            return _plural(fails) if many else fails


def _trouble(change: Change) -> str:
    """Say what people never heard of, by its worst: `failed`, `failed 3 times`, `warned`, `could not be checked`."""
    past = [step.after for step in change.history]
    for health, words in ((Health.DOWN, change.failed), (Health.UNKNOWN, COULD_NOT), (Health.DEGRADED, WARNED)):
        if health in past:
            times = past.count(health)
            often = "again and again" if change.more and times > 1 else f"{times} times"
            return f"{words} {often}" if times > 1 else words
    return change.failed


def _plural(words: str) -> str:
    verb, space, rest = words.partition(" ")
    return f"{_PLURALS.get(verb, verb)}{space}{rest}".replace(" its ", " their ")


def _when(change: Change, now: datetime) -> str:
    if change.after is not Health.UP or len(change.history) > 1:
        return f"{_since_or_at(change)} {_clock(change.at, now)}"
    lasted = f"after {format_duration(max((change.at - change.since).total_seconds(), 0.0))}"
    return f"{lasted} (from {_clock(change.since, now)} to {_clock(change.at, now)})" if change.history else lasted


def _since_or_at(change: Change) -> str:
    """Return what stands before the time of a change: a recovery is a moment, all else goes on."""
    is_end = change.works == RECOVERED and _Group((change,)).rank in _GOOD_NEWS
    return "at" if is_end else "since"


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
    """Return the reason of all, or each one's own below each other: a figure is never told of somebody else."""
    if group.is_joint:
        return [f"{head}: {group.first.reason}"] if group.first.reason else []
    lines = [f"{change.subject or change.id}: {change.reason}" for change in group.changes[:MAX_NAMES]]
    lines += [f"and {len(group.changes) - MAX_NAMES} more"] if len(group.changes) > MAX_NAMES else []
    return [f"{head.rstrip(':')}:", *lines]


def _recovered(change: Change, now: datetime) -> str:
    ended = f"{change.works} {_since_or_at(change)} {_clock(change.at, now)}"
    return f"{_story(change, now)}, {ended}" if change.history else f"{ended}, {_when(change, now)}"


def _since(change: Change, now: datetime) -> str:
    if change.news is not News.CHANGE:
        lasted = format_duration(max((now - change.since).total_seconds(), 0.0))
        state = "Warning" if change.after is Health.DEGRADED else "Failing"
        return f"{state} for {lasted} (since {_clock(change.since, now)})."
    earlier = f" Before: {_story(change, now)}." if change.history else ""
    if change.before is Health.DOWN and change.after is Health.DEGRADED and not change.history:
        earlier = f" It was down for {format_duration(max((change.at - change.since).total_seconds(), 0.0))}."
    return f"Since {_clock(change.at, now)}.{earlier}"


def _story(change: Change, now: datetime) -> str:
    """Tell what people never heard of: `failed at 02:10, recovered at 02:40`."""
    words = {Health.UP: change.works, Health.DEGRADED: WARNED, Health.UNKNOWN: COULD_NOT}
    steps = [f"{words.get(past.after, change.failed)} at {_clock(past.at, now)}" for past in change.history]
    if change.more:
        steps.insert(1, f"changed {change.more} times more")
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


def _clock(at: datetime, now: datetime) -> str:
    """Return local time with its offset, as a person at night wants it; the date where it was another day."""
    here = local(at)
    is_today = here.date() == local(now).date()
    return f"{here:%H:%M %z}" if is_today else f"{here:%Y-%m-%d %H:%M %z}"

"""In which words does a person hear of it? Subject first: which server, what, since when, the evidence, what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from mailmon.mail.text import count, fit_characters, format_duration, join_words
from mailmon.model import Alert, AlertKind, Flip, Health, News

MAX_CAUSES = 12
MAX_NOTES = 12
MAX_NAMES = 12
MAX_TITLE = 120
MAX_LABELS = 2

COULD_NOT, WARNED = "could not be checked", "warned"

_PLURALS = {"works": "work", "sees": "see", "has": "have", "is": "are", "warns": "warn", "fails": "fail"}
_PROBLEMS = (Health.DOWN, Health.FAILING)
_WARNINGS = (Health.DEGRADED, Health.UNKNOWN)


class _Group(NamedTuple):
    """Flips that have one cause: the same happened, for the same reason, at the same place."""

    flips: tuple[Flip, ...]

    @property
    def first(self) -> Flip:
        return self.flips[0]

    @property
    def names(self) -> str:
        """Return what the flips are about, behind their label: ` (office)`, ` for 3 accounts`."""
        subjects = [flip.subject for flip in self.flips if flip.subject]
        if len(self.flips) > 1:
            return f" for {count(len(self.flips), self.first.kind)}"
        return f" ({subjects[0]})" if subjects else ""


def compose(flips: Sequence[Flip], now: datetime, alert_id: str) -> Alert | None:
    """Return the one alert for these flips, None without any."""
    if not flips:
        return None
    groups = _grouped(flips)
    problems = [group for group in groups if group.first.after in _PROBLEMS]
    warnings = [group for group in groups if group.first.after in _WARNINGS]
    ended = [group for group in groups if group not in problems and group not in warnings]
    kind = AlertKind.PROBLEM if problems else AlertKind.WARNING if warnings else AlertKind.RECOVERY
    ordered = [*problems, *warnings, *ended]
    paragraphs = [_paragraph(group, now) for group in ordered[:MAX_CAUSES]]
    if len(ordered) > MAX_CAUSES:
        paragraphs.append(f"and {len(ordered) - MAX_CAUSES} more")
    title = fit_characters(_title(problems or warnings or ended, now), MAX_TITLE)
    thread = next((flip.alert for flip in flips if flip.alert not in ("", alert_id)), "")
    return Alert(alert_id, kind, title, "\n\n".join(paragraphs), now, tuple(flips), thread)


def _grouped(flips: Iterable[Flip]) -> list[_Group]:
    """Put flips together that one cause explains, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[Flip]] = {}
    for flip in flips:
        what = (flip.label, flip.target, flip.before, flip.after, flip.news, flip.causes or flip.reason)
        when = (flip.since, flip.at, flip.history)
        groups.setdefault((*what, *when), []).append(flip)
    return [_Group(tuple(members)) for members in groups.values()]


def _title(leading: Sequence[_Group], now: datetime) -> str:
    """Say in the first words which server, what, and since when: a phone at night shows little more."""
    first = leading[0].first
    alike = [g for g in leading if _host(g.first.target) == _host(first.target) and _verb(g.first) == _verb(first)]
    where = first.target if len({group.first.target for group in alike}) == 1 else _host(first.target)
    names = leading[0].names if all(group.names == leading[0].names for group in alike) else ""
    labels = list(dict.fromkeys(group.first.label for group in alike))
    unnamed = [count(len(labels) - MAX_LABELS, "more check")] if len(labels) > MAX_LABELS else []
    listed = [*labels[:MAX_LABELS], *unnamed]
    more = f" (and {len(leading) - len(alike)} more)" if len(leading) > len(alike) else ""
    what = f"{join_words(listed)}{names} {_verb(first, many=len(labels) > 1)} {_when(first, now)}{more}"
    evidence = _evidence(first)
    if len({_evidence(group.first) for group in alike}) > 1:
        evidence = f"{first.label}: {evidence}"
    return f"{f'{where}: ' if where else ''}{what}{f': {evidence}' if evidence else ''}"


def _verb(flip: Flip, *, many: bool = False) -> str:
    works = _plural(flip.works) if many else flip.works
    if flip.news is not News.CHANGE:
        words = "warns" if flip.after is Health.DEGRADED else "fails" if flip.failed == "failed" else flip.failed
        return f"still {_plural(words) if many else words}"
    match flip.after:
        case Health.UP:
            return f"{_trouble(flip)} and {works}" if flip.history else works
        case Health.DEGRADED if flip.before is Health.DOWN:
            return f"{works} with a warning"
        case Health.DEGRADED:
            return "warn" if many else "warns"
        case Health.UNKNOWN:
            return "cannot be checked"
        case _:
            return flip.failed


def _trouble(flip: Flip) -> str:
    """Say what people never heard of, by its worst: `failed`, `failed 3 times`, `warned`, `could not be checked`."""
    past = [step.after for step in flip.history]
    for health, words in ((Health.DOWN, flip.failed), (Health.UNKNOWN, COULD_NOT), (Health.DEGRADED, WARNED)):
        if health in past:
            times = past.count(health)
            often = "again and again" if flip.more and times > 1 else f"{times} times"
            return f"{words} {often}" if times > 1 else words
    return flip.failed


def _plural(words: str) -> str:
    verb, space, rest = words.partition(" ")
    return f"{_PLURALS.get(verb, verb)}{space}{rest}".replace(" its ", " their ")


def _when(flip: Flip, now: datetime) -> str:
    if flip.after is not Health.UP or len(flip.history) > 1:
        return f"since {_clock(flip.at, now)}"
    lasted = f"after {format_duration(max((flip.at - flip.since).total_seconds(), 0.0))}"
    return f"{lasted} (from {_clock(flip.since, now)} to {_clock(flip.at, now)})" if flip.history else lasted


def _evidence(flip: Flip) -> str:
    """Return what came back, without the place that was said before."""
    if flip.after is Health.UP:
        return ""
    said = flip.reason.removeprefix(f"{flip.target}: ")
    return f"now {said}" if flip.news is News.CAUSE else said


def _paragraph(group: _Group, now: datetime) -> str:
    flip = group.first
    subjects = [flip.subject or flip.id for flip in group.flips]
    listed = f" ({_listed(subjects, MAX_NAMES)})" if len(group.flips) > 1 else ""
    label = f"{flip.label}{group.names}{listed}"
    if flip.after is Health.UP:
        lines = [f"{label} {_recovered(flip, now)}."]
        lines += [f"It was: {flip.reason}"] if flip.reason else []
    else:
        lines = [f"{label}: {_now_reason(flip)}"]
        lines += [f"→ {flip.advice}"] if flip.advice else []
        lines += [_since(flip, now)]
    is_one = len(group.flips) == 1
    lines += _noted([note if is_one else f"{f.subject}: {note}" for f in group.flips for note in f.notes])
    return "\n".join(lines)


def _recovered(flip: Flip, now: datetime) -> str:
    if flip.history:
        return f"{_story(flip, now)}, {flip.works} since {_clock(flip.at, now)}"
    return f"{flip.works} since {_clock(flip.at, now)}, {_when(flip, now)}"


def _now_reason(flip: Flip) -> str:
    return f"the cause is another one now: {flip.reason}" if flip.news is News.CAUSE else flip.reason


def _since(flip: Flip, now: datetime) -> str:
    if flip.news is not News.CHANGE:
        lasted = format_duration(max((now - flip.since).total_seconds(), 0.0))
        return f"Not well since {_clock(flip.since, now)}, for {lasted}."
    earlier = f" Before: {_story(flip, now)}." if flip.history else ""
    if flip.before is Health.DOWN and flip.after is Health.DEGRADED and not flip.history:
        earlier = f" It was down for {format_duration(max((flip.at - flip.since).total_seconds(), 0.0))}."
    return f"Since {_clock(flip.at, now)}.{earlier}"


def _story(flip: Flip, now: datetime) -> str:
    """Tell what people never heard of: `failed at 02:10, works again at 02:40`."""
    words = {Health.UP: flip.works, Health.DEGRADED: WARNED, Health.UNKNOWN: COULD_NOT}
    steps = [f"{words.get(past.after, flip.failed)} at {_clock(past.at, now)}" for past in flip.history]
    if flip.more:
        steps.insert(1, f"changed {flip.more} times more")
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
    local = at.astimezone()
    is_today = local.date() == now.astimezone().date()
    return f"{local:%H:%M %z}" if is_today else f"{local:%Y-%m-%d %H:%M %z}"

"""Options that select bounces by period, kind, class, reason, status and domain."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import click

from mailmon.app.setup import now as present
from mailmon.model.bounces import USUAL_KINDS, BounceFilter
from mailmon.text import parse_duration

F = TypeVar("F", bound=Callable[..., Any])
KINDS = (*USUAL_KINDS, "other")
_STATUS = re.compile(r"[245](\.\d{1,3}){0,2}", re.ASCII)

mask_option = click.option("--mask", is_flag=True, help="Hide addresses, domains, host names and subjects.")


def period_options(since: str | None = None) -> Callable[[F], F]:
    """Return a decorator that adds --since and --until to a command."""
    words = "Received at or after: 24h, 7d, 2026-03-01, 2026-03-01T12:00Z."

    def add(command: F) -> F:
        command = click.option("--until", metavar="WHEN", help="Received before; a date is included.")(command)
        return click.option("--since", metavar="WHEN", default=since, show_default=bool(since), help=words)(command)

    return add


def filter_options(command: F) -> F:
    """Add the options that select rows; `chosen` turns them into a filter."""
    options = (
        click.option(
            "--kind",
            "kinds",
            multiple=True,
            type=click.Choice([*KINDS, "all"]),
            help="Kind of message [default: all but other].",
        ),
        click.option(
            "--hard/--soft", "is_hard", default=None, help="Only permanent (hard) or only temporary (soft) bounces."
        ),
        click.option(
            "--reason", "reasons", multiple=True, metavar="WORD", help="Reason, for example userunknown; repeatable."
        ),
        click.option(
            "--status",
            "statuses",
            multiple=True,
            metavar="CODE",
            help="Enhanced status code, for example 5.1.1, 5.1 or 5; repeatable.",
        ),
        click.option("--domain", "domains", multiple=True, metavar="NAME", help="Domain of the recipient; repeatable."),
    )
    for option in options:
        command = option(command)
    return period_options()(command)


def chosen(
    *,
    since: str | None,
    until: str | None,
    kinds: tuple[str, ...],
    domains: tuple[str, ...],
    statuses: tuple[str, ...],
    reasons: tuple[str, ...],
    is_hard: bool | None,
) -> BounceFilter:
    """Return the filter given by the options. Raises click.UsageError."""
    for status in statuses:
        if not _STATUS.fullmatch(status):
            raise click.BadParameter(
                "must be an enhanced status code like 5.1.1, or its beginning: 5.1 or 5", param_hint="--status"
            )
    begin, end = period(since, until, present())
    return BounceFilter(
        begin,
        end,
        KINDS if "all" in kinds else kinds or USUAL_KINDS,
        tuple(domain.strip().rstrip(".").lower().rpartition("@")[2] for domain in domains),
        statuses,
        tuple(reason.lower() for reason in reasons),
        is_hard,
    )


def period(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the two times given by the options. Raises click.UsageError."""
    begin = instant(since, now, "--since") if since is not None else None
    end = instant(until, now, "--until", is_end=True) if until is not None else None
    if begin and begin >= (end or now):
        raise click.BadParameter(f"{since!r} is not before {until or 'now'!r}", param_hint="--since")
    return begin, end


def instant(text: str, now: datetime, option: str, *, is_end: bool = False) -> datetime:
    """Return the time, in UTC, of `24h` (that long ago), a date (its beginning, or its end) or a date with a time.

    Without an offset it is local time. Raises click.BadParameter.
    """
    words = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", words, re.ASCII):
            day = date.fromisoformat(words) + timedelta(days=1 if is_end else 0)
            return datetime.combine(day, time()).astimezone(UTC)
        if re.match(r"\d{4}-\d\d-\d\d[T ]", words, re.ASCII):
            return datetime.fromisoformat(words).astimezone(UTC)
        if words[-1:].isalpha():
            return now - timedelta(seconds=parse_duration(words))
    except (ValueError, OverflowError, OSError):
        pass
    raise click.BadParameter(
        f"{text!r} is not a duration (24h, 7d) or a date (2026-03-01, 2026-03-01T12:00Z)",
        param_hint=option,
    )

"""When is a person told of each check? What the check says, else what `defaults` say, else what is built in."""

from __future__ import annotations

from dataclasses import fields

from mailmon.config.check_options import CheckOptions
from mailmon.config.models import BouncesOptions, ChecksOptions
from mailmon.model import Policy
from mailmon.model.limits import BounceLimits
from mailmon.text import parse_duration

# One probe that is greylisted or late is no outage; a login that is refused will be refused again.
TWO_IN_A_ROW = ("send", "receive", "cleanup", "http")
FAILURE_THRESHOLDS = {
    check.name: 2 if check.name in TWO_IN_A_ROW else 1 for check in fields(ChecksOptions) if check.name != "defaults"
}
_BUILT_IN = Policy()


def policies(checks: ChecksOptions) -> dict[str, Policy]:
    """Return the policy of each check by its name."""
    return {name: _policy(name, getattr(checks, name), checks.defaults) for name in FAILURE_THRESHOLDS}


def bounce_limits(options: BouncesOptions) -> BounceLimits:
    """Return how many bounces are too many."""
    named = {
        "hard": options.max_hard,
        "soft": options.max_soft,
        "delayed": options.max_delayed,
        "feedback": options.max_complaints,
    }
    return BounceLimits(
        {name: limit for name, limit in named.items() if limit is not None},
        options.max_per_domain,
        {domain.lower(): limit for domain, limit in options.max_by_domain.items()},
        options.refusals,
    )


def _policy(name: str, own: CheckOptions, defaults: CheckOptions) -> Policy:
    return Policy(
        failure_threshold=own.failure_threshold or defaults.failure_threshold or FAILURE_THRESHOLDS[name],
        success_threshold=own.success_threshold or defaults.success_threshold or _BUILT_IN.success_threshold,
        unknown_threshold=own.unknown_threshold or defaults.unknown_threshold or _BUILT_IN.unknown_threshold,
        reminder_interval_s=_seconds(
            own.reminder_interval if own.reminder_interval is not None else defaults.reminder_interval
        ),
        channels=dict([*defaults.channels.items(), *own.channels.items()]),
    )


def _seconds(duration: float | str | None) -> float | None:
    """Return the seconds of a duration, None for none and for 0."""
    return (parse_duration(duration) if isinstance(duration, str) else duration) or None

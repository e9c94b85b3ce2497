"""Limits for a certificate's remaining time, relative to its whole lifetime.

A certificate of six days is renewed every three: fixed limits of weeks would report it from its first hour on. A
quarter of the lifetime is well past the time at which ACME clients renew (a third is left: RFC 9773 section 4.2 and
Let's Encrypt's advice), and a twelfth leaves a day or less only where renewals run several times a day.
"""

from __future__ import annotations

from typing import NamedTuple

MAX_WARNING_DAYS, MAX_ERROR_DAYS = 21.0, 7.0
_WARNING_SHARE, _ERROR_SHARE = 4, 12


class Lifetime(NamedTuple):
    """How long a certificate is valid in all, in days; infinite where that is not known.

    >>> Lifetime(90).warning_days, Lifetime(90).error_days, Lifetime(6).warning_days, Lifetime(6).error_days
    (21.0, 7.0, 1.5, 0.5)
    """

    days: float

    @property
    def warning_days(self) -> float:
        """Return the remaining days below which its end is a warning."""
        return min(MAX_WARNING_DAYS, max(self.days, 0.0) / _WARNING_SHARE)

    @property
    def error_days(self) -> float:
        """Return the remaining days below which its end is an error."""
        return min(MAX_ERROR_DAYS, max(self.days, 0.0) / _ERROR_SHARE)

    def wanted(self, limit_days: float) -> str:
        """Return in words what should be left; a limit that follows from the lifetime names that too.

        >>> Lifetime(6.667).wanted(Lifetime(6.667).warning_days), Lifetime(90).wanted(21)
        ('at least 1.67 days of 6.67', '>= 21 days')
        """
        if limit_days in (self.warning_days, self.error_days) and limit_days not in (MAX_WARNING_DAYS, MAX_ERROR_DAYS):
            return f"at least {round(limit_days, 2):g} days of {round(self.days, 2):g}"
        return f">= {limit_days:g} days"


def span(days: float) -> str:
    """Return a time in words, never more than it is; below two days in hours.

    >>> span(6.9), span(-1.5), span(0.05), span(0.01)
    ('6 days', '36 hours', '1 hour', 'less than an hour')
    """
    hours = int(abs(days) * 24)
    if hours < 2:
        return "1 hour" if hours else "less than an hour"
    return f"{int(abs(days))} days" if abs(days) >= 2 else f"{hours} hours"

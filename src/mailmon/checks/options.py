"""Options that every check has, and the parts that several checks have in common."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.typedjson.declare import About, Between, Duration, Matching, Name, options

Runs = Annotated[int, Between(1, 1000)]
DeliveryLimit = Annotated[float, Between(0.01, 3600)]
Ids = Annotated[str, Matching(r"[a-z0-9_.*]{1,80}", "a finding's id, like tls.no_tls13 or dns.*")]

_Days = Annotated[float, Between(0, 365)]
CertificateDays = Annotated[
    _Days | None,
    About("Warn when a certificate has fewer days left; by default a quarter of its lifetime, at most 21"),
]
CriticalDays = Annotated[
    _Days | None,
    About("Count a certificate as failed when it has fewer days left; by default a twelfth of its lifetime, at most 3"),
]


@options
class CheckOptions:
    """When a check alerts. Thresholds count consecutive runs."""

    # Every option of every check has a default, for a configuration that does not name the check.

    # Keys, here or in a table of these options, that decide which program runs: refused where others may write the
    # configuration.
    COMMANDS: ClassVar[tuple[str, ...]] = ()

    failure_threshold: Annotated[Runs | None, About("Consecutive failed runs before an alert")] = None
    success_threshold: Annotated[Runs | None, About("Consecutive good runs before a recovery")] = None
    unknown_threshold: Annotated[Runs | None, About("Consecutive inconclusive runs before an alert")] = None
    reminder_interval: Annotated[
        Duration | None,
        About("Repeat the alert of a lasting failure after this time, like 6h; 0 or unset: never"),
    ] = None
    channels: Annotated[
        dict[Literal["critical", "error", "warning"], tuple[Name, ...]],
        About("Channels by severity; a severity that is not named goes to all channels"),
    ] = field(default_factory=dict)


@options
class LoginOptions(CheckOptions):
    """The login of an account."""

    certificate_days: CertificateDays = None
    certificate_critical_days: CriticalDays = None

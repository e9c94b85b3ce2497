"""What can be said of every check? When a person is told of it."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from mailmon.typedjson.declare import About, Between, Lasting, Name, options

Runs = Annotated[int, Between(1, 1000)]
Duration = Annotated[float | str, Lasting(366 * 86400)]

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
    """When a person is told of a check. Thresholds count runs in a row."""

    failure_threshold: Annotated[Runs | None, About("Failed runs in a row that make an alert")] = None
    success_threshold: Annotated[Runs | None, About("Good runs in a row that make a recovery")] = None
    unknown_threshold: Annotated[Runs | None, About("Runs in a row that could not tell, after which that is told")] = (
        None
    )
    reminder_interval: Annotated[
        Duration | None, About("Time after which a failure that lasts is told again, like 6h; 0 and by default: never")
    ] = None
    channels: Annotated[
        dict[Literal["critical", "error", "warning"], tuple[Name, ...]],
        About("Channels by severity; a severity that is not named goes to all channels"),
    ] = field(default_factory=dict)

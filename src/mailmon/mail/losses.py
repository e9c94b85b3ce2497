"""What became of the mail that was sent while a route was down? In the words of its recovery."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from mailmon.mail.localtime import local
from mailmon.model import Fate, Probe
from mailmon.text import format_duration


def losses(probes: Iterable[Probe], route: str, since: datetime) -> tuple[str, ...]:
    """Return what was late, lost or came back of a route's probes since a time, oldest first."""
    asked = [probe for probe in probes if probe.route == route and probe.planned_at >= since and probe.accepted_at]
    return tuple(words for probe in sorted(asked, key=lambda p: p.planned_at) if (words := fate_words(probe)))


def fate_words(probe: Probe) -> str:
    """Say what became of one probe, "" when it came in time."""
    when = f"the probe of {local(probe.planned_at):%Y-%m-%d %H:%M %z}"
    match probe.fate:
        case Fate.LATE:
            took_s = ((probe.settled_at or probe.planned_at) - (probe.accepted_at or probe.planned_at)).total_seconds()
            # The server tells the second in which it came, by a clock of its own: never earlier than it was missed.
            if probe.waited_s and took_s <= probe.waited_s:
                return f"{when} arrived late, after more than {format_duration(probe.waited_s)}"
            return f"{when} arrived late{f', after {format_duration(took_s)}' if took_s > 0 else ''}"
        case Fate.LOST:
            return f"{when} is lost: {probe.standing}, not seen for a day"
        case Fate.BOUNCED:
            return f"{when} bounced: {probe.detail}"
        case Fate.WAITING:
            return f"{when} has not arrived yet{f'; delayed: {probe.detail}' if probe.detail else ''}"
        case _:
            return ""

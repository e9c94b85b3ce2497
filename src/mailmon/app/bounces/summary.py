"""The figures of a period, compared with the period before, and sent to the alert channels."""

from __future__ import annotations

import time
from datetime import datetime

from mailmon.app.bounces.log import Warn, ignore, open_log
from mailmon.bounces.trends import TOP, earlier, summarize
from mailmon.clients.deadline import Deadline
from mailmon.config import Setup
from mailmon.errors import ConfigError, UsageError
from mailmon.model import Alert, AlertKind, OutboxEntry
from mailmon.model.bounces import Summary
from mailmon.model.run import AlertLine
from mailmon.render.bounces import masked_summary, summary_lines, summary_title
from mailmon.run.delivery import DeliveryContext, deliver

SEND_S = 60.0


def summary(
    setup: Setup,
    since: datetime,
    until: datetime,
    top: int = TOP,
    *,
    is_masked: bool = False,
    warn: Warn = ignore,
) -> Summary:
    """Return the figures from `since` on, before `until`, and those of the same time before.

    Raises UsageError where that would begin before year 1, StateError.
    """
    try:
        before = earlier(since, until)
    except OverflowError as exc:
        raise UsageError("the previous period would begin before year 1") from exc
    with open_log(setup, warn) as reader:
        figures = summarize(reader.figures(since, until), reader.figures(before, since), since, until, top)
    return masked_summary(figures) if is_masked else figures


def send(setup: Setup, figures: Summary, now: datetime) -> list[AlertLine]:
    """Send the figures to all channels, with the attempts of an alert; what is refused is not kept for later.

    Raises ConfigError without a channel.
    """
    channels = setup.channels
    if not channels:
        raise ConfigError(
            "bounces summary",
            ["no alert channel configured"],
            "Set ntfy_topic, or add a channel under `notify`: docs/channels.md.",
        )
    # The same period has the same id: a receiver can recognise a repetition.
    number = f"bounces-{figures.since:%Y%m%dT%H%M}-{figures.until:%Y%m%dT%H%MZ}"
    alert = Alert(number, AlertKind.REPORT, summary_title(figures), "\n".join(summary_lines(figures)), now)
    context = DeliveryContext(channels, Deadline(SEND_S), time.sleep, now)
    _, lines = deliver([OutboxEntry(alert, name) for name in channels], context, lambda _entry: None)
    return lines

"""Alerts and channels for the tests of notifiers, and what none of them may ever say."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from mailmon.clients.account import Account
from mailmon.errors import DeliveryError
from mailmon.model import Alert, AlertKind, Change, Health, Secret
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import AnyChannel, Channel, ChannelOptions, Credentials

NOON = datetime(2026, 1, 2, 12, 0, 5, tzinfo=UTC)
ALERT_ID = "20260102T120005Z-abc123"
NASTY = "550 <b>no</b> @everyone **bold** & \"quoted\" 'x'\r\nBcc: eve@example.net\n\n→ Do this.\x1b[31m 🚨 grün"
SENTINEL = "s3ntinel-Value-77"


def change(after: Health = Health.DOWN, *names: str) -> Change:
    """Return a change of health about these accounts and routes."""
    return Change(
        "smtp_auth:main", Health.UP, after, NOON, NOON, "535 5.7.8 no", names=names, label="SMTP login of main"
    )


def alert(
    kind: AlertKind = AlertKind.PROBLEM,
    *changes: Change,
    title: str = "SMTP login of main failed: mail.example.org:587",
    body: str = NASTY,
    alert_id: str = ALERT_ID,
    thread: str = "",
) -> Alert:
    """Return an alert with words in it that could do harm."""
    return Alert(alert_id, kind, title, body, NOON, changes, thread)


def channel(options: ChannelOptions, *accounts: Account, name: str = "", **secrets: str) -> AnyChannel:
    """Return a channel with these credentials."""
    values = {key: Secret(value) for key, value in secrets.items()}
    return Channel(name or options.type, options, Credentials(values), accounts)


def send(to: AnyChannel, given: Alert | None = None, timeout_s: float = 5.0) -> str:
    """Send an alert through a channel."""
    return NOTIFIERS[to.options.type].send(given or alert(), to, timeout_s)


def refusal(to: AnyChannel, given: Alert | None = None, timeout_s: float = 5.0) -> DeliveryError:
    """Return how a channel did not take an alert."""
    with pytest.raises(DeliveryError) as caught:
        send(to, given, timeout_s)
    return caught.value


def said_by(error: DeliveryError) -> str:
    """Return all that a person sees of an error."""
    return f"{error.message} {error.advice} {error!r} {error}"


def took_s(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    started_s = time.monotonic()
    work()
    return time.monotonic() - started_s

"""A kind of channel that takes or refuses alerts as a test says."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.errors import DeliveryError
from mailmon.model import Alert
from mailmon.notify.channel import AnyChannel, Channel, ChannelOptions, Credentials, Notifier
from mailmon.run import delivery
from mailmon.run.delivery import DeliveryContext
from tests.alerting.sequences import START

BROKEN = DeliveryError("phone: answered 500")
REFUSED = DeliveryError("phone: answered 403.", "Check the token.", is_permanent=True)
Answer = Exception | Callable[[], None] | None


class FakeChannels:
    """Channels that answer what they were told to; without an answer they take it. `always` answers for ever."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)
        self.always: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.taken: list[tuple[str, Alert]] = []
        self.slept: list[float] = []
        self._lock = threading.Lock()
        monkeypatch.setattr(delivery, "NOTIFIERS", {"fake": Notifier("fake", ChannelOptions, self._send)})

    def context(self, *names: str, seconds: float = 60.0) -> DeliveryContext:
        """Return what deliveries need, with these channels; `seconds` are left."""
        channels = {name: fake_channel(name) for name in names or ("phone",)}
        return DeliveryContext(channels, Deadline(seconds), self.slept.append, START)

    def taken_by(self, name: str) -> list[Alert]:
        """Return what a channel has taken."""
        return [alert for taker, alert in self.taken if taker == name]

    def _send(self, alert: Alert, to: Channel[ChannelOptions], timeout_s: float) -> str:
        assert 0 < timeout_s <= delivery.ATTEMPT_S
        with self._lock:
            self.asked.append(to.name)
            answer = self.answers[to.name].pop(0) if self.answers[to.name] else self.always.get(to.name)
        if isinstance(answer, Exception):
            raise answer
        if answer:
            answer()
        with self._lock:
            self.taken.append((to.name, alert))
        return "took it"


def fake_channel(name: str) -> AnyChannel:
    """Return a channel of that kind."""
    return Channel(name, ChannelOptions(type="fake"), Credentials({}))

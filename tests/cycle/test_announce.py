"""Does every alert wait until its channel has acknowledged it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from mailmon.clients.deadline import Deadline
from mailmon.cycle.announce import MAX_ENTRIES, deliver, enqueue
from mailmon.cycle.report import AlertLine
from mailmon.errors import DeliveryError
from mailmon.model import Alert, AlertKind, OutboxEntry, Secret
from mailmon.notify import NOTIFIERS
from mailmon.notify.channel import Channel, ChannelOptions, Credentials, Notifier

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BROKEN = DeliveryError("phone: answered 500")
REFUSED = DeliveryError("phone: answered 403", "Check the token.", is_permanent=True)


def alert(alert_id: str) -> Alert:
    return Alert(alert_id, AlertKind.PROBLEM, f"alert {alert_id}", "body", NOON)


def entry(alert_id: str, channel: str = "phone", runs: int = 0) -> OutboxEntry:
    return OutboxEntry(alert(alert_id), channel, runs)


class Exchange:
    """Channels that take or refuse what they get, as their answers say; without an answer they take it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[DeliveryError | None]] = {}
        self.taken: list[tuple[str, str]] = []
        self.asked = 0
        self.slept: list[float] = []
        self.remembered: list[list[str]] = []
        monkeypatch.setitem(NOTIFIERS, "fake", Notifier("fake", ChannelOptions, self._send))

    def _send(self, given: Alert, options: ChannelOptions, credentials: Credentials, timeout_s: float) -> str:
        self.asked += 1
        assert 0 < timeout_s <= 10
        channel = credentials.values["name"].value
        answer = self.answers[channel].pop(0) if self.answers.get(channel) else None
        if answer:
            raise answer
        self.taken.append((channel, given.id))
        return "took it"

    def deliver(
        self, outbox: Sequence[OutboxEntry], *names: str, seconds: float = 60.0
    ) -> tuple[list[OutboxEntry], list[AlertLine]]:
        def remember(left: Sequence[OutboxEntry]) -> None:
            self.remembered.append([waiting.alert.id for waiting in left])

        channels = {name: channel(name) for name in names or ("phone",)}
        return deliver(outbox, channels, Deadline(seconds), self.slept.append, remember)


def channel(name: str) -> Channel:
    options: Any = ChannelOptions(type="fake")
    return Channel(name, options, Credentials({"name": Secret(name)}))


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Exchange:
    return Exchange(monkeypatch)


def test_an_alert_is_put_behind_what_waits_for_every_channel() -> None:
    outbox = enqueue([entry("1")], alert("2"), {"phone": channel("phone"), "team": channel("team")})
    assert [(e.alert.id, e.channel) for e in outbox] == [("1", "phone"), ("2", "phone"), ("2", "team")]


def test_without_an_alert_the_outbox_stays_as_it_is() -> None:
    assert enqueue([entry("1")], None, {"phone": channel("phone")}) == [entry("1")]


def test_the_outbox_is_bounded_and_keeps_the_newest() -> None:
    outbox = enqueue([entry(str(n)) for n in range(MAX_ENTRIES)], alert("new"), {"phone": channel("phone")})
    assert (len(outbox), outbox[-1].alert.id) == (MAX_ENTRIES, "new")


def test_what_is_acknowledged_is_remembered_at_once(exchange: Exchange) -> None:
    left, lines = exchange.deliver([entry("1"), entry("2")])
    assert (left, [line.status for line in lines]) == ([], ["sent", "sent"])
    assert exchange.remembered == [["2"], []]


def test_a_channel_that_fails_keeps_its_alerts_in_their_order(exchange: Exchange) -> None:
    exchange.answers["phone"] = [BROKEN]
    left, lines = exchange.deliver([entry("1"), entry("2")])
    assert [(e.alert.id, e.runs, e.error) for e in left] == [
        ("1", 1, "phone: answered 500"),
        ("2", 1, "the channel did not take an earlier alert"),
    ]
    assert (exchange.asked, [line.status for line in lines]) == (1, ["pending", "pending"])
    assert exchange.deliver(left)[0] == []
    assert exchange.taken == [("phone", "1"), ("phone", "2")]


def test_a_channel_that_fails_does_not_hold_up_another(exchange: Exchange) -> None:
    exchange.answers["phone"] = [BROKEN]
    left, _ = exchange.deliver([entry("1"), entry("1", "team"), entry("2"), entry("2", "team")], "phone", "team")
    assert exchange.taken == [("team", "1"), ("team", "2")]
    assert [(e.alert.id, e.channel) for e in left] == [("1", "phone"), ("2", "phone")]


def test_an_alert_that_was_refused_for_good_is_alarming(exchange: Exchange) -> None:
    exchange.answers["phone"] = [REFUSED]
    left, (line,) = exchange.deliver([entry("1")])
    assert (line.status, line.is_alarming, left[0].refused) == ("pending", True, True)
    assert line.error == "phone: answered 403 Check the token."


@pytest.mark.parametrize(("runs", "is_alarming"), [(0, False), (1, False), (2, True), (7, True)])
def test_an_alert_that_waits_for_three_runs_is_alarming(exchange: Exchange, runs: int, is_alarming: bool) -> None:
    exchange.answers["phone"] = [BROKEN]
    left, (line,) = exchange.deliver([entry("1", runs=runs)])
    assert (left[0].runs, line.is_alarming) == (runs + 1, is_alarming)


def test_an_alert_for_a_channel_that_was_removed_is_dropped(exchange: Exchange) -> None:
    left, lines = exchange.deliver([entry("1", "old"), entry("1")])
    assert (left, exchange.taken) == ([], [("phone", "1")])
    assert [(line.channel, line.status) for line in lines] == [("old", "dropped"), ("phone", "sent")]


def test_a_channel_that_asks_for_a_pause_is_asked_again_behind_it(exchange: Exchange) -> None:
    exchange.answers["phone"] = [DeliveryError("phone: answered 429", retry_after_s=2.5)]
    left, _ = exchange.deliver([entry("1")])
    assert (left, exchange.slept, exchange.taken) == ([], [2.5], [("phone", "1")])


@pytest.mark.parametrize(("retry_after_s", "seconds"), [(3600.0, 60.0), (9.5, 60.0), (2.0, 2.5)])
def test_a_pause_that_is_too_long_waits_for_the_next_run(
    exchange: Exchange, retry_after_s: float, seconds: float
) -> None:
    exchange.answers["phone"] = [DeliveryError("phone: answered 429", retry_after_s=retry_after_s)]
    left, _ = exchange.deliver([entry("1")], seconds=seconds)
    assert (len(left), exchange.slept) == (1, [])


def test_without_time_left_alerts_wait_for_the_next_run(exchange: Exchange) -> None:
    left, (line,) = exchange.deliver([entry("1")], seconds=0.1)
    assert (len(left), line.error, exchange.asked) == (1, "no time was left in this run", 0)


def test_a_word_of_a_server_about_an_older_refusal_is_not_forgotten(exchange: Exchange) -> None:
    exchange.answers["phone"] = [BROKEN]
    refused = entry("2")._replace(refused=True, error="phone: answered 413")
    left, lines = exchange.deliver([entry("1"), refused])
    assert (left[1].refused, left[1].error, lines[1].is_alarming) == (True, "phone: answered 413", True)


def test_an_alert_that_is_refused_for_good_does_not_hold_up_those_behind_it(exchange: Exchange) -> None:
    exchange.answers["phone"] = [DeliveryError("phone: answered 413", is_permanent=True)]
    left, _ = exchange.deliver([entry("1"), entry("2")])
    assert exchange.taken == [("phone", "2")]
    assert [waiting.alert.id for waiting in left] == ["1"]

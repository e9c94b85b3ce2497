"""Every alert is pending until its channel has acknowledged it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from mailmon.errors import ConfigError, DeliveryError
from mailmon.model import Alert, AlertKind, Change, Health, OutboxEntry
from mailmon.model.run import AlertLine
from mailmon.run.delivery import KEEP_GONE, DeliveryContext, deliver
from tests.alerting.sequences import START
from tests.run.fake_channels import BROKEN, REFUSED, FakeChannels

LEFT_ALONE = "the channel did not take an earlier alert"


def entry(alert_id: str, channel: str = "phone", runs: int = 0) -> OutboxEntry:
    return OutboxEntry(Alert(alert_id, AlertKind.PROBLEM, f"alert {alert_id}", "body", START), channel, runs)


def asked_for(seconds: float) -> DeliveryError:
    return DeliveryError("phone: answered 429", retry_after_s=seconds)


def send(outbox: Sequence[OutboxEntry], context: DeliveryContext) -> tuple[list[OutboxEntry], list[AlertLine]]:
    return deliver(outbox, context, lambda _: None)


def ids(entries: Sequence[OutboxEntry]) -> list[tuple[str, str]]:
    return [(waiting.channel, waiting.alert.id) for waiting in entries]


def test_what_is_acknowledged_is_reported_at_once_in_the_calling_thread(fake_channels: FakeChannels) -> None:
    told: list[tuple[str, threading.Thread]] = []
    left, lines = deliver(
        [entry("1"), entry("2")],
        fake_channels.context(),
        lambda sent: told.append((sent.alert.id, threading.current_thread())),
    )
    assert told == [("1", threading.main_thread()), ("2", threading.main_thread())]
    assert (left, [(line.id, line.status) for line in lines]) == ([], [("1", "sent"), ("2", "sent")])


def test_an_acknowledgement_is_reported_before_the_slower_channels_have_answered(fake_channels: FakeChannels) -> None:
    told = threading.Event()
    fake_channels.always["slow"] = lambda: fake_channels.slept.append(float(told.wait(5)))
    left, _ = deliver([entry("1", "slow"), entry("1")], fake_channels.context("slow", "phone"), lambda _: told.set())
    assert (left, fake_channels.slept) == ([], [1.0])


@pytest.mark.parametrize(("runs", "pauses"), [(0, [1.0, 3.0]), (1, [1.0]), (2, []), (3, []), (500, [])])
def test_a_channel_is_tried_several_times_at_first_and_never_less_than_once_a_run(
    fake_channels: FakeChannels, runs: int, pauses: list[float]
) -> None:
    fake_channels.always["phone"] = BROKEN
    left, (line,) = send([entry("1", runs=runs)], fake_channels.context())
    assert (len(fake_channels.asked), fake_channels.slept) == (1 + len(pauses), pauses)
    assert (left[0].runs, left[0].error, left[0].refused, line.status) == (runs + 1, BROKEN.message, False, "pending")


def test_a_channel_that_takes_it_at_the_second_attempt_has_taken_it(fake_channels: FakeChannels) -> None:
    fake_channels.answers["phone"] = [BROKEN]
    left, (line,) = send([entry("1")], fake_channels.context())
    assert (left, line.status, fake_channels.slept, len(fake_channels.taken)) == ([], "sent", [1.0], 1)


def test_a_channel_that_fails_keeps_its_alerts_in_their_order(fake_channels: FakeChannels) -> None:
    fake_channels.always["phone"] = BROKEN
    left, lines = send([entry("1"), entry("2")], fake_channels.context())
    assert [(e.alert.id, e.runs, e.error) for e in left] == [("1", 1, BROKEN.message), ("2", 1, LEFT_ALONE)]
    assert (len(fake_channels.asked), [line.status for line in lines]) == (3, ["pending", "pending"])
    fake_channels.always.clear()
    assert send(left, fake_channels.context())[0] == []
    assert [alert.id for alert in fake_channels.taken_by("phone")] == ["1", "2"]


def test_an_alert_that_is_refused_for_good_is_asked_once_and_is_alarming(fake_channels: FakeChannels) -> None:
    fake_channels.answers["phone"] = [REFUSED]
    left, lines = send([entry("1"), entry("2")], fake_channels.context())
    assert ids(left) == [("phone", "1")]
    assert (left[0].refused, left[0].error) == (True, "phone: answered 403. Check the token.")
    assert [(line.status, line.is_alarming) for line in lines] == [("pending", True), ("sent", False)]


def test_what_was_refused_is_tried_again_in_the_next_run(fake_channels: FakeChannels) -> None:
    left, (line,) = send(
        [entry("1", runs=7)._replace(refused=True, error="phone: answered 403")], fake_channels.context()
    )
    assert (left, line.status) == ([], "sent")


@pytest.mark.parametrize(("runs", "is_alarming"), [(0, False), (1, False), (2, True), (7, True)])
def test_an_alert_that_waits_for_three_runs_is_alarming(
    fake_channels: FakeChannels, runs: int, is_alarming: bool
) -> None:
    fake_channels.always["phone"] = BROKEN
    _, (line,) = send([entry("1", runs=runs)], fake_channels.context())
    assert line.is_alarming == is_alarming


def test_the_words_of_an_older_refusal_are_not_forgotten(fake_channels: FakeChannels) -> None:
    fake_channels.always["phone"] = BROKEN
    refused = entry("2")._replace(refused=True, error="phone: answered 413")
    left, lines = send([entry("1"), refused], fake_channels.context())
    assert (left[1].refused, left[1].error, lines[1].is_alarming) == (True, "phone: answered 413", True)


def test_what_waits_for_a_channel_that_was_removed_keeps_nothing_from_the_others(fake_channels: FakeChannels) -> None:
    left, lines = send([entry("1", "old"), entry("1")], fake_channels.context())
    assert ([e.channel for e in left], [taker for taker, _ in fake_channels.taken]) == (["old"], ["phone"])
    assert [(line.channel, line.status, line.error) for line in lines] == [
        ("old", "pending", "the channel is no longer configured"),
        ("phone", "sent", ""),
    ]


@pytest.mark.parametrize(
    ("told", "age", "status"),
    [
        (("old",), timedelta(), "pending"),
        (("old",), KEEP_GONE - timedelta(seconds=1), "pending"),
        (("old",), KEEP_GONE, "dropped"),
        (("old", "older"), timedelta(), "pending"),
        (("old", "phone"), timedelta(), "pending"),
    ],
)
def test_an_alert_for_a_channel_that_is_missing_waits_for_a_day(
    fake_channels: FakeChannels, told: tuple[str, ...], age: timedelta, status: str
) -> None:
    change = Change("send:main", Health.UP, Health.DOWN, START, START, "550 no", channels=told)
    missing = entry("1", "old")
    missing = missing._replace(alert=missing.alert._replace(changes=(change,), at=START - age))
    left, (line,) = send([missing], fake_channels.context())
    assert (line.status, left) == (status, [missing] if status == "pending" else [])
    assert (line.error, line.is_alarming) == ("the channel is no longer configured", False)


@pytest.mark.parametrize("asked_s", [0.0, 2.5, 8.5])
def test_a_short_pause_that_a_channel_asks_for_is_waited_for(fake_channels: FakeChannels, asked_s: float) -> None:
    fake_channels.answers["phone"] = [asked_for(asked_s)]
    left, _ = send([entry("1", runs=9)], fake_channels.context())
    assert (left, fake_channels.slept, len(fake_channels.taken)) == ([], [asked_s], 1)


def test_a_channel_that_asks_for_pauses_for_ever_is_not_asked_for_ever(fake_channels: FakeChannels) -> None:
    fake_channels.always["phone"] = asked_for(0.0)
    left, _ = send([entry("1")], fake_channels.context())
    assert (len(left), len(fake_channels.asked)) == (1, 4)


@pytest.mark.parametrize(("asked_s", "seconds"), [(3600.0, 60.0), (9.5, 60.0), (2.0, 2.5)])
def test_a_long_pause_is_for_the_next_run(fake_channels: FakeChannels, asked_s: float, seconds: float) -> None:
    fake_channels.answers["phone"] = [asked_for(asked_s)]
    left, (line,) = send([entry("1")], fake_channels.context(seconds=seconds))
    assert (fake_channels.slept, len(fake_channels.asked)) == ([], 1)
    assert (left[0].not_before, line.error) == (START + timedelta(seconds=asked_s), "phone: answered 429")


def test_a_channel_that_asked_for_a_pause_is_left_in_peace_until_it_is_over(fake_channels: FakeChannels) -> None:
    asking = entry("1")._replace(not_before=START + timedelta(minutes=40), error="phone: answered 429")
    (kept,), (line,) = send([asking], fake_channels.context())
    assert (fake_channels.asked, kept.not_before, kept.runs, kept.error) == (
        [],
        asking.not_before,
        1,
        "phone: answered 429",
    )
    assert line.status == "pending"
    due = kept._replace(not_before=START)
    assert send([due], fake_channels.context())[0] == []


def test_a_channel_that_hangs_keeps_no_alert_from_the_others(fake_channels: FakeChannels) -> None:
    release = threading.Event()
    fake_channels.always["stuck"] = lambda: fake_channels.slept.append(release.wait(10))
    started_s = time.monotonic()
    left, lines = send(
        [entry("1", "stuck"), entry("2", "stuck"), entry("1")], fake_channels.context("stuck", "phone", seconds=1)
    )
    release.set()
    assert time.monotonic() - started_s < 4
    assert ids(left) == [("stuck", "1"), ("stuck", "2")]
    assert [(line.channel, line.status) for line in lines] == [
        ("phone", "sent"),
        ("stuck", "pending"),
        ("stuck", "pending"),
    ]
    assert left[0].error == "no time was left in this run"


def test_a_channel_that_fails_keeps_no_alert_from_the_others(fake_channels: FakeChannels) -> None:
    fake_channels.always["phone"] = BROKEN
    left, _ = send(
        [entry("1"), entry("1", "team"), entry("2"), entry("2", "team")], fake_channels.context("phone", "team")
    )
    assert [alert.id for alert in fake_channels.taken_by("team")] == ["1", "2"]
    assert ids(left) == [("phone", "1"), ("phone", "2")]


def test_without_time_left_alerts_wait_for_the_next_run(fake_channels: FakeChannels) -> None:
    left, (line,) = send([entry("1")], fake_channels.context(seconds=0.1))
    assert (len(left), line.error, fake_channels.asked) == (1, "no time was left in this run", [])


def test_a_bug_in_a_channel_is_told_and_loses_no_alert(fake_channels: FakeChannels) -> None:
    fake_channels.always["phone"] = KeyError("s3ntinel-Value")
    left, (line,) = send([entry("1")], fake_channels.context())
    assert ids(left) == [("phone", "1")]
    assert line.error.startswith("a bug in mailmon: KeyError at ")
    assert "s3ntinel" not in line.error


def test_a_channel_that_is_not_installed_keeps_its_alerts(fake_channels: FakeChannels) -> None:
    fake_channels.always["phone"] = ConfigError("notify.phone", ["apprise is not installed"], "Install it.")
    left, _ = send([entry("1")], fake_channels.context())
    assert left[0].error == "notify.phone: apprise is not installed. Install it."


def test_nothing_to_send_asks_nobody(fake_channels: FakeChannels) -> None:
    assert send([], fake_channels.context()) == ([], [])
    assert fake_channels.asked == []

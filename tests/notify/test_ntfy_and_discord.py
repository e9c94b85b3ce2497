"""A repetition can be told from a second alert."""

from __future__ import annotations

import json

import pytest

from mailmon.notify.discord import DiscordOptions
from mailmon.notify.ntfy import NtfyOptions
from mailmon.sandbox.receiver import Receiver
from tests.notify.samples import ALERT_ID, alert, channel, refusal, send


def test_ntfy_gets_the_alerts_id_as_sequence_so_that_a_repetition_replaces_it(receiver: Receiver) -> None:
    to = channel(NtfyOptions(server=receiver.url), topic="alerts")
    assert send(to) == f"{receiver.url} answered 200"
    send(to)
    first, second = receiver.requests
    assert first.body == second.body
    assert json.loads(first.body)["sequence_id"] == ALERT_ID
    assert first.headers["X-Mailmon-Alert-Id"] == ALERT_ID


@pytest.mark.parametrize("alert_id", ["with space", "x" * 65, "dot.ted", "grün"[:2] + "ü"])
def test_an_id_that_ntfy_would_refuse_is_no_sequence(receiver: Receiver, alert_id: str) -> None:
    send(channel(NtfyOptions(server=receiver.url), topic="alerts"), alert(alert_id=alert_id))
    assert "sequence_id" not in json.loads(receiver.requests[0].body)


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/api/webhooks/1/abc", "/api/webhooks/1/abc?wait=true"), ("/x?thread_id=7", "/x?thread_id=7&wait=true")],
)
def test_discord_is_asked_to_answer_when_the_message_is_saved(receiver: Receiver, path: str, asked: str) -> None:
    send(channel(DiscordOptions(), webhook=receiver.url + path))
    [request] = receiver.requests
    assert request.path == asked
    assert request.headers["X-Mailmon-Alert-Id"] == ALERT_ID


def test_discord_shows_the_alerts_id_and_keeps_its_limits(receiver: Receiver) -> None:
    given = alert(title="🚨" * 300, body="x" * 9000, alert_id="i" * 500)
    send(channel(DiscordOptions(), webhook=receiver.url), given)
    [embed] = json.loads(receiver.requests[0].body)["embeds"]
    title, description, footer = embed["title"], embed["description"], embed["footer"]["text"]
    assert footer.startswith("alert iii")
    assert (len(title) <= 256, len(description) <= 4096, len(footer) <= 2048) == (True, True, True)
    assert len(title) + len(description) + len(footer) <= 6000


def test_discord_says_in_its_body_when_to_come_back(receiver: Receiver) -> None:
    receiver.status, receiver.body = 429, b'{"message": "limited", "retry_after": 0.3, "global": false}'
    error = refusal(channel(DiscordOptions(), webhook=receiver.url))
    assert (error.retry_after_s, error.is_permanent) == (0.3, False)

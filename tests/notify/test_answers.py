"""What counts as an acknowledgement, and which channels a configuration may not name at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mailmon.notify.discord import DiscordOptions
from mailmon.notify.ntfy import NtfyOptions
from mailmon.sandbox.receiver import Receiver
from tests.config.samples import FLAT, FULL, SENTINEL, problems, set_up
from tests.notify.samples import alert, channel, refusal, send

LOGIN_PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"


def ntfy(receiver: Receiver) -> Any:
    return channel(NtfyOptions(server=receiver.url), topic="alerts")


def discord(receiver: Receiver) -> Any:
    return channel(DiscordOptions(), webhook=f"{receiver.url}/api/webhooks/1/x")


@pytest.mark.parametrize("body", [LOGIN_PAGE, b"", b"{}", b"[]", b"null", b'{"id":""}', b'{"id":7}', b'{"code":40001}'])
@pytest.mark.parametrize("status", [200, 204])
def test_ntfys_acknowledgement_is_the_id_of_a_message(receiver: Receiver, body: bytes, status: int) -> None:
    """A login page with 200 counted as sent."""
    receiver.status, receiver.body = status, body if status == 200 else b""
    error = refusal(ntfy(receiver))
    assert f"answered {status}, but not as ntfy does" in error.message
    assert "`notify.ntfy.server`" in error.advice
    assert not error.is_permanent


def test_a_login_page_does_not_count_as_discord(receiver: Receiver) -> None:
    receiver.body = LOGIN_PAGE
    assert "something else than Discord's JSON" in refusal(discord(receiver)).message
    receiver.status, receiver.body = 204, b""  # what Discord answers where nobody asked it to wait
    assert send(discord(receiver)) == "Discord answered 204"


def test_ntfys_answer_may_repeat_a_whole_message(receiver: Receiver) -> None:
    receiver.body = json.dumps({"id": "a", "message": "x" * 20_000}).encode()
    assert send(ntfy(receiver), alert()) == f"{receiver.url} answered 200"


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("my topic", "must be 1 to 64 letters"),
        ("alerts\tnow", "must be 1 to 64 letters"),
        ("grün", "must be 1 to 64 letters"),
        ("a" * 65, "must be 1 to 64 letters"),
        ("https://ntfy.sh/alerts", "must be the name of the topic alone"),
        ("alerts/json", "must be the name of the topic alone"),
        ("docs", "is the name of a page of ntfy"),
    ],
)
@pytest.mark.parametrize("is_file", [False, True])
def test_a_topic_that_no_ntfy_server_takes_is_a_mistake(tmp_path: Path, topic: str, words: str, is_file: bool) -> None:
    (tmp_path / "topic").write_text(topic)
    flat = {"ntfy_topic_file": "topic"} if is_file else {"ntfy_topic": topic}
    said = problems(tmp_path, {**FLAT, **flat})
    assert [one for one in said if words in one and one.startswith(("ntfy_topic", "ntfy_topic_file"))], said
    assert topic not in "".join(said).replace("the topic", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"type": "webhook", "url": "ftp://example.org/"}, "must begin with https:// or http://"),
        ({"type": "webhook", "url": "https:///hook"}, "must be a URL like https://HOST/PATH"),
        ({"type": "webhook", "url": "https://exa mple.org/"}, "must be a URL like https://HOST/PATH"),
        ({"type": "webhook", "url": "https://example.org:port/"}, "must be a URL like https://HOST/PATH"),
        ({"type": "webhook", "url": "https://example.org/\x07"}, "must be a URL like https://HOST/PATH"),
        ({"type": "webhook", "url": "https://example.org/", "authorization": "Bearer grün→"}, "sent in a header"),
        ({"type": "webhook", "url": "https://example.org/", "headers": {"X-A": "→"}}, "no header can"),
        ({"type": "webhook", "url": "https://example.org/", "headers": {"X-A": "a\r\nB: c"}}, "one line of text"),
        ({"type": "ntfy", "topic": "x", "token": "a\x1bb"}, "sent in a header"),
        ({"type": "ntfy", "topic": "x", "token_file": "missing"}, "No such file"),
        ({"type": "ntfy", "topic": "x", "server": "ntfy.example.org"}, "begins with https:// or http://"),
        ({"type": "ntfy", "topic": "x", "ca_file": "missing.pem"}, "cannot be read"),
        ({"type": "discord", "webhook": "https://discord.com/channels/1/2"}, "not the address of a webhook"),
        ({"type": "discord", "webhook": "https://discord.gg/abcdef"}, "not the address of a webhook"),
        ({"type": "discord", "webhook": "https://hooks.slack.com/services/T/B/x"}, "is Slack's"),
    ],
)
def test_a_channel_that_can_never_work_is_a_mistake(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    said = problems(tmp_path, {**FULL, "notify": {"team": options}})
    assert [one for one in said if words in one and one.startswith("notify.team")], said


@pytest.mark.parametrize(
    "options",
    [
        {"type": "discord", "webhook": "https://discord.com/api/webhooks/123456789/abcdefghij_-K?thread_id=5"},
        {"type": "discord", "webhook": "https://ptb.discord.com/api/v10/webhooks/123456789/abcdefghijk"},
        {"type": "discord", "webhook": "https://relay.example.org/discord"},
        {"type": "webhook", "url": "http://user:pass@[::1]:8080/hook?a=b#c"},
        {"type": "webhook", "url": "HTTPS://example.org"},
        {"type": "ntfy", "topic": "A-long_random-Name-1"},
        {"type": "webhook", "url": "https://example.org/", "authorization": f"Basic {SENTINEL}=="},
    ],
)
def test_a_channel_that_may_work_is_none(tmp_path: Path, options: dict[str, Any]) -> None:
    assert list(set_up(tmp_path, {**FULL, "notify": {"team": options}}).channels) == ["team"]

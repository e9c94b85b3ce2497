"""docs/channels.md says what the notifiers do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mailmon.notify import NOTIFIERS
from mailmon.notify.webhook import WebhookOptions
from mailmon.sandbox.receiver import Receiver
from mailmon.typedjson.validate import find_errors
from tests.notify.samples import SENTINEL, channel, send

PAGE = Path(__file__).parent.parent.parent / "docs" / "channels.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


EXAMPLES = [(name, options) for block in blocks("jsonc") for name, options in json.loads(f"{{{block}}}").items()]


@pytest.mark.parametrize(("name", "options"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_every_example_is_right(name: str, options: dict[str, Any]) -> None:
    channel_type = options.get("type", name)
    assert find_errors(NOTIFIERS[channel_type].options, {"type": channel_type, **options}) == []


def test_every_kind_of_channel_has_an_example_and_a_row() -> None:
    assert {options.get("type", name) for name, options in EXAMPLES} == set(NOTIFIERS)
    assert re.findall(r"^\| `(\w+)` \|", PAGE.read_text("utf-8"), re.MULTILINE) == list(NOTIFIERS)


def test_the_signature_is_verified_as_the_page_says(receiver: Receiver) -> None:
    [code] = blocks("python")
    words: dict[str, Any] = {}
    exec(code, words)
    send(channel(WebhookOptions(), url=receiver.url, secret=SENTINEL))
    [request] = receiver.requests
    signature = request.headers["X-Mailmon-Signature"]
    assert words["is_from_mailmon"](request.body, signature, SENTINEL)
    assert not words["is_from_mailmon"](request.body + b" ", signature, SENTINEL)
    assert not words["is_from_mailmon"](request.body, "ü", SENTINEL)


def test_the_payload_has_the_keys_that_the_page_shows(receiver: Receiver) -> None:
    [shown] = blocks("javascript")
    send(channel(WebhookOptions(), url=receiver.url))
    document = json.loads(receiver.requests[0].body)
    keys = [*document, *document["details"]]
    assert [key for key in re.findall(r'^ {2,4}"(\w+)":', shown, re.MULTILINE) if key != "changes"] == [
        key for key in keys if key != "changes"
    ]

"""`mailmon bounces summary --send`: the summary is sent, and a failure to send it is reported."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from mailmon.bounces.trends import summarize
from mailmon.model.bounces import Figures
from mailmon.render.bounces import summary_title
from mailmon.sandbox.receiver import Receiver
from tests.cli.bounce_commands import BounceCommands, commands, no_bounces

__all__ = ["commands", "no_bounces"]

SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def tell(commands: BounceCommands, url: str) -> None:
    """Let the configuration name a channel, and a password that is there."""
    path = commands.directory / "config.json"
    config = json.loads(path.read_text())
    del config["password_file"]
    config |= {"password": "x", "notify": {"ntfy": {"server": url, "topic": "alerts"}}}
    path.write_text(json.dumps(config))
    path.chmod(0o600)


def test_the_title_says_how_many_of_which_sort() -> None:
    now, before = Figures(4, {"hard": 2, "soft": 1, "feedback": 1}), Figures(3, {"soft": 3})
    assert summary_title(summarize(now, before, SINCE, UNTIL)) == (
        "Bounces: 3 in 1 d (2 hard, 1 soft, 1 feedback), 3 before"
    )
    assert summary_title(summarize(Figures(), before, SINCE, UNTIL)) == "Bounces: none in 1 d, 3 before"


def test_the_summary_is_sent_by_the_channels(commands: BounceCommands, receiver: Receiver) -> None:
    tell(commands, receiver.url)
    result = commands.run("summary", "--send", "--since", "48h", "--mask")
    assert result.exit_code == 0, result.output
    (message,) = receiver.ntfy_messages()
    title, body = str(message["title"]), str(message["message"])
    assert title.startswith("Bounces: ")
    assert "bounces by reason" in body
    assert "example.org" not in body
    assert "sent: ntfy: Bounces: " in result.output
    assert not (commands.directory / "state.json").exists(), "a summary is no run"


def test_a_channel_that_refuses_is_told_by_the_exit_code(commands: BounceCommands, receiver: Receiver) -> None:
    receiver.status = 403
    tell(commands, receiver.url)
    document = commands.run("summary", "--send", "--json")
    assert document.exit_code == 69
    assert json.loads(document.stdout)["alerts"][0]["status"] == "pending"


def test_nothing_is_sent_of_a_quiet_day_when_that_is_wanted(no_bounces: BounceCommands, receiver: Receiver) -> None:
    tell(no_bounces, receiver.url)
    assert no_bounces.run("summary", "--send", "--only-if-any").exit_code == 0
    assert receiver.ntfy_messages() == []
    assert no_bounces.run("summary", "--send").exit_code == 0
    (message,) = receiver.ntfy_messages()
    assert message["title"] == "Bounces: none in 1 d, 0 before"


def test_without_a_channel_it_says_so(commands: BounceCommands) -> None:
    tell(commands, "http://127.0.0.1:9")
    path = commands.directory / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "notify": "none"}))
    result = commands.run("summary", "--send")
    assert result.exit_code != 0
    assert "no alert channel configured" in str(result.exception)

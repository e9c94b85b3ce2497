"""What reaches a person, and in which form: ntfy, Discord, the ping URL, and what happens when they do not answer."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Received, Receiver
from tests.embedded import TOPIC, kind_of, kinds, state_of
from tests.monitor import Monitor

NASTY = "550 <b>no</b> @everyone **bold** _it_ `code` ||spoiler|| [link](https://example.org) ~~gone~~ # > - 🚨\nsecond"


def put_into_outbox(monitor: Monitor, body: str, *, title: str = "A title ⚡ of ours", channel: str = "ntfy") -> None:
    """Let an alert with these words wait for its channel, as if an earlier run had not got it through."""
    assert monitor.check().exit_code == 0
    at = "2026-01-02T03:04:05Z"
    alert = {"id": "earlier-1", "kind": "problem", "title": title, "body": body, "at": at}
    state = state_of(monitor)
    state["outbox"] = [{"alert": alert, "channel": channel, "runs": 1, "refused": False, "error": ""}]
    monitor.state_file.write_text(json.dumps(state))


def ntfy(monitor: Monitor) -> dict[str, Any]:
    options: dict[str, Any] = monitor.config["notify"]["ntfy"]
    return options


def test_ntfy_gets_json_with_emoji_and_line_ends_intact(monitor: Monitor, receiver: Receiver) -> None:
    ntfy(monitor).update(click="https://mail.example.org/status", priority="max")
    put_into_outbox(monitor, NASTY)
    run = monitor.run("check")
    assert (run.exit_code, run.stderr) == (0, "")
    assert "alert sent: ntfy: A title ⚡ of ours" in run.stdout
    [request] = receiver.requests
    assert (request.method, request.path) == ("POST", "/")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Authorization"] is None
    assert json.loads(request.body) == {
        "topic": TOPIC,
        "title": "A title ⚡ of ours",
        "message": NASTY,
        "priority": 5,
        "tags": ["rotating_light", "email"],
        "click": "https://mail.example.org/status",
        "sequence_id": "earlier-1",
    }


def test_ntfy_behind_a_path_is_asked_there(monitor: Monitor, receiver: Receiver) -> None:
    ntfy(monitor)["server"] = f"{receiver.url}/push/"
    put_into_outbox(monitor, "x")
    monitor.check()
    assert [request.path for request in receiver.requests] == ["/push/"]


BASIC = base64.b64encode(b"user:pass:word").decode()


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({"token": "tk_1"}, "Bearer tk_1"),
        ({"username": "user", "password": "pass:word"}, f"Basic {BASIC}"),
        ({"username": "user", "password": "pass:word", "token": "tk_2"}, "Bearer tk_2"),
    ],
    ids=["token", "login", "both"],
)
def test_ntfy_is_given_its_credentials(
    monitor: Monitor, receiver: Receiver, options: dict[str, str], header: str
) -> None:
    ntfy(monitor).update(options)
    put_into_outbox(monitor, "x")
    monitor.check()
    assert [request.headers["Authorization"] for request in receiver.requests] == [header]


def test_ntfy_takes_a_login_that_is_not_ascii(monitor: Monitor, receiver: Receiver) -> None:
    ntfy(monitor).update(username="jürgen", password="pä€ß")
    run = monitor.run("notify", "test")
    assert run.exit_code == 0, run.stdout + run.stderr
    expected = base64.b64encode("jürgen:pä€ß".encode()).decode()
    assert receiver.requests[0].headers["Authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("body", ["x" * 9000, "é" * 3000, "🚨" * 1500, "x" + "🚨" * 1500, "x" * 4000], ids=len)
def test_ntfy_gets_at_most_4000_bytes_cut_between_characters(monitor: Monitor, receiver: Receiver, body: str) -> None:
    put_into_outbox(monitor, body, title="🚨" * 200)
    assert monitor.check().exit_code == 0
    [message] = receiver.ntfy_messages()
    said = str(message["message"])
    assert len(said.encode()) <= 4000
    assert said == body or (len(said.encode()) > 3990 and said.endswith("…") and body.startswith(said[:-1]))
    assert len(str(message["title"]).encode()) <= 250


def discord(monitor: Monitor, receiver: Receiver) -> None:
    monitor.config["notify"] = {"discord": {"webhook": f"{receiver.url}/api/webhooks/1/abc"}}


def embed_of(request: Received) -> dict[str, Any]:
    [embed] = json.loads(request.body)["embeds"]
    assert isinstance(embed, dict)
    return embed


def test_discord_gets_an_embed_that_mentions_nobody_and_formats_nothing(monitor: Monitor, receiver: Receiver) -> None:
    discord(monitor, receiver)
    put_into_outbox(monitor, NASTY, title="@here *title*", channel="discord")
    assert monitor.check().exit_code == 0
    [request] = receiver.requests
    assert request.path == "/api/webhooks/1/abc?wait=true"
    assert json.loads(request.body)["allowed_mentions"] == {"parse": []}
    embed = embed_of(request)
    for key, written in (("title", "🚨 @here *title*"), ("description", NASTY)):
        assert re.sub(r"\\(.)", r"\1", embed[key]) == written, "only backslashes were added"
        assert not re.search(r"[*_~`|>\[\]()#@<]", re.sub(r"\\.", "", embed[key])), "nothing has a meaning"
    assert embed["timestamp"] == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("body", ["*" * 5000, "x" * 5000, "🚨" * 3000, "a*" * 1200], ids=["stars", "x", "emoji", "a*"])
def test_discord_gets_at_most_2000_characters(monitor: Monitor, receiver: Receiver, body: str) -> None:
    discord(monitor, receiver)
    put_into_outbox(monitor, body, title="*" * 500, channel="discord")
    assert monitor.check().exit_code == 0
    embed = embed_of(receiver.requests[0])
    assert len(embed["title"]) <= 256
    assert len(embed["title"]) + len(embed["description"]) <= 2000
    for text in (embed["title"], embed["description"]):
        assert text.endswith("…")
        assert not re.search(r"(?<!\\)(\\\\)*\\…$", text), "no escape is cut in two"


@pytest.mark.parametrize("channel", ["ntfy", "discord"])
def test_a_429_is_waited_for_within_the_run(monitor: Monitor, receiver: Receiver, channel: str) -> None:
    if channel == "discord":
        discord(monitor, receiver)
    receiver.script, receiver.headers = [429], {"Retry-After": "1"}
    put_into_outbox(monitor, "x", channel=channel)
    run = monitor.check()
    assert [alert["status"] for alert in run.document["alerts"]] == ["sent"]
    first, second = receiver.requests
    assert 1.0 <= second.at - first.at < 2.5
    assert first.body == second.body


@pytest.mark.parametrize("words", ["3600", "-1", "soon", "Wed, 21 Oct 2099 07:28:00 GMT", "nan", "inf", "1e999", "٣"])
def test_a_429_with_a_distant_date_waits_for_a_later_run_and_an_invalid_one_does_not(
    monitor: Monitor, receiver: Receiver, words: str
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": words.encode().decode("latin-1")}
    put_into_outbox(monitor, "x")
    run = monitor.check()
    assert [alert["status"] for alert in run.document["alerts"]] == ["pending"]
    assert run.exit_code == 0
    assert run.took_s < 6
    is_far = words == "3600" or words.startswith("Wed")
    assert len(receiver.requests) == (1 if is_far else 2)
    monitor.check()
    assert (len(receiver.requests) == 1) == is_far


def test_an_alert_that_waits_for_three_runs_gives_69_until_it_is_taken(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    receiver.status = 500
    sandbox.faults.refuse_login = {"smtp"}
    assert [monitor.check().exit_code for _ in range(3)] == [1, 1, 69]
    sandbox.faults.refuse_login = set()
    recovered = monitor.run("check")
    assert recovered.exit_code == 69
    assert "mailmon: alert pending: ntfy: " in recovered.stderr
    assert "answered 500" in recovered.stderr
    assert [entry["runs"] for entry in monitor.run("status", "--json").document["pending"]] == [4]
    receiver.status = 200
    receiver.requests.clear()
    assert monitor.check().exit_code == 0
    [message] = receiver.ntfy_messages()
    assert kind_of(message) == "recovery"
    assert re.search(r"failed at \d\d:\d\d .*, recovered at \d\d:\d\d", str(message["message"]))
    assert monitor.run("status", "--json").document["pending"] == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_gives_69_at_once_and_the_alert_still_waits(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, status: int
) -> None:
    receiver.status = status
    sandbox.faults.refuse_login = {"smtp"}
    assert [monitor.check().exit_code for _ in range(2)] == [69, 69]
    receiver.status = 200
    run = monitor.check()
    assert run.exit_code == 1
    assert [alert["status"] for alert in run.document["alerts"]] == ["sent"]


def test_a_channel_that_does_not_answer_holds_up_no_other(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    monitor.config["notify"]["dead"] = {"type": "ntfy", "server": "http://127.0.0.1:1", "topic": "x"}
    sandbox.faults.refuse_login = {"smtp"}
    for _ in range(2):
        monitor.check()
    assert kinds(receiver) == ["problem"]
    pending = monitor.run("status", "--json").document["pending"]
    assert [(entry["channel"], entry["runs"]) for entry in pending] == [("dead", 2)]
    del monitor.config["notify"]["dead"]
    run = monitor.check()
    assert [(alert["channel"], alert["status"]) for alert in run.document["alerts"]] == [("dead", "pending")]
    assert "the channel is no longer configured" in run.stderr


@pytest.mark.parametrize("notify", [None, {}])
def test_without_a_channel_every_run_warns_and_validation_fails(monitor: Monitor, notify: object) -> None:
    monitor.config["notify"] = notify
    for _ in range(2):
        run = monitor.run("check")
        assert run.exit_code == 0
        assert run.stderr.startswith("warning: no alert channel configured")
    assert monitor.run("config", "validate").exit_code == 78
    monitor.config["notify"] = "none"
    assert monitor.run("check").stderr == ""
    assert monitor.run("config", "validate").exit_code == 0

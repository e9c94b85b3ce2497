"""ntfy: publish as JSON, so that emoji and line ends survive (docs.ntfy.sh/publish/#publish-as-json)."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.errors import DeliveryError
from mailmon.model import Alert, AlertKind
from mailmon.notify.channel import Channel, ChannelOptions, Notifier
from mailmon.text import fit_bytes
from mailmon.typedjson.declare import About, SecretText, Url, options

# ntfy turns a longer message into an attachment: docs.ntfy.sh/config/#message-limits
MAX_MESSAGE_BYTES = 4000
MAX_TITLE_BYTES = 250

# What ntfy takes as a sequence id; it answers anything else with a 400 (server/server.go, since 2.16.0).
_SEQUENCE_ID = re.compile(r"[-_A-Za-z0-9]{1,64}", re.ASCII)

_TAGS = {
    AlertKind.PROBLEM: ["rotating_light", "email"],
    AlertKind.WARNING: ["warning", "email"],
    AlertKind.RECOVERY: ["white_check_mark", "email"],
    AlertKind.TEST: ["wave", "email"],
    AlertKind.REPORT: ["bar_chart", "email"],
}


@options
class NtfyOptions(ChannelOptions):
    """A topic on an ntfy server; on the public one its name is the only protection."""

    SECRETS: ClassVar[tuple[str, ...]] = ("topic", "token", "password")
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ("topic",)

    type: Literal["ntfy"] = "ntfy"
    server: Annotated[Url, About("Address of the ntfy server")] = "https://ntfy.sh"
    topic: Annotated[SecretText | None, About("Topic to publish to")] = field(default=None, repr=False)
    topic_file: Annotated[str | None, About("File that holds the topic")] = None
    token: Annotated[SecretText | None, About("Access token")] = field(default=None, repr=False)
    token_file: Annotated[str | None, About("File that holds the access token")] = None
    username: Annotated[str | None, About("Login name, where the server wants one instead of a token")] = None
    password: Annotated[SecretText | None, About("Password for the login name")] = field(default=None, repr=False)
    password_file: Annotated[str | None, About("File that holds the password")] = None
    priority: Annotated[Literal["min", "low", "default", "high", "max"], About("Priority of a failure")] = "high"
    click: Annotated[Url | None, About("Address that a tap on the notification opens")] = None


def send(alert: Alert, channel: Channel[NtfyOptions], timeout_s: float) -> str:
    """Publish an alert; return what the server answered. Raises DeliveryError."""
    from mailmon.clients.http import Request, post_for_answer

    ntfy, credentials = channel.options, channel.credentials
    priorities = {"min": 1, "low": 2, "default": 3, "high": 4, "max": 5}
    is_problem = alert.kind is AlertKind.PROBLEM
    message = {
        "topic": credentials.get("topic"),
        "title": fit_bytes(alert.title, MAX_TITLE_BYTES),
        "message": fit_bytes(alert.body, MAX_MESSAGE_BYTES),
        "priority": priorities[ntfy.priority] if is_problem else priorities["default"],
        "tags": _TAGS[alert.kind],
    }
    if ntfy.click:
        message["click"] = ntfy.click
    if _SEQUENCE_ID.fullmatch(alert.id):
        # A repeated alert replaces the first one on the phone; servers before 2.16.0 ignore the key.
        message["sequence_id"] = alert.id
    headers = {"Content-Type": "application/json", "X-Mailmon-Alert-Id": alert.id} | _authorization(channel)
    answer = post_for_answer(
        Request(
            who=f"ntfy at {ntfy.server}",
            url=ntfy.server.rstrip("/") + "/",
            body=json.dumps(message, ensure_ascii=False).encode(),
            headers=headers,
            mask=credentials.masker(ntfy.username or ""),
            ca_file=ntfy.ca_file,
            ca_key=channel.key("ca_file"),
        ),
        timeout_s,
    )
    document = answer.document()
    message_id = document.get("id") if isinstance(document, dict) else None
    if not isinstance(message_id, str) or not message_id:
        raise _not_ntfy(channel, answer.status)
    return f"{ntfy.server} answered {answer.status}"


def _not_ntfy(channel: Channel[NtfyOptions], status: int) -> DeliveryError:
    return DeliveryError(
        f"ntfy at {channel.options.server}: answered {status}, but not as ntfy does, with the id of a message, so it "
        "was not sent",
        f"Something else answers there, a login page or a proxy: check `{channel.key('server')}`.",
    )


def _authorization(channel: Channel[NtfyOptions]) -> dict[str, str]:
    """Return the header for a token, or for a login in UTF-8 (RFC 7617 section 2.1; requests would take Latin-1)."""
    token, password = channel.credentials.get("token"), channel.credentials.get("password")
    username = channel.options.username
    if token:
        return {"Authorization": f"Bearer {token}"}
    if username and password:
        return {"Authorization": f"Basic {b64encode(f'{username}:{password}'.encode()).decode()}"}
    return {}


NOTIFIER = Notifier("ntfy", NtfyOptions, send)

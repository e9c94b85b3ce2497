"""ntfy: publish as JSON, so that emoji and line ends survive (docs.ntfy.sh/publish/#publish-as-json)."""

from __future__ import annotations

import json
from typing import ClassVar, Literal

from pydantic import Field, SecretStr, field_validator

from mailmon.clients.http import Request, post
from mailmon.mail.text import fit_bytes
from mailmon.model import Alert, AlertKind
from mailmon.notify.channel import ChannelOptions, Credentials, Notifier
from mailmon.options import Url

# ntfy turns a longer message into an attachment: docs.ntfy.sh/config/#message-limits
MAX_MESSAGE_BYTES = 4000
MAX_TITLE_BYTES = 250

_TAGS = {
    AlertKind.PROBLEM: ["rotating_light", "email"],
    AlertKind.WARNING: ["warning", "email"],
    AlertKind.RECOVERY: ["white_check_mark", "email"],
    AlertKind.TEST: ["wave", "email"],
}


class NtfyOptions(ChannelOptions):
    """A topic on an ntfy server; on the public one its name is all that protects it."""

    secret_fields: ClassVar[tuple[str, ...]] = ("topic", "token", "password")
    required_secrets: ClassVar[tuple[str, ...]] = ("topic",)

    type: Literal["ntfy"] = "ntfy"
    server: Url = Field("https://ntfy.sh", description="Address of the ntfy server")
    topic: SecretStr | None = Field(None, description="Topic to publish to")
    topic_file: str | None = Field(None, description="File that holds the topic")
    token: SecretStr | None = Field(None, description="Access token")
    token_file: str | None = Field(None, description="File that holds the access token")
    username: str | None = Field(None, description="Login name, where the server wants one instead of a token")
    password: SecretStr | None = Field(None, description="Password for the login name")
    password_file: str | None = Field(None, description="File that holds the password")
    priority: Literal["min", "low", "default", "high", "max"] = Field("high", description="Priority of a failure")
    click: Url | None = Field(None, description="Address that a tap on the notification opens")
    ca_file: str | None = Field(None, description="PEM file of the CA that the server's certificate must come from")

    @field_validator("topic")
    @classmethod
    def _is_a_topic(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().strip():
            raise ValueError("is empty")
        return value


def send(alert: Alert, options: NtfyOptions, credentials: Credentials, timeout_s: float) -> str:
    """Publish an alert; return what the server answered. Raises DeliveryError."""
    priorities = {"min": 1, "low": 2, "default": 3, "high": 4, "max": 5}
    is_problem = alert.kind is AlertKind.PROBLEM
    message = {
        "topic": credentials.get("topic"),
        "title": fit_bytes(alert.title, MAX_TITLE_BYTES),
        "message": fit_bytes(alert.body, MAX_MESSAGE_BYTES),
        "priority": priorities[options.priority] if is_problem else priorities["default"],
        "tags": _TAGS[alert.kind],
    }
    if options.click:
        message["click"] = options.click
    token, password = credentials.get("token"), credentials.get("password")
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    status = post(
        Request(
            who=f"ntfy at {options.server}",
            url=options.server.rstrip("/") + "/",
            body=json.dumps(message, ensure_ascii=False).encode(),
            headers=headers,
            mask=credentials.masker(),
            ca_file=options.ca_file,
            basic_auth=(options.username, password) if options.username and password and not token else None,
        ),
        timeout_s,
    )
    return f"{options.server} answered {status}"


NOTIFIER = Notifier("ntfy", NtfyOptions, send)

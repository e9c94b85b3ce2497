"""Ping URL: tell an outside watcher that mailmon is alive (healthchecks.io/docs/http_api/).

`<url>/start` when a run begins, `<url>` when all is well, `<url>/fail` when something failed. A ping that does not
get through changes nothing else: its absence is what the outside watcher alarms on.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, SecretStr

from mailmon.clients.http import Request, post
from mailmon.mail.text import fit_bytes
from mailmon.notify.channel import ChannelOptions, Credentials

MAX_BODY_BYTES = 10_000


class PingOptions(ChannelOptions):
    """A check of Healthchecks, or of whatever speaks its conventions; its address is a credential."""

    secret_fields: ClassVar[tuple[str, ...]] = ("url",)
    required_secrets: ClassVar[tuple[str, ...]] = ("url",)

    type: str = "ping"
    url: SecretStr | None = Field(None, description="Ping address")
    url_file: str | None = Field(None, description="File that holds the ping address")
    ca_file: str | None = Field(None, description="PEM file of the CA that the server's certificate must come from")


def send(signal: str, body: str, options: PingOptions, credentials: Credentials, timeout_s: float) -> str:
    """Send `start`, `fail` or `` (success) with a body; return what came back. Raises DeliveryError."""
    base = (credentials.get("url") or "").rstrip("/")
    status = post(
        Request(
            who="the ping URL",
            url=f"{base}/{signal}" if signal else base,
            body=fit_bytes(body, MAX_BODY_BYTES).encode(),
            headers={"Content-Type": "text/plain; charset=utf-8"},
            mask=credentials.masker(),
            ca_file=options.ca_file,
        ),
        timeout_s,
    )
    return f"the ping URL answered {status}"

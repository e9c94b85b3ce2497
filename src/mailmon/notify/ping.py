"""Ping URL: tell an outside watcher that mailmon is alive (healthchecks.io/docs/http_api/).

`<url>/start` when a run begins, `<url>` when all is well, `<url>/fail` when something failed. A ping that does not
get through changes nothing else: its absence is what the outside watcher alarms on.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.mail.text import fit_bytes
from mailmon.notify.channel import ChannelOptions, Credentials
from mailmon.options import About, SecretText, options

MAX_BODY_BYTES = 10_000


@options
class PingOptions(ChannelOptions):
    """A check of Healthchecks, or of whatever speaks its conventions; its address is a credential."""

    SECRETS: ClassVar[tuple[str, ...]] = ("url",)
    REQUIRED_SECRETS: ClassVar[tuple[str, ...]] = ("url",)

    type: Literal["ping"] = "ping"
    url: Annotated[SecretText | None, About("Ping address")] = field(default=None, repr=False)
    url_file: Annotated[str | None, About("File that holds the ping address")] = None


def send(signal: str, body: str, target: PingOptions, credentials: Credentials, timeout_s: float) -> str:
    """Send `start`, `fail` or `` (success) with a body; return what came back. Raises DeliveryError."""
    from mailmon.clients.http import Request, post

    base = (credentials.get("url") or "").rstrip("/")
    status = post(
        Request(
            who="the ping URL",
            url=f"{base}/{signal}" if signal else base,
            body=fit_bytes(body, MAX_BODY_BYTES).encode(),
            headers={"Content-Type": "text/plain; charset=utf-8"},
            mask=credentials.masker(),
            ca_file=target.ca_file,
        ),
        timeout_s,
    )
    return f"the ping URL answered {status}"

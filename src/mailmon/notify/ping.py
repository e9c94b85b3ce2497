"""Ping URL: tell an outside watcher that mailmon is alive (healthchecks.io/docs/http_api/).

`<url>/start` when a run begins, `<url>` when all is well, `<url>/fail` when something failed. A ping that does not
get through changes nothing else: its absence is what the outside watcher alarms on.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal

from mailmon.mail.text import fit_bytes
from mailmon.notify.channel import Channel, ChannelOptions
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
    failure: Annotated[
        Literal["fail", "exit_code"], About("What is added to the address after a failure: /fail, or the exit code")
    ] = "fail"


def send(signal: str, body: str, channel: Channel[PingOptions], timeout_s: float) -> str:
    """Send `start`, `fail`, an exit code or `` (success) with a body; return what came back. Raises DeliveryError."""
    from mailmon.clients.http import Request, post

    # Healthchecks takes options in the query; the signal is part of the path.
    base, mark, query = (channel.credentials.get("url") or "").partition("?")
    base = base.rstrip("/")
    status = post(
        Request(
            who="the ping URL",
            url=(f"{base}/{signal}" if signal else base) + mark + query,
            body=fit_bytes(body, MAX_BODY_BYTES).encode(),
            headers={"Content-Type": "text/plain; charset=utf-8"},
            mask=channel.credentials.masker(),
            ca_file=channel.options.ca_file,
        ),
        timeout_s,
    )
    return f"the ping URL answered {status}"
